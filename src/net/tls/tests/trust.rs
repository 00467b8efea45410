use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// Presents this certificate and signs with this key, even if they don't match.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

async fn meet(
    shown: &rcgen::Certificate,
    key: &rcgen::KeyPair,
    version: &'static rustls::SupportedProtocolVersion,
) -> bool {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let signing = provider.key_provider.load_private_key(private).unwrap();
    let pair = CertifiedKey::new(vec![shown.der().clone()], signing);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(pair))));
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = TlsAcceptor::from(Arc::new(config)).accept(theirs);
    let (verifier, config) = Verifier::client(None, Mode::Nothing, None).unwrap();
    let name = ServerName::try_from("auth.example.com").unwrap();
    let (client, _) = tokio::join!(TlsConnector::from(Arc::new(config)).connect(name, ours), server);
    assert_eq!(verifier.shown(), [shown.der().to_vec()], "it is kept, whatever comes of it");
    client.is_ok()
}

#[tokio::test]
async fn server_without_the_certificates_key_is_always_refused() {
    let (own, other) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    let shown = rcgen::CertificateParams::new(["auth.example.com".to_owned()]).unwrap().self_signed(&own).unwrap();
    for version in [&TLS12, &TLS13] {
        assert!(meet(&shown, &own, version).await, "{version:?}: the key belongs to it");
        assert!(!meet(&shown, &other, version).await, "{version:?}: the key is another one");
    }
}

#[test]
fn certificate_of_an_https_proxy_is_not_the_servers() {
    // If the system has no CAs, no data is sent to such a proxy.
    let Ok((verifier, _)) = Verifier::client(None, Mode::Nothing, Some("proxy.example.com")) else { return };
    let made = rcgen::generate_simple_self_signed(["proxy.example.com".to_owned()]).unwrap();
    let shown_for = |name: &'static str| {
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(made.cert.der(), &[], &name, &[], UnixTime::now()).is_ok()
    };
    assert!(!shown_for("proxy.example.com"), "nobody vouches for it");
    assert_eq!(verifier.shown().len(), 0);
    assert!(shown_for("auth.example.com"), "that one is judged afterwards");
    assert_eq!(verifier.shown().len(), 1);
}
