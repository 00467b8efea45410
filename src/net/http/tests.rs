//! Connections and limits. `tests/e2e/verify/hostile.rs` tests hostile responses with the whole program.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::net::stub::{head, proxy};
use crate::x509::{CertificateAuthority, HostName, TlsKeyType};

const HOST: &str = "auth.example.com";

/// A TLS server that responds to every request with its head.
async fn serve() -> (SocketAddr, Roots, JoinHandle<()>) {
    let (host, now) = (HostName::parse(HOST).unwrap(), Timestamp::now());
    let ca = CertificateAuthority::create(&host, TlsKeyType::P256, now).unwrap();
    let issued = ca.issue(&host, TlsKeyType::P256, now).unwrap();
    let chain = issued.chain.certificates.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let key = PrivateKeyDer::from_pem_slice(issued.key.pem.expose().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let head = head(&mut stream).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, Roots::of([ca.certificate().der()]).unwrap(), server)
}

async fn ask(way: Way, security: Security) -> Seen {
    let url: Url = format!("https://{HOST}/login?x=1").parse().unwrap();
    send(Ask { url: &url, way: &way, by_redirect: false, security, bearer: None, body: None }).await
}

#[tokio::test]
async fn request_contains_only_required_headers() {
    let (address, roots, server) = serve().await;
    let seen = ask(Way::To(vec![address]), Security::Trusted(Some(roots))).await;
    let Outcome::Answered(answer) = &seen.outcome else { panic!("{seen:?}") };
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.starts_with("GET /login?x=1 HTTP/1.1\r\n"), "{text}");
    let mut names: Vec<&str> =
        text.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "cache-control", "host", "user-agent"]);
    assert!(text.contains("host: auth.example.com\r\n"), "{text}");
    let platform = if cfg!(all(target_os = "linux", target_arch = "x86_64")) { "linux/amd64)\r\n" } else { "" };
    let agent = format!("user-agent: kubectl-ess-mas/{} ({platform}", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&agent), "{text}");
    assert_eq!(seen.certificates.len(), 2);
    let none = ask(Way::To(vec![address]), Security::Trusted(None)).await;
    assert!(matches!(none.outcome, Outcome::NotAsked(_)), "{none:?}");
    server.abort();
}

#[tokio::test]
async fn proxy_gets_only_the_host_and_its_own_credentials() {
    let (address, roots, server) = serve().await;
    for (scheme, wanted) in
        [("http", "CONNECT auth.example.com:443 HTTP/1.1"), ("socks5", "us er p@ss+ auth.example.com:443")]
    {
        let (proxy, asked) = proxy(address, None, false).await;
        let way = Way::Proxy(format!("{scheme}://us%20er:p%40ss+@{proxy}").parse().unwrap());
        let seen = ask(way, Security::Trusted(Some(roots.clone()))).await;
        assert!(matches!(seen.outcome, Outcome::Answered(_)), "{scheme}: {seen:?}");
        let asked = asked.await.unwrap();
        assert!(asked.starts_with(wanted), "{asked}");
        if scheme == "http" {
            let basic = STANDARD.encode("us er:p@ss+");
            assert!(
                asked
                    .to_ascii_lowercase()
                    .contains(&format!("proxy-authorization: basic {}", basic.to_ascii_lowercase())),
                "{asked}"
            );
        }
    }
    let (proxy, asked) = proxy(address, None, true).await;
    let seen =
        ask(Way::Proxy(format!("http://user:canary@{proxy}").parse().unwrap()), Security::Trusted(Some(roots))).await;
    let Outcome::NotReached(why) = &seen.outcome else { panic!("{seen:?}") };
    assert!(why.contains("proxy") && !why.contains("canary"), "{why}");
    asked.await.unwrap();
    server.abort();
}

#[tokio::test]
async fn redirect_to_a_reserved_address_is_refused_with_a_proxy_too() {
    let url: Url = "https://169.254.169.254/latest".parse().unwrap();
    let way = Way::Proxy("http://127.0.0.1:9".parse().unwrap());
    let seen =
        send(Ask { url: &url, way: &way, by_redirect: true, security: Security::Plain, bearer: None, body: None })
            .await;
    assert!(matches!(&seen.outcome, Outcome::NotAsked(why) if why.contains("no request was sent")), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn silent_server_times_out() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let began = tokio::time::Instant::now();
    let seen = ask(Way::To(vec![address]), Security::Witness).await;
    assert!(began.elapsed() <= LIMIT + Duration::from_millis(50), "{:?}", began.elapsed());
    assert!(matches!(seen.outcome, Outcome::NotReached(_)), "{seen:?}");
}

/// The end of a port-forward that the other side refuses: writes fail, and a read returns the reason.
#[derive(Default)]
struct Refusing {
    refused: bool,
}

impl AsyncRead for Refusing {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.refused { Poll::Ready(Err(io::Error::other("nothing listens on 8080"))) } else { Poll::Pending }
    }
}

impl AsyncWrite for Refusing {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        self.refused = true;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn error_of_a_port_forward_is_reported_even_if_a_write_fails_first() {
    let way = Way::Through(Arc::new(|| Box::pin(async { Ok(Box::<Refusing>::default() as BoxConnection) })));
    let seen = ask(way, Security::Plain).await;
    assert!(matches!(&seen.outcome, Outcome::NotReached(why) if why.contains("8080")), "{seen:?}");
}
