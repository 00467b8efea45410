//! One request, one answer, within limits. Redirects are told, not followed; cookies are not kept; nothing is repeated.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION};
use reqwest::{Client, ClientBuilder, Proxy, RequestBuilder, Response, Url, redirect};
use rustls::{ClientConfig, Error as TlsError};
use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::dial::{BoxConnection, Way, addresses, bare, reserved, reserved_host};
use super::tls::{Need, Roots, Verifier};
use crate::answers::http::{Outcome, Reply};
use crate::connection_failure::{cause, causes, complaint, plain};
use crate::secrets::SecretText;

/// How long one question may take: finding the address, connecting, the handshake, the whole answer.
pub const LIMIT: Duration = Duration::from_secs(4);
/// As much of an answer as anybody reads, in bytes. Of its head, hyper reads 100 headers and 400 kB.
pub const LARGEST: usize = 256 * 1000;

/// How to make sure of whom one talks to.
#[derive(Clone)]
pub enum Security {
    /// TLS to whomever: what is presented is told with the answer, and judged by others.
    Witness,
    /// TLS to somebody that these roots vouch for; without them nobody is.
    Trusted(Option<Roots>),
    /// None, on a connection that is secured in another way.
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The person or the spec: any address will do.
    Spec,
    /// Another server's answer: this machine and its link are refused.
    Server,
}

pub struct Ask<'a> {
    /// Its host and port are connected to, unless the way says otherwise.
    pub url: &'a Url,
    pub way: &'a Way,
    pub named_by: NamedBy,
    pub security: Security,
    /// An access token. Whoever passes a real one asks with [`Security::Trusted`], or over a door.
    pub bearer: Option<&'a SecretText>,
    /// JSON to be sent with POST; without it the request is a GET. For one that holds a secret the same holds as for a token.
    pub body: Option<&'a SecretText>,
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub outcome: Outcome,
    /// The certificates that were presented, in DER, the server's own first.
    pub certificates: Vec<Vec<u8>>,
}

impl Seen {
    pub fn only(outcome: Outcome) -> Self {
        Self { outcome, certificates: Vec::new() }
    }
}

