mod trust;

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::x509::{CertificateAuthority, IssuedCertificate, TlsKeyType};

const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn host() -> HostName {
    HostName::parse("auth.example.com").unwrap()
}

fn issue() -> (CertificateAuthority, IssuedCertificate) {
    let now = Timestamp::now();
    let ca = CertificateAuthority::create(&host(), TlsKeyType::P256, now).unwrap();
    let issued = ca.issue(&host(), TlsKeyType::P256, now).unwrap();
    (ca, issued)
}

/// A TLS server for one connection; it returns what the client sent after the handshake.
async fn serve(issued: &IssuedCertificate) -> (u16, tokio::task::JoinHandle<(Option<String>, Vec<u8>)>) {
    let chain = issued.chain.certificates.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let key = PrivateKeyDer::from_pem_slice(issued.key.pem.expose().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        let mut sent = Vec::new();
        // A client that only closes the connection is treated like one that sends `close_notify` first.
        let _ = stream.read_to_end(&mut sent).await;
        (name, sent)
    });
    (port, server)
}

#[tokio::test]
async fn presented_chain_is_returned_and_no_data_is_sent() {
    let (ca, issued) = issue();
    let (port, server) = serve(&issued).await;
    let seen = presented(&host(), port, Some(LOCAL)).await.unwrap();
    let wanted: Vec<Vec<u8>> = issued.chain.certificates.iter().map(|one| one.der().to_vec()).collect();
    assert_eq!(seen.certificates, wanted);
    assert_eq!(seen.address, SocketAddr::new(LOCAL, port));
    let (name, sent) = server.await.unwrap();
    assert_eq!(name.as_deref(), Some("auth.example.com"));
    assert!(sent.is_empty(), "{} bytes were sent after the handshake", sent.len());

    let now = Timestamp::now();
    let roots = |ca: &CertificateAuthority| Roots::of([ca.certificate().der()]).unwrap();
    assert_eq!(roots(&ca).judge(&seen.certificates, &host(), now), Trust::Trusted);
    let (other, _) = issue();
    assert_eq!(roots(&other).judge(&seen.certificates, &host(), now), Trust::UnknownIssuer);
    let elsewhere = HostName::parse("mas.example.com").unwrap();
    assert!(matches!(roots(&ca).judge(&seen.certificates, &elsewhere, now), Trust::Refused(_)));
    assert!(Roots::of([&b"no certificate"[..]]).is_none());
}

#[tokio::test]
async fn unreachable_servers_and_failed_handshakes_are_distinguished() {
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = presented(&host(), port, Some(LOCAL)).await.unwrap_err();
    assert!(matches!(error, ProbeError::NoHandshake(..)), "{error}");
    plain.await.unwrap();
    let error = presented(&host(), port, Some(LOCAL)).await.unwrap_err();
    assert!(matches!(error, ProbeError::NotReached(_)), "{error}");
    assert!(!error.to_string().contains("os error"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silent_server_times_out() {
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let began = tokio::time::Instant::now();
    let error = presented(&host(), port, Some(LOCAL)).await.unwrap_err();
    assert!(began.elapsed() < LIMIT + Duration::from_millis(100), "{:?}", began.elapsed());
    assert!(matches!(error, ProbeError::NotReached(_)), "{error}");
    assert_eq!(error.to_string(), format!("127.0.0.1:{port} doesn't respond within 5 seconds"));
    drop(listener);
}
