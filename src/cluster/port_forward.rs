//! Connects to a port of a pod through the API server.

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
use super::resource::{Action, foreign};
use crate::answers::http::encoded;

/// The reading half of a connection to a pod; dropping it closes the connection.
struct Reader {
    io: ReadHalf<DuplexStream>,
    /// The error message of the pod's side at the end of the connection.
    closing_error: Fuse<BoxFuture<'static, Option<String>>>,
    forwarder: Portforwarder,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl Cluster {
    /// Connects to a port of a pod. Requires the verb `get`, since Kubernetes 1.35 also `create`, on `pods/portforward`.
    pub async fn forward(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, ClusterError> {
        let right = foreign("", "v1", "port-forward to Pod", "pods/portforward");
        let action = Action::new("get", &right, Some(namespace), Some(pod));
        let error = |error: ClusterError| error.at(&action, &self.place);
        let client = self.client(self.limits.answer(&http::Method::GET));
        let pods: Api<Pod> = Api::namespaced(client, &encoded(namespace));
        let mut forwarder = pods.portforward(&encoded(pod), &[port]).await.map_err(|failed| error(sorted(failed)))?;
        let (Some(io), Some(closing_error)) = (forwarder.take_stream(port), forwarder.take_error(port)) else {
            let reason = "it ended at the start of the port-forward".to_owned();
            return Err(error(ClusterError::new(ErrorKind::ConnectionLost(reason))));
        };
        let (io, writer) = split(io);
        Ok(join(Reader { io, closing_error: closing_error.boxed().fuse(), forwarder }, writer))
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
        // At the end of the stream, or while it waits, the error of the pod's side takes precedence.
        if ended
            && !self.closing_error.is_terminated()
            && let Poll::Ready(Some(message)) = Pin::new(&mut self.closing_error).poll(cx)
        {
            return Poll::Ready(Err(io::Error::other(plain(&message))));
        }
        polled
    }
}

#[cfg(test)]
mod tests;
