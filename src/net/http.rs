//! Sends one HTTP request within limits. Redirects are returned, not followed; no cookies, no retries.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION};
use reqwest::{Client, ClientBuilder, Proxy, Response, Url, redirect};
use rustls::{ClientConfig, Error as TlsError};
use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::dial::{BoxConnection, Way, addresses, bare, reserved, reserved_host};
use super::tls::{Mode, Roots, Verifier};
use crate::answers::http::{Outcome, Reply};
use crate::connection_failure::{cause, causes, complaint, plain};
use crate::secrets::SecretText;

/// Limit of one request: DNS, connection, TLS handshake and complete response.
pub const LIMIT: Duration = Duration::from_secs(4);
/// Limit of a body in bytes. hyper limits the head to 100 headers and 400 kB.
pub const LARGEST: usize = 256 * 1000;

/// How the server is authenticated.
#[derive(Clone)]
pub enum Security {
    /// TLS with any certificate, which is returned with the response.
    Witness,
    /// TLS with a certificate that leads to these roots; without roots, every certificate is refused.
    Trusted(Option<Roots>),
    /// No TLS, on a connection that is already encrypted.
    Plain,
}

pub struct Ask<'a> {
    /// The host and port to connect to, unless `way` sets other addresses.
    pub url: &'a Url,
    pub way: &'a Way,
    /// Whether a redirect names the host, so that loopback and link-local addresses are refused.
    pub by_redirect: bool,
    pub security: Security,
    /// An access token. A valid one requires [`Security::Trusted`] or a port-forward.
    pub bearer: Option<&'a SecretText>,
    /// JSON for a POST request; without it, the request is a GET. A body with a secret has the requirements of `bearer`.
    pub body: Option<&'a SecretText>,
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub outcome: Outcome,
    /// The presented certificates in DER, the server's first.
    pub certificates: Vec<Vec<u8>>,
}

impl Seen {
    pub fn only(outcome: Outcome) -> Self {
        Self { outcome, certificates: Vec::new() }
    }
}

pub async fn send(ask: Ask<'_>) -> Seen {
    let (roots, need) = match &ask.security {
        Security::Witness | Security::Plain => (None, Mode::Nothing),
        Security::Trusted(roots) => (roots.as_ref(), Mode::Name),
    };
    let proxy = match ask.way {
        Way::Proxy(proxy) if proxy.scheme_str() == Some("https") => proxy.host().map(bare),
        _ => None,
    };
    let (verifier, config) = match Verifier::client(roots, need, proxy) {
        Ok(both) => both,
        Err(why) => return Seen::only(Outcome::NotAsked(why)),
    };
    let host = ask.host();
    let in_time = timeout(LIMIT, ask.run(config, &verifier)).await;
    let certificates = verifier.shown();
    let outcome = match in_time {
        Ok(outcome) => outcome,
        Err(_) if ask.is_plain() || !certificates.is_empty() => Outcome::Silent(format!(
            "{host} accepts connections, but doesn't respond within {} seconds",
            LIMIT.as_secs()
        )),
        Err(_) => Outcome::NotReached(format!("no connection to {host} within {} seconds", LIMIT.as_secs())),
    };
    Seen { outcome, certificates }
}

