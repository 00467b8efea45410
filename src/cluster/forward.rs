//! A connection to a port of a pod, through the API server.
//!
//! The kubelet's WebSocket protocol `v4.channel.k8s.io` (Kubernetes, `pkg/kubelet/../portforward/websocket.go`), which every
//! release speaks: binary messages whose first byte is the channel, 0 for data and 1 for errors; the first message of
//! each channel is the port. One WebSocket carries one connection.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{SinkExt as _, StreamExt as _};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connect::Cluster;
use super::credentials::Access;
use super::errors::{ClusterError, ErrorKind};
use super::resource::{Action, Resource, encoded};
use super::transport::Outgoing;
use super::transport_errors::sorted;

const PROTOCOL: HeaderValue = HeaderValue::from_static("v4.channel.k8s.io");
const DATA: u8 = 0;
const ERROR: u8 = 1;
/// What an API server explains a refusal with.
const LARGEST_REFUSAL: usize = 64 * 1024;
/// Bytes on their way in either direction.
const BUFFER: usize = 64 * 1024;

/// Right and address of a port-forward.
const PORT_FORWARD: Resource =
    Resource { group: "", version: "v1", plural: "pods/portforward", kind: "port-forward to Pod" };
const POD: Resource = Resource { group: "", version: "v1", plural: "pods", kind: "Pod" };

/// A connection to a pod. It ends when dropped.
pub struct Forwarded {
    io: DuplexStream,
    trouble: Arc<Mutex<Option<String>>>,
    pump: JoinHandle<()>,
}

impl fmt::Debug for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forwarded")
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Cluster {
    /// Connects to a port of a pod. Needs `get`, and from Kubernetes 1.35 on `create`, on `pods/portforward`.
    pub async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forwarded, ClusterError> {
        let address =
            format!("{}/portforward?ports={}", POD.path(Some(namespace), Some(pod)), encoded(&port.to_string()));
        let action = Action::new("get", PORT_FORWARD, Some(namespace), Some(pod));
        let outgoing = Outgoing::get(address, action);
        let (key, accept) = key_and_answer();
        let access = self.inner.credentials.current().await.map_err(|error| self.error(error, &outgoing))?;
        let mut response = self.upgrade(&outgoing, &access, &key).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(renewed) =
                self.inner.credentials.renewed(&access).await.map_err(|error| self.error(error, &outgoing))?
        {
            response = self.upgrade(&outgoing, &renewed, &key).await?;
        }
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST_REFUSAL).collect().await;
            let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            return Err(self.error(ClusterError::from_answer(status, None, &body), &outgoing));
        }
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT) == Some(&accept);
        let protocol = response.headers().get(SEC_WEBSOCKET_PROTOCOL).is_none_or(|one| one == PROTOCOL);
        if !(accepted && protocol) {
            let reason = "it does not switch to the protocol of a port-forward".to_owned();
            return Err(self.error(ClusterError::new(ErrorKind::Unreadable { reason }), &outgoing));
        }
        let upgrading = hyper::upgrade::on(response);
        let upgraded = upgrading.await.map_err(|_| {
            let reason = "it ended while the port-forward began".to_owned();
            self.error(ClusterError::new(ErrorKind::ConnectionLost { reason }), &outgoing)
        })?;
        let config = WebSocketConfig::default().max_message_size(Some(1 << 20)).max_frame_size(Some(1 << 20));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
        let (io, inner) = tokio::io::duplex(BUFFER);
        let trouble = Arc::default();
        let pump = tokio::spawn(pump(socket, inner, Arc::clone(&trouble)));
        Ok(Forwarded { io, trouble, pump })
    }

    async fn upgrade(
        &self,
        outgoing: &Outgoing,
        access: &Access,
        key: &HeaderValue,
    ) -> Result<Response<Body>, ClusterError> {
        let request = Request::get(&outgoing.address)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, key)
            .header(SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
        let request =
            request.body(Body::empty()).map_err(|error| self.error(sorted(kube::Error::HttpError(error)), outgoing))?;
        let sent = access.client.send(request);
        let response = match self.inner.limits.read_answer.or(self.inner.limits.total) {
            Some(limit) => timeout(limit, sent)
                .await
                .map_err(|_| self.error(ClusterError::new(ErrorKind::Timeout { after: limit }), outgoing))?,
            None => sent.await,
        };
        let response = response.map_err(|error| self.error(sorted(error), outgoing));
        if let Ok(response) = &response {
            tracing::info!("GET {} answered {}", outgoing.address, response.status().as_u16());
        }
        response
    }
}

/// A new key, and what a server answers to it: RFC 6455 §4.2.2.
fn key_and_answer() -> (HeaderValue, HeaderValue) {
    let mut bytes = [0_u8; 16];
    // It keeps caches from answering, and keeps nothing secret.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    let key = STANDARD.encode(bytes);
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let answer = STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()));
    let header = |text: String| HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    (header(key), header(answer))
}

/// Carries bytes between the WebSocket and the pipe until either ends.
async fn pump<S>(mut socket: WebSocketStream<S>, pipe: DuplexStream, trouble: Arc<Mutex<Option<String>>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_here, mut to_here) = tokio::io::split(pipe);
    let mut begun = [false; 2];
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut open = true;
    loop {
        tokio::select! {
            read = from_here.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => open = false,
                Ok(count) => {
                    let mut message = Vec::with_capacity(count + 1);
                    message.push(DATA);
                    message.extend_from_slice(&buffer[..count]);
                    if socket.send(Message::binary(message)).await.is_err() {
                        break;
                    }
                }
            },
            message = socket.next() => {
                let bytes = match message {
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => continue,
                };
                let Some((&channel, data)) = bytes.split_first() else { continue };
                let Some(begun) = begun.get_mut(usize::from(channel)) else { continue };
                if !std::mem::replace(begun, true) {
                    // The port, which is known.
                    continue;
                }
                if channel == ERROR && !data.is_empty() {
                    let text = super::errors::plain(&String::from_utf8_lossy(data));
                    *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
                    break;
                }
                if channel == DATA && to_here.write_all(data).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = timeout(std::time::Duration::from_secs(1), socket.close(None)).await;
    let _ = to_here.shutdown().await;
}

impl AsyncRead for Forwarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if matches!(polled, Poll::Ready(Ok(()))) && buffer.filled().len() == before {
            // The end: if the pod's side said why, that is told in its place.
            let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(trouble) = trouble {
                return Poll::Ready(Err(io::Error::other(trouble)));
            }
        }
        polled
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
