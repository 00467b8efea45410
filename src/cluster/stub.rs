//! A scripted HTTP server for tests, also with faulty responses that a real API server does not send. `tests/e2e` uses a real one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// The reaction to a request.
#[derive(Clone)]
pub(super) enum Step {
    Answer(u16, String),
    /// A complete response with another header line.
    AnswerWith(u16, &'static str, String),
    /// The head of a response with status 200, then parts of the body with pauses before them, then the end of the connection.
    Stream(Vec<(Duration, String)>),
    /// Like `Stream`, with a regular end of the body.
    StreamToEnd(Vec<(Duration, String)>),
    /// A head that announces more bytes than the body has, then the end of the connection.
    Half(String),
    /// The end of the connection without a response.
    Cut,
    /// Silence for this time, then the end of the connection.
    Silence(Duration),
}

impl Step {
    pub(super) fn json(code: u16, value: &Value) -> Self {
        Self::Answer(code, value.to_string())
    }
}

/// A received request.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// `GET /path?query`
    pub(super) line: String,
    pub(super) headers: String,
    pub(super) body: String,
}

type Script = Box<dyn FnMut(usize, &Seen) -> Step + Send>;

/// The server; stops with the test's runtime.
pub(super) struct Stub {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// Performs the steps in order; the last one repeats.
    pub(super) async fn with_steps(steps: Vec<Step>) -> Self {
        Self::with_script(Box::new(move |index, _| steps[index.min(steps.len() - 1)].clone())).await
    }

    /// Performs the step that the script returns for a request.
    pub(super) async fn with_script(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { address, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic inside").clone()
    }

    /// The number of requests with this method.
    pub(super) fn count(&self, method: &str) -> usize {
        self.seen().iter().filter(|seen| seen.line.starts_with(method)).count()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>, log: Arc<Mutex<Vec<Seen>>>) {
    let mut buffer = Vec::new();
    while let Some(seen) = request(&mut stream, &mut buffer).await {
        let step = {
            let mut log = log.lock().expect("no panic inside");
            let step = (script.lock().expect("no panic inside"))(log.len(), &seen);
            log.push(seen);
            step
        };
        let text = match step {
            Step::Answer(code, body) => answer(code, "", &body),
            Step::AnswerWith(code, header, body) => answer(code, &format!("{header}\r\n"), &body),
            Step::Stream(pieces) => return chunks(stream, pieces, false).await,
            Step::StreamToEnd(pieces) => return chunks(stream, pieces, true).await,
            Step::Half(body) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    body.len() + 100
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
                return;
            }
            Step::Cut => return,
            Step::Silence(pause) => return sleep(pause).await,
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(code: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn chunks(mut stream: TcpStream, pieces: Vec<(Duration, String)>, complete: bool) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    for (pause, piece) in pieces {
        sleep(pause).await;
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            return;
        }
    }
    if complete {
        let _ = stream.write_all(b"0\r\n\r\n").await;
    }
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let length: usize = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|length| length.trim().to_owned())
        })
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
    buffer.drain(..end + 4 + length);
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    Some(Seen { line: line.trim_end_matches(" HTTP/1.1").to_owned(), headers: headers.to_owned(), body })
}
