//! Connections to a host: by DNS, to given addresses, through a proxy, or through a port-forward.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::http::Uri;
use futures::future::{BoxFuture, select_ok};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::answers::Known;
use crate::connection_failure::plain;

/// Limit of addresses to try.
const MOST_ADDRESSES: usize = 8;
/// Limit of a DNS lookup in [`knows`].
const NAME_LIMIT: Duration = Duration::from_secs(2);

pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

pub type BoxConnection = Box<dyn Connection>;

/// Opens a connection to one endpoint, such as a port-forward; the error is a sentence.
pub type Connector = Arc<dyn Fn() -> BoxFuture<'static, Result<BoxConnection, String>> + Send + Sync>;

/// How to get to a host.
#[derive(Clone)]
pub enum Way {
    Direct,
    /// TCP to one of these addresses.
    To(Vec<SocketAddr>),
    /// A proxy with scheme `http`, `https` or `socks5`.
    Proxy(Uri),
    Through(Connector),
}

/// curl's `--resolve HOST:PORT:ADDRESS`: an address that replaces the DNS lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    pub host: String,
    pub port: u16,
    pub address: IpAddr,
}

impl Resolve {
    /// Parses `HOST:PORT:ADDRESS`; brackets around an IPv6 address are optional.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, rest) = text.split_once(':')?;
        let (port, address) = rest.split_once(':')?;
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then_some(())?;
        Some(Self { host: host.trim_end_matches('.').to_ascii_lowercase(), port, address: address.parse().ok()? })
    }

    /// The address for a host with this port, or with any port if `any`.
    pub fn named(all: &[Self], host: &str, port: u16, any: bool) -> Option<SocketAddr> {
        let mut of_host = all.iter().filter(|one| one.host.eq_ignore_ascii_case(host));
        let first = of_host.clone().next().filter(|_| any);
        of_host.find(|one| one.port == port).or(first).map(|one| SocketAddr::new(one.address, one.port))
    }
}

/// Why a server's redirect to this address is refused: loopback and link-local addresses, where cloud providers serve
/// credentials. Private networks are allowed, because identity providers of companies use them.
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if address.is_loopback() || address.is_unspecified() {
        Some("a loopback address of this machine")
    } else if link_local {
        Some("a link-local address, where cloud providers serve credentials")
    } else {
        None
    }
}

/// The same for a host name that a proxy will resolve.
pub fn reserved_host(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match bare(&host).parse() {
        Ok(address) => reserved(address),
        Err(_) => (host == "localhost" || host.ends_with(".localhost")).then_some("a loopback address of this machine"),
    }
}

/// Removes the brackets of an IPv6 address.
pub fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

pub async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = bare(host);
    // Resolvers don't reliably distinguish an unknown name from an unreachable DNS server.
    let found = tokio::net::lookup_host((bare, port)).await;
    let found = found.map_err(|_| format!("{bare} doesn't resolve"))?;
    let found: Vec<SocketAddr> = found.take(MOST_ADDRESSES).collect();
    if found.is_empty() { Err(format!("{bare} has no address")) } else { Ok(found) }
}

/// Whether a host resolves on this machine; `Unreadable` if DNS does not respond in time.
pub async fn knows(host: &str) -> Known<bool> {
    // A trailing dot excludes the search domains of this machine.
    let name = format!("{}.", host.trim_end_matches('.'));
    match timeout(NAME_LIMIT, addresses(&name, 443)).await {
        Ok(found) => Known::Known(found.is_ok()),
        Err(_) => Known::Unreadable(format!("no response within {} seconds", NAME_LIMIT.as_secs())),
    }
}

/// Connects to all addresses concurrently, and returns the first connection. The caller sets a time limit.
pub async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let attempt = async |address: &SocketAddr| {
        TcpStream::connect(address).await.map_err(|error| format!("nothing responds at {address}: {}", plain(&error)))
    };
    let attempts: Vec<_> = addresses.iter().map(|address| Box::pin(attempt(address))).collect();
    if attempts.is_empty() {
        return Err("the host has no address".to_owned());
    }
    select_ok(attempts).await.map(|(stream, _)| stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reserved_name_does_not_resolve() {
        // RFC 6761 §6.4: names below `invalid` never exist.
        assert_ne!(knows("mas.invalid").await, Known::Known(true));
    }

    #[test]
    fn loopback_and_link_local_addresses_are_reserved() {
        for address in
            ["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "::1", "::", "fe80::1", "::ffff:169.254.169.254"]
        {
            assert!(reserved(address.parse().unwrap()).is_some(), "{address}");
            assert!(reserved_host(address).is_some(), "{address}");
        }
        for address in ["10.1.2.3", "192.168.1.1", "172.16.0.1", "203.0.113.7", "2001:db8::1", "fd12:3456::1"] {
            assert_eq!(reserved(address.parse().unwrap()), None, "{address}");
        }
        for name in ["localhost", "LOCALHOST.", "a.localhost", "[::1]"] {
            assert!(reserved_host(name).is_some(), "{name}");
        }
        assert_eq!(reserved_host("id.corp.example.com"), None);
    }

    #[test]
    fn resolve_has_curls_syntax() {
        let read = |text: &str| Resolve::parse(text).map(|one| (one.host, one.port, one.address.to_string()));
        let wanted = |address: &str| Some(("a.example".to_owned(), 8443, address.to_owned()));
        assert_eq!(read("A.example.:8443:127.0.0.1"), wanted("127.0.0.1"));
        assert_eq!(read("a.example:8443:[::1]"), wanted("::1"));
        assert_eq!(read("a.example:8443:::1"), wanted("::1"));
        for bad in ["a.example", "a.example:443", "a.example:x:127.0.0.1", "a.example:0:127.0.0.1", ":443:::1", "a:1:b"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