pub async fn send(ask: Ask<'_>) -> Seen {
    let (roots, need) = match &ask.security {
        Security::Witness | Security::Plain => (None, Need::Nothing),
        Security::Trusted(roots) => (roots.as_ref(), Need::Name),
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
            "{host} can be connected to, but does not answer within {} seconds",
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
        // Where the person said which address to take, that counts.
        let by_server = self.named_by == NamedBy::Server && matches!(self.way, Way::Direct | Way::Proxy(_));
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
                let place = format!("no way through the proxy {}", proxy.host().unwrap_or_default());
                // Names are the proxy's to resolve, as Go has it.
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
        // Exactly the addresses that were looked at: a second look-up could tell another one.
        let reason = |address: &SocketAddr| reserved(address.ip()).filter(|_| by_server);
        let good: Vec<SocketAddr> = addresses.iter().filter(|one| reason(one).is_none()).copied().collect();
        if let (true, Some(reason)) = (good.is_empty(), addresses.first().and_then(reason)) {
            return refused(&format!("{host} ({})", addresses[0].ip()), reason);
        }
        let all: Vec<String> = good.iter().map(SocketAddr::to_string).collect();
        let place = format!("nothing answers at {}", all.join(", "));
        self.ask(client.resolve_to_addrs(host, &good), self.url.clone(), &place, verifier).await
    }

    /// reqwest opens its connections itself: a port of this machine stands for the one that there is, and is good for one.
    async fn over(&self, client: ClientBuilder, mut stream: BoxConnection, verifier: &Verifier) -> Outcome {
        let listening = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            Ok::<_, io::Error>((listener.local_addr()?, listener))
        };
        let (address, listener) = match listening.await {
            Ok(both) => both,
            Err(error) => return Outcome::NotAsked(format!("no port of this machine is free: {}", plain(&error))),
        };
        let mut url = self.url.clone();
        // A port in it would count for more than the address's.
        let _ = url.set_port(None);
        let _ = url.set_scheme(if self.is_plain() { "http" } else { "https" });
        let place = format!("no connection to {}", self.host());
        let asked = pin!(self.ask(client.resolve(self.host(), address), url, &place, verifier));
        let carried = pin!(async {
            let (mut near, _) = listener.accept().await?;
            match copy_bidirectional(&mut near, &mut stream).await {
                // What can no longer be written to has said why, if it has, to whoever reads.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => stream.read_u8().await.map(drop),
                carried => carried.map(drop),
            }
        });
        // The connection ends when the answer does, or before: then what has come of the answer is still read.
        match select(asked, carried).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((carried, asked)) => match (asked.await, carried) {
                (Outcome::Answered(answer), _) => Outcome::Answered(answer),
                // A port-forward tells why by its own error.
                (_, Err(error)) if error.kind() == io::ErrorKind::Other => Outcome::NotReached(error.to_string()),
                (outcome, _) => outcome,
            },
        }
    }

    /// `place` begins the sentence where no connection comes about.
    async fn ask(&self, client: ClientBuilder, url: Url, place: &str, verifier: &Verifier) -> Outcome {
        let asked = async {
            let client = client.build()?;
            let request = match self.body {
                Some(body) => client.post(url).header(CONTENT_TYPE, "application/json").body(body.expose().to_owned()),
                None => client.get(url),
            };
            read(self.request(request).send().await?).await
        };
        asked.await.unwrap_or_else(|error| self.lost(place, &error, verifier))
    }

    fn request(&self, request: RequestBuilder) -> RequestBuilder {
        // Proxies may keep auth_metadata for an hour.
        let mut request = request.header(HOST, self.url.authority()).header(CACHE_CONTROL, "no-cache");
        if self.is_plain() {
            // What an ingress says: without it, Synapse and MAS take the way to a user for one without TLS.
            request = request.header("x-forwarded-proto", "https").header("x-forwarded-for", "127.0.0.1");
        }
        match self.bearer {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// Why there is no whole answer.
    fn lost(&self, place: &str, error: &reqwest::Error, verifier: &Verifier) -> Outcome {
        let host = self.host();
        let last = causes(error).last().map(plain).unwrap_or_default();
        if error.is_builder() {
            return Outcome::NotAsked(format!("it cannot be asked for: {last}"));
        }
        let at_proxy = matches!(self.way, Way::Proxy(_)) && verifier.shown().is_empty();
        match cause::<TlsError>(error).filter(|_| !at_proxy) {
            Some(TlsError::InvalidCertificate(problem)) => {
                return Outcome::NotReached(format!(
                    "the certificate of {host} {}",
                    complaint(problem, &format!("is not for {host}"))
                ));
            }
            Some(TlsError::InvalidMessage(_)) if error.is_connect() => {
                return Outcome::NotReached(format!("what answers at {host} does not speak TLS"));
            }
            Some(problem) => return Outcome::NotReached(format!("no TLS with {host}: {problem}")),
            None if error.is_connect() => return Outcome::NotReached(format!("{place}: {last}")),
            None => {}
        }
        match (cause::<hyper::Error>(error), cause::<io::Error>(error).map(io::Error::kind)) {
            (Some(problem), _) if problem.is_parse() => {
                Outcome::Unusable(format!("what {host} sends cannot be read as HTTP: {problem}"))
            }
            (Some(problem), _) if problem.is_incomplete_message() => {
                Outcome::Silent(format!("{host} ends the connection in the middle of its answer"))
            }
            (_, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) => {
                Outcome::Unusable(format!("{host} breaks off its answer with something that is not HTTP"))
            }
            _ => Outcome::Silent(format!("the connection to {host} was lost")),
        }
    }
}

fn refused(place: &str, reason: &str) -> Outcome {
    Outcome::NotAsked(format!("it leads to {place}, {reason}; nothing was sent there"))
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
    while let Some(data) = response.chunk().await? {
        let room = LARGEST - answer.body.len();
        answer.body.extend_from_slice(&data[..data.len().min(room)]);
        answer.cut = data.len() > room;
        if answer.cut {
            break;
        }
    }
    Ok(Outcome::Answered(answer))
}

#[cfg(test)]
mod tests;
