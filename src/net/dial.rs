//! Ways to a host: by DNS, to addresses that were named, through a proxy, or through whatever somebody else opens.

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

/// More addresses than anybody needs to try.
const MOST_ADDRESSES: usize = 8;
/// A name that takes longer is not waited for where only the name is of interest.
const NAME_LIMIT: Duration = Duration::from_secs(2);

pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection, however it was made.
pub type BoxConnection = Box<dyn Connection>;

/// What opens a connection to one place, such as a port-forward; a sentence says why it cannot.
pub type Door = Arc<dyn Fn() -> BoxFuture<'static, Result<BoxConnection, String>> + Send + Sync>;

/// How to get to a host.
#[derive(Clone)]
pub enum Way {
    Direct,
    /// TCP to one of these addresses, which the person named, or DNS.
    To(Vec<SocketAddr>),
    /// Through this proxy: `http`, `https` or `socks5`.
    Proxy(Uri),
    Through(Door),
}

/// curl's `--resolve HOST:PORT:ADDRESS`: where to connect to instead of asking DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    pub host: String,
    pub port: u16,
    pub address: IpAddr,
}

impl Resolve {
    /// Reads `HOST:PORT:ADDRESS`; an IPv6 address may stand in brackets. `None` if it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, rest) = text.split_once(':')?;
        let (port, address) = rest.split_once(':')?;
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then_some(())?;
        Some(Self { host: host.trim_end_matches('.').to_ascii_lowercase(), port, address: address.parse().ok()? })
    }

    /// The address that was named for a host: with this very port, else with any where `any` will do.
    pub fn named(all: &[Self], host: &str, port: u16, any: bool) -> Option<SocketAddr> {
        let mut of_host = all.iter().filter(|one| one.host.eq_ignore_ascii_case(host));
        let first = of_host.clone().next().filter(|_| any);
        of_host.find(|one| one.port == port).or(first).map(|one| SocketAddr::new(one.address, one.port))
    }
}

/// Why nobody is sent to this address by a server's answer: it is this machine itself, or its link, where clouds hand out
/// credentials. Addresses of private networks are no reason: companies' identity providers have them.
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if address.is_loopback() || address.is_unspecified() {
        Some("this machine itself")
    } else if link_local {
        Some("a link-local address, where cloud providers hand out credentials")
    } else {
        None
    }
}

/// The same for a host whose name has not been resolved, as a proxy will do it.
pub fn reserved_host(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match bare(&host).parse() {
        Ok(address) => reserved(address),
        Err(_) => (host == "localhost" || host.ends_with(".localhost")).then_some("this machine itself"),
    }
}

/// A host without the brackets of an IPv6 address.
pub fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

pub async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = bare(host);
    // Resolvers do not tell "no such name" from "nobody to ask" in a way that can be relied on.
    let found = tokio::net::lookup_host((bare, port)).await;
    let found = found.map_err(|_| format!("the address of {bare} was not found"))?;
    let found: Vec<SocketAddr> = found.take(MOST_ADDRESSES).collect();
    if found.is_empty() { Err(format!("{bare} has no address")) } else { Ok(found) }
}

/// Whether DNS knows a host, asked from here. What counts is an answer: an address, none, or none in time.
pub async fn knows(host: &str) -> Known<bool> {
    // A final dot keeps the search domains of this machine out of it.
    let name = format!("{}.", host.trim_end_matches('.'));
    match timeout(NAME_LIMIT, addresses(&name, 443)).await {
        Ok(found) => Known::Known(found.is_ok()),
        Err(_) => Known::Unreadable(format!("no answer within {} seconds", NAME_LIMIT.as_secs())),
    }
}

/// Connects to the first of these addresses that answers. All are tried at once, so that none that is silent keeps the others
/// waiting. Takes as long as it takes; the caller sets the limit.
pub async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let attempt = async |address: &SocketAddr| {
        TcpStream::connect(address).await.map_err(|error| format!("nothing answers at {address}: {}", plain(&error)))
    };
    let attempts: Vec<_> = addresses.iter().map(|address| Box::pin(attempt(address))).collect();
    if attempts.is_empty() {
        return Err("it has no address".to_owned());
    }
    select_ok(attempts).await.map(|(stream, _)| stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_cannot_exist_is_not_known() {
        // RFC 6761 §6.4: there is never anything below `invalid`.
        assert_ne!(knows("mas.invalid").await, Known::Known(true));
    }

    #[test]
    fn nobody_is_sent_to_credentials_or_back_to_this_machine() {
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
    fn resolve_is_written_as_in_curl() {
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
