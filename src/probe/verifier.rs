//! A TLS handshake in which the server always has to prove that it holds its key. What else it has to show differs: a web
//! server is checked as browsers do, PostgreSQL as `sslmode` has it.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer as _, X509Certificate};

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
    /// Whether it is for this name and this moment, whoever made it.
    pub fn speaks_for_itself(&self) -> Result<(), TlsError> {
        verify_server_name(&ParsedCertificate::try_from(self.leaf)?, self.name)?;
        let bad = |error| Err(TlsError::InvalidCertificate(error));
        let Ok((_, leaf)) = X509Certificate::from_der(self.leaf) else { return bad(CertificateError::BadEncoding) };
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        match leaf.validity() {
            validity if now < validity.not_before.timestamp() => bad(CertificateError::NotValidYet),
            validity if now > validity.not_after.timestamp() => bad(CertificateError::Expired),
            _ => Ok(()),
        }
    }

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
    Arc::new(Verifier { provider, check, strict: true })
}

/// The same where nothing is to be checked. That the server holds its key is looked at as far as the certificate can be read;
/// not every one can that somebody has made by hand.
pub fn lenient(provider: Arc<CryptoProvider>) -> Arc<dyn ServerCertVerifier> {
    Arc::new(Verifier { provider, check: |_: &Shown<'_>| Ok(()), strict: false })
}

struct Verifier<F> {
    strict: bool,
    provider: Arc<CryptoProvider>,
    check: F,
}

impl<F> Verifier<F> {
    fn signed(&self, result: Result<HandshakeSignatureValid, TlsError>) -> Result<HandshakeSignatureValid, TlsError> {
        match result {
            Err(TlsError::InvalidCertificate(error)) if !self.strict && error != CertificateError::BadSignature => {
                Ok(HandshakeSignatureValid::assertion())
            }
            result => result,
        }
    }
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
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signed(verify_tls12_signature(message, certificate, signed, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signed(verify_tls13_signature(message, certificate, signed, algorithms))
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
