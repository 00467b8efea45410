use std::{net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::cluster::ConnectionFlags;
use crate::cluster::client::connection::stub::TlsServer;
use crate::cluster::config::resolve::resolve_in;
use crate::cluster::stub::{Step, Stub};
use crate::net::stub::proxy;

fn direct(flags: &ConnectionFlags) -> Resolved {
    resolve_in(flags, &|_| None).expect("resolves")
}

fn resolved(flags: &ConnectionFlags, way: &str) -> Resolved {
    Resolved { proxy: Some(way.parse().expect("an address")), ..direct(flags) }
}

async fn get(resolved: &Resolved) -> Result<(), kube::Error> {
    let client = client(resolved, &resolved.user, Some(Duration::from_secs(5))).expect("set up");
    client.send(Request::get("/x").body(Body::empty()).expect("request")).await.map(drop)
}

async fn plain() -> SocketAddr {
    let stub = Stub::with_steps(vec![Step::json(200, &json!({}))]).await;
    stub.address.trim_start_matches("http://").parse().expect("address")
}

fn to(server: &str) -> ConnectionFlags {
    ConnectionFlags { server: Some(server.to_owned()), ..ConnectionFlags::default() }
}

#[tokio::test]
async fn a_proxy_gets_its_own_user_and_the_servers_name_with_a_port() {
    for (scheme, wanted) in [("http", "CONNECT k8s.example:80 HTTP/1.1"), ("socks5", "us er p@ss+ k8s.example:80")] {
        let (place, asked) = proxy(plain().await, None, false).await;
        let resolved = resolved(&to("http://k8s.example"), &format!("{scheme}://us%20er:p%40ss+@{place}"));
        get(&resolved).await.expect("answered");
        // Reports when the client closes the connection.
        let asked = timeout(Duration::from_secs(10), asked).await.expect("in time").expect("it works");
        assert!(asked.starts_with(wanted), "{asked}");
        // "us er:p@ss+" in Base64.
        assert!(scheme == "socks5" || asked.contains("Basic dXMgZXI6cEBzcys="), "{asked}");
    }
}

#[tokio::test]
async fn a_tls_proxy_is_verified_with_the_servers_authority() {
    let server = TlsServer::start();
    let acceptor = TlsAcceptor::from(Arc::clone(&server.config));
    let target = server.address.trim_start_matches("https://localhost:");
    let target = SocketAddr::from(([127, 0, 0, 1], target.parse().expect("port")));
    let (place, _) = proxy(target, Some(acceptor), false).await;
    let way = format!("https://localhost:{}", place.port());
    get(&resolved(&server.flags(), &way)).await.expect("answered");
    let strangers = TlsServer::start();
    let (place, _) = proxy(target, Some(TlsAcceptor::from(Arc::clone(&strangers.config))), false).await;
    let way = format!("https://localhost:{}", place.port());
    let error = get(&resolved(&server.flags(), &way)).await.expect_err("untrusted");
    let error = crate::cluster::errors::sorted(error).to_string();
    assert!(error.contains("at the proxy, its certificate"), "{error}");
}

#[tokio::test]
async fn an_unreachable_proxy_is_reported_as_refused() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address");
    for scheme in ["http", "socks5"] {
        let error =
            get(&resolved(&to("http://k8s.example"), &format!("{scheme}://{nobody}"))).await.expect_err("refused");
        let error = crate::cluster::errors::sorted(error).to_string();
        assert!(error.contains("at the proxy, the connection was refused"), "{scheme}: {error}");
    }
}

#[tokio::test]
async fn a_tls_proxy_is_verified_with_its_own_name() {
    let server = TlsServer::start();
    let target = server.address.trim_start_matches("https://localhost:");
    let target = SocketAddr::from(([127, 0, 0, 1], target.parse().expect("port")));
    let (place, _) = proxy(target, Some(TlsAcceptor::from(Arc::clone(&server.config))), false).await;
    let address = format!("https://k8s.example:{}", target.port());
    let named =
        ConnectionFlags { server: Some(address), tls_server_name: Some("localhost".to_owned()), ..server.flags() };
    get(&resolved(&named, &format!("https://localhost:{}", place.port()))).await.expect("answered");
}

