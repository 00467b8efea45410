//! A TLS handshake in which the server always has to prove that it holds its key. What else it has to show differs: a web
//! server is checked as browsers do, PostgreSQL as `sslmode` has it.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a server shows of itself.
pub struct Shown<'a> {
    /// Its own certificate.
    pub leaf: &'a CertificateDer<'a>,
    /// Those that are to lead to a root.
    pub intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Shown<'_> {
    /// Whether these roots vouch for it.
    pub fn verified_by(&self, roots: &WebPkiServerVerifier) -> Result<(), TlsError> {
        roots.verify_server_cert(self.leaf, self.intermediates, self.name, self.ocsp, self.now).map(|_| ())
    }
}

/// Why there is no connection.
pub enum Refused {
    /// No certificate is made for such a name.
    Name,
    /// The client cannot be set up.
    Client(TlsError),
    /// The handshake failed.
    Handshake(io::Error),
}

/// Makes the handshake; `check` judges what is shown.
pub async fn handshake<S, F>(host: &str, stream: S, protocols: Vec<Vec<u8>>, check: F) -> Result<TlsStream<S>, Refused>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(&Shown<'_>) -> Result<(), TlsError> + Send + Sync + 'static,
{
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_owned();
    let name = ServerName::try_from(bare).map_err(|_| Refused::Name)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(Refused::Client)?
        .dangerous()
        .with_custom_certificate_verifier(verifier(provider, check))
        .with_no_client_auth();
    config.alpn_protocols = protocols;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(Refused::Handshake)
}

/// For a client of rustls: `check` judges what is shown; that the server holds its key is looked at in any case.
pub fn verifier<F>(provider: Arc<CryptoProvider>, check: F) -> Arc<dyn ServerCertVerifier>
where
    F: Fn(&Shown<'_>) -> Result<(), TlsError> + Send + Sync + 'static,
{
    Arc::new(Verifier { provider, check })
}

struct Verifier<F> {
    provider: Arc<CryptoProvider>,
    check: F,
}

impl<F> fmt::Debug for Verifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl<F: Fn(&Shown<'_>) -> Result<(), TlsError> + Send + Sync> ServerCertVerifier for Verifier<F> {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        (self.check)(&Shown { leaf, intermediates, name, ocsp, now }).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use rustls::version::{TLS12, TLS13};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Shows this certificate and signs with this key, whether they belong together or not.
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
        let (client, _) = tokio::join!(handshake("auth.example.com", ours, Vec::new(), |_| Ok(())), server);
        client.is_ok()
    }

    #[tokio::test]
    async fn who_shows_somebody_elses_certificate_is_refused_whatever_else_is_checked() {
        let (own, other) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let shown = rcgen::CertificateParams::new(["auth.example.com".to_owned()]).unwrap().self_signed(&own).unwrap();
        for version in [&TLS12, &TLS13] {
            assert!(meet(&shown, &own, version).await, "{version:?}: the key belongs to it");
            assert!(!meet(&shown, &other, version).await, "{version:?}: the key is another one");
        }
    }
}
