//! A connection to a port of a pod, through the API server.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, Fuse, FusedFuture as _, FutureExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, ReadHalf, join, split};

use super::client::connect::Cluster;
use super::errors::{ClusterError, ErrorKind, plain, sorted};
use super::resource::{Action, encoded, foreign};

/// The reading side of a connection to a pod, which ends when this is dropped.
struct Reader {
    io: ReadHalf<DuplexStream>,
    /// What the pod's side says when it ends the connection.
    last_words: Fuse<BoxFuture<'static, Option<String>>>,
    forwarder: Portforwarder,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl Cluster {
    /// Connects to a port of a pod. Needs `get`, and from Kubernetes 1.35 on `create`, on `pods/portforward`.
    pub async fn forward(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, ClusterError> {
        let right = foreign("", "v1", "port-forward to Pod", "pods/portforward");
        let action = Action::new("get", &right, Some(namespace), Some(pod));
        let error = |error: ClusterError| error.at(&action, &self.inner.place);
        let client = self.client(self.inner.limits.answer(&http::Method::GET));
        let pods: Api<Pod> = Api::namespaced(client, &encoded(namespace));
        let mut forwarder = pods.portforward(&encoded(pod), &[port]).await.map_err(|failed| error(sorted(failed)))?;
        let (Some(io), Some(last_words)) = (forwarder.take_stream(port), forwarder.take_error(port)) else {
            let reason = "it ended while the port-forward began".to_owned();
            return Err(error(ClusterError::new(ErrorKind::ConnectionLost(reason))));
        };
        let (io, writer) = split(io);
        Ok(join(Reader { io, last_words: last_words.boxed().fuse(), forwarder }, writer))
    }
}

impl AsyncRead for Reader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        let ended = match &polled {
            Poll::Pending => true,
            Poll::Ready(read) => read.is_ok() && buffer.filled().len() == before,
        };
        // Nothing more comes, or nothing yet: if the pod's side said why, that is told in its place.
        if ended
            && !self.last_words.is_terminated()
            && let Poll::Ready(Some(said)) = Pin::new(&mut self.last_words).poll(cx)
        {
            return Poll::Ready(Err(io::Error::other(plain(&said))));
        }
        polled
    }
}

#[cfg(test)]
mod tests;
