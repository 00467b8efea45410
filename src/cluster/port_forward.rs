//! A connection to a port of a pod, through the API server.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, Fuse, FusedFuture as _, FutureExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::cluster::client::connect::Cluster;
use crate::cluster::errors::sorted;
use crate::cluster::errors::{ClusterError, ErrorKind, plain};
use crate::cluster::resource::{Action, encoded, foreign};

/// A connection to a pod. It ends when dropped.
pub struct Forwarded {
    io: DuplexStream,
    /// What the pod's side says when it ends the connection.
    trouble: Fuse<BoxFuture<'static, Option<String>>>,
    forwarder: Portforwarder,
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        self.forwarder.abort();
    }
}

impl Cluster {
    /// Connects to a port of a pod. Needs `get`, and from Kubernetes 1.35 on `create`, on `pods/portforward`.
    pub async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forwarded, ClusterError> {
        let right = foreign("", "v1", "port-forward to Pod", "pods/portforward");
        let action = Action::new("get", &right, Some(namespace), Some(pod));
        let error = |error: ClusterError| error.at(&action, &self.inner.place);
        let client = self.client(self.inner.limits.answer(&http::Method::GET));
        let pods: Api<Pod> = Api::namespaced(client, &encoded(namespace));
        let mut forwarder = pods.portforward(&encoded(pod), &[port]).await.map_err(|failed| error(sorted(failed)))?;
        let (Some(io), Some(trouble)) = (forwarder.take_stream(port), forwarder.take_error(port)) else {
            let reason = "it ended while the port-forward began".to_owned();
            return Err(error(ClusterError::new(ErrorKind::ConnectionLost { reason })));
        };
        Ok(Forwarded { io, trouble: trouble.boxed().fuse(), forwarder })
    }
}

impl AsyncRead for Forwarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        let ended = match &polled {
            Poll::Pending => true,
            Poll::Ready(read) => read.is_ok() && buffer.filled().len() == before,
        };
        // Nothing more comes, or nothing yet: if the pod's side said why, that is told in its place.
        if ended
            && !self.trouble.is_terminated()
            && let Poll::Ready(Some(said)) = Pin::new(&mut self.trouble).poll(cx)
        {
            return Poll::Ready(Err(io::Error::other(plain(&said))));
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
