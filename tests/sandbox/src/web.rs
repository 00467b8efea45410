//! A web server for any number of hosts, with recorded responses of real programs, or with faulty ones. It records requests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::Result;
use crate::chains::Chain;
use crate::control_plane::pki::Authority;

/// A response.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, headers and a body.
    Whole(u16, Vec<(String, String)>, Vec<u8>),
    /// An endless body.
    Endless,
    /// This many headers.
    Headers(usize),
    /// A slow endless body.
    Drip,
    /// No response.
    Silence,
    /// Bytes that are not HTTP.
    Noise,
    /// A valid head, then the end of the connection within the body.
    CutOff,
    /// These bytes, and the end.
    Raw(Vec<u8>),
    /// A valid head, a part of the body, then the end without TLS's `close_notify`.
    Torn,
    /// Endless slow headers.
    DripHeaders,
    /// Endless "100 Continue".
    Continue,
    /// An endless body in chunks of one byte.
    EndlessChunks,
    /// Forwarded to a program on this local port.
    Behind(u16),
    /// The first if the request contains a text, else the second.
    IfBody(String, Box<Reply>, Box<Reply>),
    /// One after the other; the last one repeats.
    InTurn(Vec<Reply>),
}

impl Reply {
    /// With a JSON document.
    pub fn json(status: u16, document: &serde_json::Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Whole(status, headers, document.to_string().into_bytes())
    }

    /// With a web page.
    pub fn page(status: u16, html: &str) -> Self {
        Self::Whole(status, vec![("content-type".to_owned(), "text/html".to_owned())], html.as_bytes().to_vec())
    }

    /// A redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::Whole(status, vec![("location".to_owned(), location.to_owned())], Vec::new())
    }

    /// A recorded response, such as `dry-run-done/mas-discovery`.
    pub fn recorded(folder: &Path, name: &str) -> Self {
        let path = folder.join(format!("{name}.txt"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (_, answer) = text.split_once("\n\nHTTP/1.1 ").expect("an answer");
        let (head, body) = answer.split_once("\n\n").expect("a body");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').next()?.parse().ok()).expect("a status");
        // Length and encoding of the original don't apply to the recording.
        let kept = |name: &str| !["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str());
        let headers = lines.filter_map(|line| line.split_once(": ")).filter(|(name, _)| kept(name));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::Whole(status, headers, body.trim_end().as_bytes().to_vec())
    }
}

/// A received request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Header `Host`.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// The whole head.
    pub head: String,
}

impl Visit {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

#[derive(Default)]
struct State {
    replies: BTreeMap<(String, String), Reply>,
    behind: BTreeMap<String, u16>,
    visits: Vec<Visit>,
    connections: usize,
}

/// The server, on a local port. Stops when dropped.
pub struct Web {
    port: u16,
    authority: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Web {
    /// With a certificate for these hosts from its own CA.
    pub async fn start(hosts: &[&str]) -> Result<Self> {
        let authority = Authority::new()?;
        let own = authority.for_hosts(hosts)?;
        Self::secured(authority.certificate().to_owned(), &own.certificate, &own.key).await
    }

    /// With a valid or invalid certificate chain for these hosts.
    pub async fn presenting(hosts: &[&str], chain: Chain) -> Result<Self> {
        let made = chain.make(hosts)?;
        Self::secured(made.authority, &made.certificates, &made.key).await
    }

    async fn secured(authority: String, certificates: &str, key: &str) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificates =
            CertificateDer::pem_slice_iter(certificates.as_bytes()).collect::<std::result::Result<_, _>>();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates?, PrivateKeyDer::from_pem_slice(key.as_bytes())?)?;
        Self::serve(authority, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    /// Without TLS, like pods behind an Ingress.
    pub async fn plain() -> Result<Self> {
        Self::serve(String::new(), None).await
    }

    async fn serve(authority: String, acceptor: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            // Closes the connections with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                lock(&shared).connections += 1;
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                let _ = converse(stream, &shared).await;
                            }
                        }
                        None => {
                            let _ = converse(stream, &shared).await;
                        }
                    }
                });
            }
        });
        Ok(Self { port, authority, state, task })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The CA's certificate in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sets the response for a path of a host, with any query. Other paths get 404.
    pub fn answer(&self, host: &str, path: &str, reply: Reply) {
        lock(&self.state).replies.insert((host.to_owned(), path.to_owned()), reply);
    }

    /// Forwards all other paths of this host to a program on a local port, without TLS.
    pub fn lead(&self, host: &str, port: u16) {
        lock(&self.state).behind.insert(host.to_owned(), port);
    }

    /// The number of connections, with or without requests.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }

    /// A proxy that forwards every CONNECT to this server.
    pub async fn proxy(&self) -> Result<WebProxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (port, to) = (listener.local_addr()?.port(), self.port);
        let targets = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&targets);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                connections.spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await?);
                    }
                    let target = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(target);
                    let mut onward = TcpStream::connect(("127.0.0.1", to)).await?;
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                    tokio::io::copy_bidirectional(&mut stream, &mut onward).await
                });
            }
        });
        Ok(WebProxy { port, targets, task })
    }

    /// All requests so far.
    pub fn visits(&self) -> Vec<Visit> {
        lock(&self.state).visits.clone()
    }

    /// A `--resolve` flag for each host.
    pub fn resolve(&self, hosts: &[&str]) -> String {
        let flags: Vec<String> =
            hosts.iter().map(|host| format!(" --resolve {host}:{}:127.0.0.1", self.port)).collect();
        flags.concat()
    }
}

