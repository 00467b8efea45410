//! One GET request, one answer, within limits. Redirects are told, not followed; cookies are not kept; nothing is repeated.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use ::http::{HeaderValue, Request, Uri};
use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::dial::{BoxConnection, NamedBy, NoConnection, Way, dial};
use super::secure::Checked;
use super::tls::Roots;
use crate::checks::outside::{Answer, Outcome};
use crate::pki::SecretText;

/// How long one question may take: finding the address, connecting, the handshake, the whole answer.
pub const LIMIT: Duration = Duration::from_secs(4);
/// As much of an answer as anybody reads, in bytes.
pub const LARGEST: usize = 256 * 1000;
/// Headers of one answer.
const MOST_HEADERS: usize = 100;
/// Bytes of all headers together.
const LARGEST_HEAD: usize = 64 * 1024;

/// How to make sure of whom one talks to.
#[derive(Clone)]
pub enum Security {
    /// TLS to whomever: what is presented is told with the answer, and judged by others.
    Witness(Option<Roots>),
    /// TLS to somebody that these roots vouch for; without them nobody is.
    Trusted(Option<Roots>),
    /// None, on a connection that is secured in another way.
    Plain,
}

/// What to ask.
pub struct Ask<'a> {
    /// The address; its host and port are connected to, unless the way says otherwise.
    pub uri: &'a Uri,
    /// How to get there.
    pub way: &'a Way,
    /// Who named the host.
    pub named_by: NamedBy,
    /// TLS.
    pub security: Security,
    /// An access token. Whoever passes a real one asks with [`Security::Trusted`], or over a door.
    pub bearer: Option<&'a SecretText>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The answer, or why there is none.
    pub outcome: Outcome,
    /// The certificates that were presented, in DER, the server's own first.
    pub certificates: Vec<Vec<u8>>,
}

/// How far it came, for what is said when the time is up.
#[derive(Default)]
struct Progress {
    connected: Mutex<bool>,
    checked: Mutex<Option<Arc<Checked>>>,
}

/// Asks.
pub async fn get(ask: Ask<'_>) -> Seen {
    let progress = Progress::default();
    let host = ask.uri.host().unwrap_or_default().to_owned();
    let outcome = match timeout(LIMIT, exchange(&ask, &progress)).await {
        Ok(outcome) => outcome,
        Err(_) if *progress.connected.lock().unwrap_or_else(PoisonError::into_inner) => Outcome::Silent(format!(
            "{host} can be connected to, but does not answer within {} seconds",
            LIMIT.as_secs()
        )),
        Err(_) => Outcome::NotReached(format!("no connection to {host} within {} seconds", LIMIT.as_secs())),
    };
    let checked = progress.checked.into_inner().unwrap_or_else(PoisonError::into_inner);
    Seen { outcome, certificates: checked.map(|checked| checked.certificates()).unwrap_or_default() }
}

async fn exchange(ask: &Ask<'_>, progress: &Progress) -> Outcome {
    let uri = ask.uri;
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(443);
    let stream = match dial(host, port, ask.way, ask.named_by).await {
        Ok(stream) => stream,
        Err(NoConnection::Failed(why)) => return Outcome::NotReached(why),
        Err(NoConnection::Refused(why)) => return Outcome::NotAsked(why),
    };
    let (roots, strict) = match &ask.security {
        Security::Plain => {
            *progress.connected.lock().unwrap_or_else(PoisonError::into_inner) = true;
            return over(ask, host, stream).await;
        }
        Security::Witness(roots) => (roots.as_ref(), false),
        Security::Trusted(roots) => (roots.as_ref(), true),
    };
    let checked = match Checked::new(roots, strict) {
        Ok(checked) => Arc::new(checked),
        Err(why) => return Outcome::NotAsked(why),
    };
    *progress.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&checked));
    match checked.handshake(host, stream).await {
        Ok(stream) => {
            *progress.connected.lock().unwrap_or_else(PoisonError::into_inner) = true;
            over(ask, host, Box::new(stream)).await
        }
        Err(why) => Outcome::NotReached(why),
    }
}

async fn over(ask: &Ask<'_>, host: &str, stream: BoxConnection) -> Outcome {
    let handshake = http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .max_buf_size(LARGEST_HEAD)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = match handshake {
        Ok(both) => both,
        Err(error) => return lost(host, &error),
    };
    let request = match request(ask) {
        Ok(request) => request,
        Err(why) => return Outcome::NotAsked(why),
    };
    let asked = Box::pin(async move {
        match sender.send_request(request).await {
            Ok(response) => read(host, response).await,
            Err(error) => lost(host, &error),
        }
    });
    // The connection ends when the answer does, or before: then what has come of the answer is still read.
    match select(asked, Box::pin(connection)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((_, asked)) => asked.await,
    }
}

fn request(ask: &Ask<'_>) -> Result<Request<Empty<Bytes>>, String> {
    let path = ask.uri.path_and_query().map_or("/", ::http::uri::PathAndQuery::as_str);
    let authority = ask.uri.authority().map(::http::uri::Authority::as_str).unwrap_or_default();
    let mut request = Request::get(path)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("kubectl-ess-mas/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        // Proxies may keep auth_metadata for an hour.
        .header(CACHE_CONTROL, "no-cache");
    if matches!(ask.security, Security::Plain) {
        // What an ingress says: without it, Synapse and MAS take the way to a user for one without TLS.
        request = request.header("x-forwarded-proto", "https").header("x-forwarded-for", "127.0.0.1");
    }
    if let Some(token) = ask.bearer {
        let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut value =
            HeaderValue::from_str(&text).map_err(|_| "the token holds characters that no token has".to_owned())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Empty::new()).map_err(|error| format!("it cannot be asked for: {error}"))
}

async fn read(host: &str, response: ::http::Response<Incoming>) -> Outcome {
    let (parts, mut incoming) = response.into_parts();
    let header = |name| {
        parts.headers.get(name).map(|value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let (mut body, mut cut) = (Vec::new(), false);
    while let Some(frame) = incoming.frame().await {
        let data = match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => data,
            Ok(Err(_trailers)) => continue,
            Err(error) => return lost(host, &error),
        };
        let room = LARGEST - body.len();
        cut = data.len() > room;
        body.extend_from_slice(&data[..data.len().min(room)]);
        if cut {
            break;
        }
    }
    Outcome::Answered(Answer {
        status: parts.status.as_u16(),
        location: header(LOCATION),
        content_type: header(CONTENT_TYPE),
        body,
        cut,
    })
}

/// Why there is no whole answer, although there was a connection.
fn lost(host: &str, error: &hyper::Error) -> Outcome {
    // Its words are its only mark for clients.
    if error.to_string().contains("head is too large") {
        return Outcome::Unusable(format!(
            "{host} sends more than {MOST_HEADERS} headers, or more than {} kB of them",
            LARGEST_HEAD / 1024
        ));
    }
    if error.is_parse() {
        return Outcome::Unusable(format!("what {host} sends is not HTTP"));
    }
    if error.is_incomplete_message() {
        return Outcome::Silent(format!("{host} ends the connection in the middle of its answer"));
    }
    // A port-forward tells why by its own error.
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<io::Error>().map(|own| (own, own.kind())) {
            Some((own, io::ErrorKind::Other)) => return Outcome::NotReached(own.to_string()),
            Some((_, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) => {
                return Outcome::Unusable(format!("{host} breaks off its answer with something that is not HTTP"));
            }
            _ => {}
        }
        cause = inner.source();
    }
    Outcome::Silent(format!("the connection to {host} was lost"))
}

#[cfg(test)]
mod tests;
