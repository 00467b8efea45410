//! Connections to the API server: kube's client over connectors of hyper-util and hyper-rustls.
//!
//! kube's own set of connectors sends small pieces late (it leaves Nagle's algorithm on, which costs a round trip in front of
//! every first request), and links every way of logging in that there ever was; see [`super::credentials`] for those that
//! there are.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{HeaderValue, Uri, header::USER_AGENT};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{Builder, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use kube::client::{ClientBuilder, ConfigExt as _};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tower::{BoxError, Service, ServiceExt as _};

use super::{authorization::unproven, errors::ClusterError, kubeconfig::Resolved, tls};
use crate::probe::{through_proxy, with_port};

/// Connections with the certificates of a kubeconfig's user.
pub(super) fn client(resolved: &Resolved, limit: Option<Duration>) -> Result<kube::Client, ClusterError> {
    set_up(resolved, limit).map_err(|error| {
        if error.is::<tls::NoAuthority>() {
            let sentence = "There is no certificate authority to check the API server's certificate against.";
            let remedy = "Name one with --certificate-authority, or in the kubeconfig.";
            return ClusterError::config(sentence, Some(remedy.to_owned())).caused_by(error);
        }
        let user_name = resolved.user_name.as_ref();
        let who = user_name.map_or_else(String::new, |name| format!(" of the kubeconfig's user {name}"));
        let sentence = format!("No connection can be set up with the credentials and certificates{who}.");
        let remedy =
            "Compare with `kubectl version`; a client certificate and its key may be damaged or not belong together.";
        ClusterError::config(sentence, Some(remedy.to_owned())).caused_by(error)
    })
}

fn set_up(resolved: &Resolved, limit: Option<Duration>) -> Result<kube::Client, BoxError> {
    let security = tls::client_config(resolved)?;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    // Shared by the addresses of a name, so that one that is dead leaves time for the others.
    http.set_connect_timeout(limit);
    let proxy = resolved.proxy.as_ref().map(with_port).transpose()?;
    let way = Way { http, proxy: proxy.map(|proxy| (proxy, Arc::new(security.clone()))) };
    let mut secured = HttpsConnectorBuilder::new().with_tls_config(security).https_or_http();
    if let Some(name) = &resolved.tls_server_name {
        let name = ServerName::try_from(name.clone())?;
        secured = secured.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    let connector = Limited { connector: secured.enable_http1().wrap_connector(way), limit };
    let requests = Builder::new(TokioExecutor::new()).build::<_, kube::client::Body>(connector);
    let mut config = kube::Config::new(resolved.server.clone());
    // It is told in headers; with what it is proved is added to every request.
    config.auth_info = unproven(&resolved.user);
    config.headers.push((USER_AGENT, HeaderValue::from_static(concat!("kubectl-ess-mas/", env!("CARGO_PKG_VERSION")))));
    // Nothing here repeats a request: for a write that could mean to make it twice.
    Ok(ClientBuilder::new(requests, &resolved.namespace)
        .with_layer(&config.extra_headers_layer()?)
        .with_layer(&config.base_uri_layer())
        .build())
}

/// TCP to a server, or a tunnel of a proxy.
#[derive(Clone)]
struct Way {
    http: HttpConnector,
    /// With the certificates to check an `https` one against, which are the API server's, as in Go.
    proxy: Option<(Uri, Arc<ClientConfig>)>,
}

/// A connection as far as the API server's TLS, which is begun over it.
type Opened = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Service<Uri> for Way {
    type Response = Opened;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Opened, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let Self { http, proxy } = self.clone();
        Box::pin(async move {
            let Some((proxy, security)) = proxy else { return Ok(MaybeHttpsStream::Http(http.oneshot(server).await?)) };
            let stream = if proxy.scheme_str() == Some("https") {
                HttpsConnector::from((http, security)).oneshot(proxy.clone()).await
            } else {
                http.oneshot(proxy.clone()).await.map(MaybeHttpsStream::Http).map_err(Into::into)
            };
            let stream = stream.map_err(AtProxy)?;
            through_proxy(proxy, stream, with_port(&server)?).await
        })
    }
}

/// What went wrong before the proxy was asked for anything.
#[derive(Debug, thiserror::Error)]
#[error("no connection to the proxy")]
pub(super) struct AtProxy(#[source] BoxError);

/// A connector that does not wait for ever.
#[derive(Clone)]
struct Limited<C> {
    connector: C,
    limit: Option<Duration>,
}

impl<C> Service<Uri> for Limited<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + 'static,
    C::Future: Send,
    C::Response: Send,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<C::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.connector.call(server);
        let limit = self.limit;
        Box::pin(async move {
            match limit {
                Some(limit) => {
                    timeout(limit, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
                }
                None => connecting.await,
            }
        })
    }
}

#[cfg(test)]
mod tests;
