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
    for (certificate, key) in [(Some("Y2VydA=="), None), (Some("%%canary%%"), Some("a2V5"))] {
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

/// `openssl x509 -req` without an extension makes version 1, which many instructions for a user of Kubernetes end with.
const VERSION_1: &str = "-----BEGIN CERTIFICATE-----
MIIBGTCBwQIUegSsCvKMVFGCfN81JWO9tgLsgbcwCgYIKoZIzj0EAwIwDzENMAsG
A1UEAwwEamFuZTAgFw0yNjExMjUwNDA3MjVaGA8yMTI2MTEwMTA0MDcyNVowDzEN
MAsGA1UEAwwEamFuZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGcgMgprjkHw
8VQOCnly8R4lI+ko6kwWQZ0elIAF3R31I86zcPBHuHYgW3f16XkRkaqS3mmL7xkj
0BQ4DTvYuaMwCgYIKoZIzj0EAwIDRwAwRAIgCzDdJk9oMD1UtDy6Aq7xcdUJ/Ywm
3M1WtueMyR76lzACIHVxNXwKMf4dH7EROy9KdBNe0bcixP6U6OZm7hiqA54L
-----END CERTIFICATE-----
";
/// Its key, which opens nothing.
const KEY_OF_VERSION_1: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyywKv5MUCTKKyjJK
rm8AxTY5DijKNoXNmj9QOrUgeH+hRANCAARnIDIKa45B8PFUDgp5cvEeJSPpKOpM
FkGdHpSABd0d9SPOs3DwR7h2IFt39el5EZGqkt5pi+8ZI9AUOA072Lmj
-----END PRIVATE KEY-----
";

fn base64(pem: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(pem)
}

#[tokio::test]
async fn a_client_certificate_of_version_1_was_called_damaged() {
    let server = TlsServer::start();
    let mut old = resolved(&server);
    old.user.client_certificate_data = Some(base64(VERSION_1));
    old.user.client_key_data = Some(base64(KEY_OF_VERSION_1).into());
    assert!(reaches(&old).await);
    // A key of somebody else's is still told.
    let other = rcgen::KeyPair::generate().expect("key");
    let good = rcgen::CertificateParams::default().self_signed(&rcgen::KeyPair::generate().expect("key")).expect("one");
    old.user.client_certificate_data = Some(base64(&good.pem()));
    old.user.client_key_data = Some(base64(&other.serialize_pem()).into());
    assert!(client(&old, None).is_err());
    // And one without a certificate is not missed.
    old.user.client_certificate_data = None;
    assert!(reaches(&old).await);
}

/// A server with this certificate, whatever anybody thinks of it.
fn serving(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsServer {
    let provider = aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(key).expect("a key");
    TlsServer::with(Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key))))
}

#[tokio::test]
async fn whoever_wants_no_verification_gets_to_a_server_with_a_certificate_of_version_1() {
    let certificate = CertificateDer::from_pem_slice(VERSION_1.as_bytes()).expect("a certificate");
    let server = serving(certificate, PrivateKeyDer::from_pem_slice(KEY_OF_VERSION_1.as_bytes()).expect("a key"));
    let mut old = resolved(&server);
    assert!(!reaches(&old).await);
    (old.authorities, old.insecure) = (None, true);
    assert!(reaches(&old).await);
}

#[tokio::test]
async fn a_server_that_is_its_own_authority_is_good_for_its_name_and_its_time() {
    let make = |name: &str, last_year: i32| {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        (certificate, PrivateKeyDer::try_from(key.serialize_der()).expect("a key"))
    };
    for (name, last_year, good) in
        [("localhost", 2099, true), ("other.example", 2099, false), ("localhost", 2020, false)]
    {
        let (certificate, key) = make(name, last_year);
        let server = serving(certificate.clone(), key);
        let mut itself = resolved(&server);
        itself.authorities = Some(vec![certificate.to_vec()]);
        assert_eq!(reaches(&itself).await, good, "{name} until {last_year}");
    }
}

#[test]
fn an_authority_that_cannot_be_used_is_not_taken_for_a_damaged_client_certificate() {
    let mut resolved = resolved(&TlsServer::start());
    resolved.authorities = Some(vec![b"nothing".to_vec()]);
    let error = client(&resolved, None).err().expect("refused").to_string();
    assert!(error.contains("no certificate authority"), "{error}");
}

#[tokio::test]
async fn what_is_broken_in_a_bundle_of_authorities_is_passed_over() {
    let server = TlsServer::start();
    let good = std::fs::read_to_string(server.authority.path()).expect("read");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n";
    std::fs::write(server.authority.path(), format!("{broken}{good}")).expect("written");
    assert!(reaches(&resolved(&server)).await);
}
