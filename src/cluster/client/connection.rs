//! Connections to the API server: kube's layers and TLS over a connector of this program.
//!
//! kube's own `Client::try_from` keeps Nagle's algorithm on, which costs a round trip before every first request; validates a
//! proxy's certificate against `tls-server-name`; and sends no password to a SOCKS proxy.

use std::future::ready;
use std::io;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Uri};
use hyper::rt::{Read, Write};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt as _, RustlsTlsError};
use kube::config::AuthInfo;
use secrecy::ExposeSecret as _;
use tower::{BoxError, Service, ServiceExt};
use zeroize::Zeroizing;

use super::tls;
use crate::cluster::config::kubeconfig::unusable;
use crate::cluster::config::resolve::Resolved;
use crate::cluster::errors::{AtProxy, ClusterError};

/// A client with these credentials; `proof` contains no plugin to run and no token file to read.
pub fn client(resolved: &Resolved, proof: &AuthInfo, limit: Option<Duration>) -> Result<kube::Client, ClusterError> {
    let mut config = resolved.config.clone();
    config.auth_info = proof.clone();
    config.headers.push((USER_AGENT, HeaderValue::from_static(env!("ESS_MAS_USER_AGENT"))));
    config.headers.extend(authorization(proof).map(|header| (AUTHORIZATION, header)));
    let plain = |uri: Option<&Uri>| uri.is_none_or(|uri| uri.scheme_str() != Some("https"));
    if config.root_cert.is_none()
        && (config.accept_invalid_certs || plain(Some(&config.cluster_url)) && plain(resolved.proxy.as_ref()))
    {
        // Loading the system's CAs is the slowest part of the start, and they aren't used here.
        config.root_cert = Some(Vec::new());
    }
    connect(&config, resolved.proxy.as_ref(), limit).map_err(|error| {
        let (sentence, remedy) = match &error {
            kube::Error::InferKubeconfig(error) => return unusable(error),
            kube::Error::RustlsTls(RustlsTlsError::AddRootCertificate(_)) => (
                "no certificate authority is set to verify the API server's certificate".to_owned(),
                "Set it with --certificate-authority, or in the kubeconfig.",
            ),
            _ => {
                let who = resolved.user_name.as_ref();
                let who = who.map_or_else(String::new, |name| format!(" of kubeconfig user {name}"));
                (
                    format!("the credentials and certificates{who} cannot be used"),
                    "Run `kubectl version`. If it fails too, the client certificate and its key may be damaged, or not match.",
                )
            }
        };
        ClusterError::config(sentence, remedy).caused_by(error)
    })
}

fn connect(config: &Config, proxy: Option<&Uri>, limit: Option<Duration>) -> Result<kube::Client, kube::Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    // The addresses of a name share the limit, so that an unresponsive one leaves time for the others.
    http.set_connect_timeout(limit);
    let Some(proxy) = proxy.cloned() else { return over(config, http, limit) };
    // As in Go, a proxy with TLS needs a certificate of the API server's CA, for its own name.
    let mut of_proxy = config.clone();
    of_proxy.tls_server_name = None;
    if proxy.scheme_str() != Some("https") {
        of_proxy.root_cert = Some(Vec::new());
    }
    let connector = tls::over(&of_proxy, http)?;
    let through = tower::service_fn(move |server: Uri| {
        let (connector, proxy) = (connector.clone(), proxy.clone());
        async move {
            let socks = proxy.scheme_str() == Some("socks5");
            let login = Matcher::builder().all(proxy.to_string()).build().intercept(&server);
            let login = login.ok_or_else(|| BoxError::from("no address of a proxy"))?;
            let address = if socks { with_port(login.uri(), "http", 1080)? } else { login.uri().clone() };
            // Opened here, because hyper-util's SOCKS connector drops the cause of a failure.
            let mut stream = Some(connector.oneshot(address).await.map_err(AtProxy)?);
            let opened = tower::service_fn(move |_: Uri| {
                ready(stream.take().ok_or_else(|| io::Error::other("the proxy was asked twice")))
            });
            let server = if server.scheme_str() == Some("http") { with_port(&server, "http", 80)? } else { server };
            Ok::<_, BoxError>(if socks {
                let socks = SocksV5::new(proxy, opened);
                match login.raw_auth() {
                    Some((user, password)) => socks.with_auth(user.to_owned(), password.to_owned()),
                    None => socks,
                }
                .oneshot(server)
                .await?
            } else {
                let tunnel = Tunnel::new(proxy, opened);
                match login.basic_auth() {
                    Some(basic) => tunnel.with_auth(basic.clone()),
                    None => tunnel,
                }
                .oneshot(server)
                .await?
            })
        }
    });
    over(config, through, limit)
}

fn over<C>(config: &Config, connector: C, limit: Option<Duration>) -> Result<kube::Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let mut connector = TimeoutConnector::new(tls::over(config, connector)?);
    connector.set_connect_timeout(limit);
    let requests = Builder::new(TokioExecutor::new()).build::<_, Body>(connector);
    let requests = ServiceExt::<Request<Body>>::map_err(requests, BoxError::from);
    Ok(ClientBuilder::new(requests, &config.default_namespace)
        .with_layer(&config.extra_headers_layer()?)
        .with_layer(&config.base_uri_layer())
        .build())
}

/// The `Authorization` header, without kube's own layer for the reason in [`tls`].
fn authorization(user: &AuthInfo) -> Option<HeaderValue> {
    let value = match (&user.username, &user.password, &user.token) {
        (Some(name), Some(password), _) => {
            let login = Zeroizing::new(format!("{name}:{}", password.expose_secret()));
            format!("Basic {}", STANDARD.encode(login.as_bytes()))
        }
        (_, _, Some(token)) => format!("Bearer {}", token.expose_secret()),
        _ => return None,
    };
    let mut value = HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The URL with an explicit port; hyper-util's default is that of HTTPS.
fn with_port(address: &Uri, scheme: &str, port: u16) -> Result<Uri, BoxError> {
    let host = address.host().unwrap_or_default();
    let port = address.port_u16().unwrap_or(port);
    Ok(format!("{scheme}://{host}:{port}/").parse()?)
}

#[cfg(test)]
pub mod stub;
#[cfg(test)]
mod tests;
