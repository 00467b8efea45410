use std::path::Path;

use super::{
    stub::{TlsServer, authority, file},
    *,
};
use crate::cluster::{connection::client, kubeconfig::Environment};

fn resolved(server: &TlsServer) -> Resolved {
    let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
    crate::cluster::kubeconfig::resolve(&server.flags(), &environment).expect("resolves")
}

async fn reaches(resolved: &Resolved) -> bool {
    let client = client(resolved, None).expect("set up");
    client.send(http::Request::get("/x").body(kube::client::Body::empty()).expect("request")).await.is_ok()
}

#[tokio::test]
async fn a_pods_authority_is_renewed_while_the_program_runs() {
    let server = TlsServer::start();
    let other = file(&authority().as_ref().pem());
    let mut of_pod = resolved(&server);
    of_pod.authorities_file = Some(other.path().to_owned());
    let client = client(&of_pod, None).expect("set up");
    let get = async || {
        client.send(http::Request::get("/x").body(kube::client::Body::empty()).expect("request")).await.is_ok()
    };
    assert!(!get().await, "the file counts, and its authority signed nothing here");
    std::fs::copy(server.authority.path(), other.path()).expect("renewed");
    assert!(get().await);
    std::fs::write(other.path(), "half of a fi").expect("written");
    assert!(get().await, "what cannot be read leaves the authority of the beginning");
}

#[tokio::test]
async fn without_an_authority_that_of_the_system_decides() {
    let server = TlsServer::start();
    let mut unknown = resolved(&server);
    assert!(reaches(&unknown).await);
    unknown.authorities = None;
    assert!(!reaches(&unknown).await);
    unknown.insecure = true;
    assert!(reaches(&unknown).await);
}

#[test]
fn a_key_without_its_certificate_or_a_damaged_one_is_told_and_not_repeated() {
    let server = TlsServer::start();
    for (certificate, key) in [(None, Some("a2V5")), (Some("Y2VydA=="), None), (Some("%%canary%%"), Some("a2V5"))] {
        let mut damaged = resolved(&server);
        damaged.user.client_certificate_data = certificate.map(str::to_owned);
        damaged.user.client_key_data = key.map(|key| key.to_owned().into());
        let error = client(&damaged, None).err().expect("refused");
        assert!(error.to_string().contains("credentials and certificates"), "{error}");
        assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    }
}

/// With a round trip more wherever the server did not find what it prefers in the first message.
fn handshake_with(group: &'static dyn rustls::crypto::SupportedKxGroup) -> Option<rustls::HandshakeKind> {
    let server = TlsServer::start();
    let provider = CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() };
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server.config.cert_resolver));
    config.send_tls13_tickets = 0;
    let mut theirs = rustls::ServerConnection::new(Arc::new(config)).expect("a server");
    let ours = client_config(&resolved(&server)).expect("a client");
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
fn a_handshake_took_a_round_trip_more_because_go_prefers_another_key_exchange() {
    use rustls::{
        HandshakeKind::{Full, FullWithHelloRetryRequest},
        crypto::aws_lc_rs::kx_group::{SECP384R1, X25519, X25519MLKEM768},
    };
    // Go since 1.24, and before.
    assert_eq!(handshake_with(X25519MLKEM768), Some(Full));
    assert_eq!(handshake_with(X25519), Some(Full));
    // So that the test can fail.
    assert_eq!(handshake_with(SECP384R1), Some(FullWithHelloRetryRequest));
}