impl Ask<'_> {
    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn is_plain(&self) -> bool {
        matches!(self.security, Security::Plain)
    }

    async fn run(&self, mut tls: ClientConfig, verifier: &Verifier) -> Outcome {
        let host = self.host();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(env!("ESS_MAS_USER_AGENT"))
            .redirect(redirect::Policy::none())
            // Several addresses share this time.
            .connect_timeout(LIMIT)
            .no_proxy();
        // An address of the user is always allowed.
        let by_server = self.by_redirect && matches!(self.way, Way::Direct | Way::Proxy(_));
        if let Some(reason) = reserved_host(host).filter(|_| by_server) {
            return refused(host, reason);
        }
        let addresses = match self.way {
            Way::Through(door) => {
                return match door().await {
                    Ok(stream) => self.over(client, stream, verifier).await,
                    Err(why) => Outcome::NotReached(why),
                };
            }
            Way::Proxy(proxy) => {
                let place = format!("the connection through the proxy {} failed", proxy.host().unwrap_or_default());
                // The proxy resolves names, as in Go.
                let proxy = proxy.to_string().replacen("socks5:", "socks5h:", 1);
                return match Proxy::all(proxy) {
                    Ok(proxy) => self.ask(client.proxy(proxy), self.url.clone(), &place, verifier).await,
                    Err(error) => self.lost(&place, &error, verifier),
                };
            }
            Way::To(addresses) => addresses.clone(),
            Way::Direct => match addresses(host, self.url.port_or_known_default().unwrap_or(443)).await {
                Ok(addresses) => addresses,
                Err(why) => return Outcome::NotReached(why),
            },
        };
        // The addresses that were checked; a second lookup could return others.
        let reason = |address: &SocketAddr| reserved(address.ip()).filter(|_| by_server);
        let good: Vec<SocketAddr> = addresses.iter().filter(|one| reason(one).is_none()).copied().collect();
        if let (true, Some(reason)) = (good.is_empty(), addresses.first().and_then(reason)) {
            return refused(&format!("{host} ({})", addresses[0].ip()), reason);
        }
        let all: Vec<String> = good.iter().map(SocketAddr::to_string).collect();
        let place = format!("nothing responds at {}", all.join(", "));
        self.ask(client.resolve_to_addrs(host, &good), self.url.clone(), &place, verifier).await
    }

    /// Sends the request over an existing connection. reqwest opens its own connections, so a local port forwards one of them.
    async fn over(&self, client: ClientBuilder, mut stream: BoxConnection, verifier: &Verifier) -> Outcome {
        let listening = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            Ok::<_, io::Error>((listener.local_addr()?, listener))
        };
        let (address, listener) = match listening.await {
            Ok(both) => both,
            Err(error) => return Outcome::NotAsked(format!("couldn't open a local port: {}", plain(&error))),
        };
        let mut url = self.url.clone();
        // A port in the URL would override the port of the address.
        let _ = url.set_port(None);
        let _ = url.set_scheme(if self.is_plain() { "http" } else { "https" });
        let place = format!("no connection to {}", self.host());
        let request = pin!(self.ask(client.resolve(self.host(), address), url, &place, verifier));
        let carried = pin!(async {
            let (mut near, _) = listener.accept().await?;
            match copy_bidirectional(&mut near, &mut stream).await {
                // After a broken pipe, the reading side has the cause.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => stream.read_u8().await.map(drop),
                carried => carried.map(drop),
            }
        });
        // If the connection ends first, the rest of the response is still read.
        match select(request, carried).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((carried, request)) => match (request.await, carried) {
                (Outcome::Answered(answer), _) => Outcome::Answered(answer),
                // The error of a port-forward has the cause.
                (_, Err(error)) if error.kind() == io::ErrorKind::Other => Outcome::NotReached(error.to_string()),
                (outcome, _) => outcome,
            },
        }
    }

    /// `place` is the beginning of the sentence for a failed connection.
    async fn ask(&self, client: ClientBuilder, url: Url, place: &str, verifier: &Verifier) -> Outcome {
        let request = async {
            let client = client.build()?;
            let mut request = match self.body {
                Some(body) => client.post(url).header(CONTENT_TYPE, "application/json").body(body.expose().to_owned()),
                None => client.get(url),
            };
            // Proxies can cache auth_metadata for an hour.
            request = request.header(HOST, self.url.authority()).header(CACHE_CONTROL, "no-cache");
            if self.is_plain() {
                // As an ingress does: without these headers, Synapse and MAS assume that the user's connection has no TLS.
                request = request.header("x-forwarded-proto", "https").header("x-forwarded-for", "127.0.0.1");
            }
            if let Some(token) = self.bearer {
                request = request.bearer_auth(token.expose());
            }
            read(request.send().await?).await
        };
        request.await.unwrap_or_else(|error| self.lost(place, &error, verifier))
    }

    /// The outcome of a failed request.
    fn lost(&self, place: &str, error: &reqwest::Error, verifier: &Verifier) -> Outcome {
        let host = self.host();
        let last = causes(error).last().map(plain).unwrap_or_default();
        if error.is_builder() {
            return Outcome::NotAsked(format!("the request is invalid: {last}"));
        }
        let at_proxy = matches!(self.way, Way::Proxy(_)) && verifier.shown().is_empty();
        match cause::<TlsError>(error).filter(|_| !at_proxy) {
            Some(TlsError::InvalidCertificate(problem)) => {
                let what = complaint(problem, &format!("is not for {host}"));
                return Outcome::NotReached(format!("the certificate of {host} {what}"));
            }
            Some(TlsError::InvalidMessage(_)) if error.is_connect() => {
                return Outcome::NotReached(format!("the server at {host} doesn't support TLS"));
            }
            Some(problem) => return Outcome::NotReached(format!("the TLS handshake with {host} failed: {problem}")),
            None if error.is_connect() => return Outcome::NotReached(format!("{place}: {last}")),
            None => {}
        }
        match (cause::<hyper::Error>(error), cause::<io::Error>(error).map(io::Error::kind)) {
            (Some(problem), _) if problem.is_parse() => {
                Outcome::Unusable(format!("the response of {host} is not valid HTTP: {problem}"))
            }
            (Some(problem), _) if problem.is_incomplete_message() => {
                Outcome::Silent(format!("{host} closed the connection before the end of its response"))
            }
            (_, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) => {
                Outcome::Unusable(format!("the response of {host} ends with invalid data"))
            }
            _ => Outcome::Silent(format!("the connection to {host} was lost")),
        }
    }
}

fn refused(place: &str, reason: &str) -> Outcome {
    Outcome::NotAsked(format!("the address leads to {place}, {reason}; no request was sent"))
}

async fn read(mut response: Response) -> reqwest::Result<Outcome> {
    let header =
        |name| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let mut answer = Reply {
        status: response.status().as_u16(),
        location: header(LOCATION),
        content_type: header(CONTENT_TYPE),
        ..Reply::default()
    };
    while !answer.cut
        && let Some(data) = response.chunk().await?
    {
        let room = LARGEST - answer.body.len();
        answer.body.extend_from_slice(&data[..data.len().min(room)]);
        answer.cut = data.len() > room;
    }
    Ok(Outcome::Answered(answer))
}

#[cfg(test)]
mod tests;