/// A proxy in front of a [`Web`]. Stops when dropped.
pub struct WebProxy {
    port: u16,
    targets: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl WebProxy {
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The `HOST:PORT` of every CONNECT.
    pub fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for WebProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ignores the poison of a failed test.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, state: &Mutex<State>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 64 * 1024 {
            return Ok(());
        }
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut visit = Visit { host: String::new(), path, head };
    visit.host = visit.header("host").unwrap_or_default().to_owned();
    // A client may send everything before it reads.
    let length = visit.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; usize::min(length, 64 * 1024)];
    stream.read_exact(&mut body).await?;
    let request = [visit.head.as_bytes(), &body].concat();
    let mut reply = {
        let mut state = lock(state);
        let bare = visit.path.split('?').next().unwrap_or_default().to_owned();
        let key = (visit.host.split(':').next().unwrap_or_default().to_owned(), bare);
        state.visits.push(visit);
        let behind = state.behind.get(&key.0).copied();
        match state.replies.get_mut(&key) {
            Some(Reply::InTurn(replies)) if replies.len() > 1 => replies.remove(0),
            Some(Reply::InTurn(replies)) => replies.first().cloned().unwrap_or(Reply::Silence),
            Some(reply) => reply.clone(),
            None => match behind {
                Some(port) => Reply::Behind(port),
                None => Reply::page(404, "<html><title>404 Not Found</title><center>nginx</center></html>"),
            },
        }
    };
    while let Reply::IfBody(text, yes, no) = reply {
        reply = if String::from_utf8_lossy(&request).contains(&text) { *yes } else { *no };
    }
    match reply {
        Reply::Behind(port) => pass_on(&mut stream, port, &request).await,
        reply => write(&mut stream, &reply).await,
    }
}

/// One request to a program with plain HTTP, like an Ingress.
async fn pass_on<S: AsyncWrite + Unpin>(stream: &mut S, port: u16, request: &[u8]) -> std::io::Result<()> {
    let mut onward = TcpStream::connect(("127.0.0.1", port)).await?;
    let (line, rest) = request.split_at(request.iter().position(|byte| *byte == b'\n').unwrap_or_default() + 1);
    onward.write_all(line).await?;
    onward.write_all(b"connection: close\r\nx-forwarded-proto: https\r\nx-forwarded-for: 127.0.0.1\r\n").await?;
    onward.write_all(rest).await?;
    tokio::io::copy(&mut onward, stream).await?;
    stream.flush().await?;
    stream.shutdown().await
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, reply: &Reply) -> std::io::Result<()> {
    match reply {
        Reply::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.extend([name, ": ", value, "\r\n"]);
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"issuer\": \"").await?;
            loop {
                stream.write_all(&[b'x'; 8192]).await?;
            }
        }
        Reply::Headers(count) => {
            let headers: Vec<String> = (0..*count).map(|number| format!("x-{number}: y\r\n")).collect();
            let headers = headers.concat();
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\n{{}}").as_bytes()).await?;
        }
        Reply::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Reply::Raw(bytes) => stream.write_all(bytes).await?,
        Reply::Torn => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"issuer\":").await?;
            return stream.flush().await;
        }
        Reply::DripHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x-more: y\r\n").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Reply::Continue => loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        },
        Reply::EndlessChunks => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(&b"1\r\n{\r\n".repeat(1000)).await?;
            }
        }
        Reply::Silence | Reply::InTurn(_) | Reply::Behind(_) | Reply::IfBody(..) => {
            std::future::pending::<()>().await;
        }
        Reply::Noise => stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\x00\x01\x02\r\n\r\n").await?,
        Reply::CutOff => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"issuer\":").await?,
    }
    stream.flush().await?;
    stream.shutdown().await
}