#[tokio::test]
async fn without_an_authority_the_systems_is_used() {
    let server = TlsServer::start();
    let mut unknown = direct(&server.flags());
    assert!(get(&unknown).await.is_ok());
    unknown.config.root_cert = None;
    assert!(get(&unknown).await.is_err());
    unknown.config.accept_invalid_certs = true;
    assert!(get(&unknown).await.is_ok());
}

#[tokio::test]
async fn a_damaged_certificate_or_a_missing_key_is_reported_without_its_content() {
    let server = TlsServer::start();
    let key = || rcgen::KeyPair::generate().expect("key");
    let good = rcgen::CertificateParams::default().self_signed(&key()).expect("one").pem();
    for (certificate, key, wanted) in [
        ("Y2VydA==", None, "has no key"),
        ("%%canary%%", Some("a2V5".to_owned()), "not valid Base64"),
        ("Y2VydA==", Some("a2V5".to_owned()), "credentials and certificates"),
        (&STANDARD.encode(&good), Some(STANDARD.encode(key().serialize_pem())), "credentials and certificates"),
    ] {
        let mut damaged = direct(&server.flags());
        damaged.user.client_certificate_data = Some(certificate.to_owned());
        damaged.user.client_key_data = key.map(Into::into);
        let error = client(&damaged, &damaged.user, None).err().expect("refused");
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    }
}

#[test]
fn an_unusable_authority_is_not_reported_as_a_damaged_client_certificate() {
    let mut resolved = direct(&TlsServer::start().flags());
    resolved.config.root_cert = Some(vec![b"nothing".to_vec()]);
    let error = client(&resolved, &resolved.user, None).err().expect("refused").to_string();
    assert!(error.contains("no certificate authority"), "{error}");
}

/// Counts another round trip if the first message lacks the preferred key exchange of the server.
fn handshake_with(group: &'static dyn rustls::crypto::SupportedKxGroup) -> Option<rustls::HandshakeKind> {
    let server = TlsServer::start();
    let provider =
        rustls::crypto::CryptoProvider { kx_groups: vec![group], ..rustls::crypto::aws_lc_rs::default_provider() };
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server.config.cert_resolver));
    config.send_tls13_tickets = 0;
    let mut theirs = rustls::ServerConnection::new(Arc::new(config)).expect("a server");
    let ours = direct(&server.flags()).config.rustls_client_config().expect("a client");
    let mut ours =
        rustls::ClientConnection::new(Arc::new(ours), "localhost".try_into().expect("a name")).expect("a client");
    while ours.is_handshaking() || theirs.is_handshaking() {
        let mut flight = Vec::new();
        while ours.wants_write() {
            ours.write_tls(&mut flight).expect("written");
        }
        theirs.read_tls(&mut &*flight).expect("read");
        theirs.process_new_packets().expect("understood");
        let mut flight = Vec::new();
        while theirs.wants_write() {
            theirs.write_tls(&mut flight).expect("written");
        }
        ours.read_tls(&mut &*flight).expect("read");
        ours.process_new_packets().expect("understood");
    }
    ours.handshake_kind()
}

#[test]
fn handshake_with_a_go_server_needs_no_extra_round_trip() {
    use rustls::{
        HandshakeKind::{Full, FullWithHelloRetryRequest},
        crypto::aws_lc_rs::kx_group::{SECP384R1, X25519, X25519MLKEM768},
    };
    // Go since 1.24, and before.
    assert_eq!(handshake_with(X25519MLKEM768), Some(Full));
    assert_eq!(handshake_with(X25519), Some(Full));
    // Proves that the test can fail.
    assert_eq!(handshake_with(SECP384R1), Some(FullWithHelloRetryRequest));
}
