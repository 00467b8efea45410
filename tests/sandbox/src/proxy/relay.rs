//! One connection of a client, with one to the server behind it.

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

/// What becomes of the client's connection after an exchange.
enum Then {
    GoOn,
    Reset,
}

/// Serves one client to the end of its connection.
pub(super) async fn serve(shared: Arc<Shared>, socket: TcpStream) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut client = Wire::new(shared.acceptor.accept(socket).await?);
    let mut server = None;
    while let Some(head) = client.head().await? {
        let body = client.body(head.framing).await?;
        match exchange(&shared, &mut client, &mut server, &head, body).await {
            Ok(Then::GoOn) => {}
            // A reset, not an orderly end: that is what a crashed load balancer or a dropped route looks like.
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
    // A watch ends with its connection; everything else shares one.
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
            // So that what was sent arrives before the reset overtakes it.
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

/// Passes a watch on, event by event.
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
                        // Nothing more comes, until the client gives up.
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
            // A client says nothing during a watch: this is its end.
            _ = client.fill() => return Ok(Then::Reset),
        }
    }
}

/// Bookmarks that are true (nothing new since the watch began, as far as the client can know), and then an end.
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

/// The request's head without its credentials: the proxy shows its own certificate.
fn forwarded(head: &Head) -> Vec<u8> {
    let text = String::from_utf8_lossy(&head.bytes);
    let kept = text.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("authorization:"));
    kept.collect::<String>().into_bytes()
}

/// An answer as the API server gives it, or, for 502 and 504, as a load balancer does.
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
