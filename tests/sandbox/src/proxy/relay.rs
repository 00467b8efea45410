//! A connection of a client with its connection to the server.

use std::io::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::{client, server};

use super::fault::{Fault, Request};
use super::wire::{Framing, Head, Wire, as_chunk};
use super::{Shared, host};

type Client = Wire<server::TlsStream<TcpStream>>;
type Server = Wire<client::TlsStream<TcpStream>>;

/// The state of the client's connection after a request.
enum Then {
    GoOn,
    Reset,
}

/// Serves one client until the end of its connection.
pub(super) async fn serve(shared: Arc<Shared>, socket: TcpStream) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut client = Wire::new(shared.acceptor.accept(socket).await?);
    let mut server = None;
    while let Some(head) = client.head().await? {
        let body = client.body(head.framing).await?;
        match exchange(&shared, &mut client, &mut server, &head, body).await {
            Ok(Then::GoOn) => {}
            // A reset, as by a crashed load balancer or a lost route.
            Ok(Then::Reset) => return client.stream.get_ref().0.set_zero_linger(),
            Err(error) => {
                let _ = client.stream.get_ref().0.set_zero_linger();
                return Err(error);
            }
        }
    }
    client.stream.shutdown().await
}

async fn exchange(
    shared: &Shared,
    client: &mut Client,
    server: &mut Option<Server>,
    head: &Head,
    body: Vec<u8>,
) -> Result<Then> {
    let shown = client.stream.get_ref().1.peer_certificates().and_then(|all| all.first());
    let (request, fault) = shared.note(head, shown.map(|one| one.to_vec()));
    match &fault {
        Fault::Answer { code, retry_after } => {
            client.stream.write_all(&refusal(*code, *retry_after)).await?;
            return Ok(Then::GoOn);
        }
        Fault::ResetBefore => return Ok(Then::Reset),
        Fault::Late(pause) => sleep(*pause).await,
        Fault::HoldBefore(gate) if !gate.pass().await => return Ok(Then::Reset),
        _ => {}
    }
    // A watch has its own connection; other requests share one.
    let mut own = match server.take() {
        Some(own) => own,
        None => Wire::new(connect(shared).await?),
    };
    own.stream.write_all(&forwarded(head)).await?;
    own.stream.write_all(&body).await?;
    own.stream.flush().await?;
    let answer = own.head().await?.ok_or_else(|| Error::other("the server ended the connection"))?;
    if request.is_watch() && answer.framing == Framing::Chunked {
        return watch(client, own, answer, &request, &fault).await;
    }
    let content = own.body(answer.framing).await?;
    *server = Some(own);
    match &fault {
        Fault::AnswerAfter(code) => {
            client.stream.write_all(&refusal(*code, None)).await?;
            return Ok(Then::GoOn);
        }
        Fault::ResetAfter => return Ok(Then::Reset),
        Fault::Half => {
            client.stream.write_all(&answer.bytes).await?;
            client.stream.write_all(&content[..content.len() / 2]).await?;
            client.stream.flush().await?;
            // The sent data must arrive before the reset.
            sleep(Duration::from_millis(10)).await;
            return Ok(Then::Reset);
        }
        Fault::Slow(pause) => sleep(*pause).await,
        Fault::HoldAfter(gate) if !gate.pass().await => return Ok(Then::Reset),
        _ => {}
    }
    client.stream.write_all(&answer.bytes).await?;
    client.stream.write_all(&content).await?;
    client.stream.flush().await?;
    Ok(Then::GoOn)
}

