//! Ways to a host: by DNS, to an address that was named, through a proxy, or through whatever somebody else opens.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::http::Uri;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::address::{reserved, reserved_name};
use super::secure::Checked;
use super::tls::{Roots, plain};

/// Between two addresses of one host that are tried side by side (RFC 8305 §8).
const STAGGER: Duration = Duration::from_millis(250);
/// More addresses than anybody needs to try.
const MOST_ADDRESSES: usize = 8;

/// A connection.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection, however it was made.
pub type BoxConnection = Box<dyn Connection>;

/// Something that opens connections to one place, such as a port-forward.
pub trait Door: Send + Sync {
    /// Opens one; a sentence says why it cannot.
    fn open(&self) -> BoxFuture<'_, Result<BoxConnection, String>>;
}

/// How to get to a host.
#[derive(Clone)]
pub enum Way {
    /// DNS, then TCP.
    Direct,
    /// TCP to this address, as the person said.
    To(SocketAddr),
    /// TCP to one of these, which DNS told for a host that the person or the spec named.
    Addresses(Vec<SocketAddr>),
    /// Through this proxy: `http`, `https` or `socks5`.
    Proxy(Uri),
    /// Through this door.
    Through(Arc<dyn Door>),
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy's address may hold a password.
        f.write_str(match self {
            Self::Direct => "Direct",
            Self::To(_) => "To",
            Self::Addresses(_) => "Addresses",
            Self::Proxy(_) => "Proxy",
            Self::Through(_) => "Through",
        })
    }
}

/// Who named the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The person or the spec: any address will do.
    Spec,
    /// Another server's answer: reserved addresses are refused.
    Server,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoConnection {
    /// It was tried.
    Failed(String),
    /// It was not tried: the host leads where nobody is sent by a server.
    Refused(String),
}

/// Connects to a host. Takes as long as it takes; the caller sets the limit.
pub async fn dial(host: &str, port: u16, way: &Way, named_by: NamedBy) -> Result<BoxConnection, NoConnection> {
    let failed = |text: String| NoConnection::Failed(text);
    match way {
        Way::To(address) => tcp(vec![*address]).await.map(boxed).map_err(failed),
        Way::Addresses(addresses) => tcp(addresses.clone()).await.map(boxed).map_err(failed),
        Way::Through(door) => door.open().await.map_err(failed),
        Way::Proxy(proxy) => {
            refuse(host, reserved_name(host), named_by)?;
            through_proxy(host, port, proxy).await.map_err(failed)
        }
        Way::Direct => {
            refuse(host, reserved_name(host), named_by)?;
            let addresses = addresses(host, port).await.map_err(failed)?;
            let (bad, good): (Vec<_>, Vec<_>) = addresses
                .into_iter()
                .partition(|address| named_by == NamedBy::Server && reserved(address.ip()).is_some());
            if let (Some(first), true) = (bad.first(), good.is_empty()) {
                refuse(&format!("{host} ({})", first.ip()), reserved(first.ip()), named_by)?;
            }
            // Exactly the addresses that were looked at: a second look-up could tell another one.
            tcp(good).await.map(boxed).map_err(failed)
        }
    }
}

fn boxed(stream: TcpStream) -> BoxConnection {
    Box::new(stream)
}

fn refuse(host: &str, reason: Option<&'static str>, named_by: NamedBy) -> Result<(), NoConnection> {
    match reason {
        Some(reason) if named_by == NamedBy::Server => {
            Err(NoConnection::Refused(format!("it leads to {host}, {reason}; nothing was sent there")))
        }
        _ => Ok(()),
    }
}

/// The addresses of a host.
pub async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    // Resolvers do not tell "no such name" from "nobody to ask" in a way that can be relied on.
    let found = tokio::net::lookup_host((bare, port)).await;
    let found = found.map_err(|_| format!("the address of {bare} was not found"))?;
    let found: Vec<SocketAddr> = found.take(MOST_ADDRESSES).collect();
    if found.is_empty() { Err(format!("{bare} has no address")) } else { Ok(found) }
}

/// Whether a host takes connections, and why not. Nothing is sent.
pub async fn connects(host: &str, port: u16) -> Result<(), String> {
    tcp(addresses(host, port).await?).await.map(drop)
}

/// The first address that answers; one that is silent does not keep the others waiting.
async fn tcp(addresses: Vec<SocketAddr>) -> Result<TcpStream, String> {
    let attempt = |(index, address): (usize, SocketAddr)| async move {
        tokio::time::sleep(STAGGER * u32::try_from(index).unwrap_or(u32::MAX)).await;
        TcpStream::connect(address).await.map_err(|error| format!("nothing answers at {address}: {}", plain(&error)))
    };
    let mut attempts: FuturesUnordered<_> = addresses.into_iter().enumerate().map(attempt).collect();
    let mut why = "it has no address".to_owned();
    while let Some(result) = attempts.next().await {
        match result {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn through_proxy(host: &str, port: u16, proxy: &Uri) -> Result<BoxConnection, String> {
    let place = proxy.host().unwrap_or_default().to_owned();
    let failed = |error: &dyn fmt::Display| format!("no way through the proxy {place}: {error}");
    let proxy = super::proxy::with_port(proxy).map_err(|error| failed(&error))?;
    let proxy_port = proxy.port_u16().unwrap_or(80);
    let stream = tcp(addresses(&place, proxy_port).await.map_err(|error| failed(&error))?)
        .await
        .map_err(|error| failed(&error))?;
    let stream: BoxConnection = if proxy.scheme_str() == Some("https") {
        let checked = Arc::new(Checked::new(Roots::of_system().as_ref(), true).map_err(|error| failed(&error))?);
        Box::new(checked.handshake(&place, stream).await.map_err(|error| failed(&error))?)
    } else {
        Box::new(stream)
    };
    let target = format!("https://{host}:{port}/").parse::<Uri>().map_err(|error| failed(&error))?;
    let stream =
        super::proxy::through_proxy(proxy, TokioIo::new(stream), target).await.map_err(|error| failed(&error))?;
    Ok(stream.into_inner())
}