/// Forwards a watch, event by event.
async fn watch(
    client: &mut Client,
    mut server: Server,
    answer: Head,
    request: &Request,
    fault: &Fault,
) -> Result<Then> {
    match fault {
        Fault::ResetAfter => return Ok(Then::Reset),
        Fault::AnswerAfter(code) => {
            client.stream.write_all(&refusal(*code, None)).await?;
            return Ok(Then::GoOn);
        }
        Fault::Slow(pause) => sleep(*pause).await,
        Fault::HoldAfter(gate) if !gate.pass().await => return Ok(Then::Reset),
        _ => {}
    }
    client.stream.write_all(&answer.bytes).await?;
    client.stream.flush().await?;
    if let Fault::Bookmarks(span) = fault {
        return bookmarks(client, request, *span).await;
    }
    let (mut lines, mut events) = (Vec::new(), 0);
    loop {
        while let Some(chunk) = server.chunk() {
            if chunk.is_empty() {
                client.stream.write_all(&as_chunk(b"")).await?;
                client.stream.flush().await?;
                return Ok(Then::GoOn);
            }
            lines.extend_from_slice(&chunk);
            while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = lines.drain(..=end).collect();
                match fault {
                    Fault::Silence { after } if *after == events => {
                        // Silence until the client closes the connection.
                        while client.fill().await? {}
                        return Ok(Then::Reset);
                    }
                    Fault::ErrorEvent { after, code } if *after == events => {
                        let event = json!({"type": "ERROR", "object": status(*code)}).to_string() + "\n";
                        client.stream.write_all(&as_chunk(event.as_bytes())).await?;
                        client.stream.write_all(&as_chunk(b"")).await?;
                        client.stream.flush().await?;
                        return Ok(Then::GoOn);
                    }
                    Fault::CutLine { after } if *after == events => {
                        client.stream.write_all(&as_chunk(&line[..line.len() / 2])).await?;
                        client.stream.flush().await?;
                        sleep(Duration::from_millis(10)).await;
                        return Ok(Then::Reset);
                    }
                    Fault::Half => {
                        client.stream.write_all(&as_chunk(&line)).await?;
                        client.stream.flush().await?;
                        sleep(Duration::from_millis(10)).await;
                        return Ok(Then::Reset);
                    }
                    _ => {}
                }
                events += 1;
                client.stream.write_all(&as_chunk(&line)).await?;
            }
            client.stream.flush().await?;
        }
        tokio::select! {
            more = server.fill() => if !more? { return Ok(Then::Reset) },
            // A client sends nothing during a watch, so this is the end.
            _ = client.fill() => return Ok(Then::Reset),
        }
    }
}

/// Sends bookmarks with the initial version, then ends the watch.
async fn bookmarks(client: &mut Client, request: &Request, span: Duration) -> Result<Then> {
    let version = request.address.split(['?', '&']).find_map(|pair| pair.strip_prefix("resourceVersion="));
    let object = json!({
        "apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment",
        "metadata": {"resourceVersion": version.unwrap_or_default(), "creationTimestamp": null},
    });
    let line = json!({"type": "BOOKMARK", "object": object}).to_string() + "\n";
    let end = Instant::now() + span;
    loop {
        client.stream.write_all(&as_chunk(line.as_bytes())).await?;
        client.stream.flush().await?;
        let pause = end.min(Instant::now() + Duration::from_millis(30));
        if timeout_at(pause, client.fill()).await.is_ok() {
            return Ok(Then::Reset);
        }
        if Instant::now() >= end {
            client.stream.write_all(&as_chunk(b"")).await?;
            client.stream.flush().await?;
            return Ok(Then::GoOn);
        }
    }
}

async fn connect(shared: &Shared) -> Result<client::TlsStream<TcpStream>> {
    let socket = TcpStream::connect(shared.server).await?;
    socket.set_nodelay(true)?;
    shared.connector.connect(host(), socket).await
}

/// The request's head without credentials, because the proxy has its own.
fn forwarded(head: &Head) -> Vec<u8> {
    let text = String::from_utf8_lossy(&head.bytes);
    let kept = text.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("authorization:"));
    kept.collect::<String>().into_bytes()
}

/// An error response of the API server, or for 502 and 504 of a load balancer.
fn refusal(code: u16, retry_after: Option<u64>) -> Vec<u8> {
    let (kind, body) = match code {
        502 | 504 => ("text/html", "<html><body><h1>Gateway trouble</h1></body></html>".to_owned()),
        _ => ("application/json", status(code).to_string()),
    };
    let retry_after = retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
    let length = body.len();
    format!("HTTP/1.1 {code} Fault\r\nContent-Type: {kind}\r\n{retry_after}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn status(code: u16) -> Value {
    let (reason, message) = match code {
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "elementdeployments.matrix.element.io is forbidden: User \"somebody\" cannot do that"),
        410 => ("Expired", "The resourceVersion for the provided watch is too old."),
        429 => ("TooManyRequests", "too many requests, please try again later"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        _ => ("InternalError", "Internal error occurred: etcdserver: request timed out"),
    };
    json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "reason": reason, "message": message, "code": code,
    })
}
