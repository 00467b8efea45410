//! TLS for what is asked: the chain is checked as browsers do, and the outcome told. Unlike a mere look at certificates
//! ([`super::tls`]), the server has to prove that it holds the key.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::dial::Connection;
use super::tls::{Roots, plain};

/// A check of one connection's certificates.
pub struct Checked {
    verifier: Option<Arc<WebPkiServerVerifier>>,
    strict: bool,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Vec<Vec<u8>>>,
}

impl Checked {
    /// Against these roots. `strict` refuses what they do not vouch for; otherwise it is only written down.
    pub fn new(roots: Option<&Roots>, strict: bool) -> Result<Self, String> {
        let verifier = match roots {
            Some(roots) => {
                Some(roots.verifier().map_err(|error| format!("the CA certificates cannot be used: {error}"))?)
            }
            None if strict => return Err("this system has no CA certificates to check the server's against".to_owned()),
            None => None,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self { verifier, strict, provider, seen: Mutex::default() })
    }

    /// The certificates that were presented, in DER.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the handshake for this name; a sentence says why it failed.
    pub async fn handshake<S: Connection>(self: &Arc<Self>, host: &str, stream: S) -> Result<TlsStream<S>, String> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name =
            ServerName::try_from(bare).map_err(|_| format!("{host} is no name that certificates are made for"))?;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(self) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| reason(host, &error))
    }
}

/// Why a handshake failed, in words.
fn reason(host: &str, error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            format!("the certificate of {host} is signed by an authority that is not trusted here")
        }
        Some(TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            format!("the certificate of {host} has expired")
        }
        Some(TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("the certificate of {host} is for another name"),
        Some(TlsError::InvalidMessage(_)) => format!("what answers at {host} does not speak TLS"),
        _ => format!("no TLS with {host}: {}", plain(error)),
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checked")
    }
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let all = std::iter::once(end_entity).chain(intermediates).map(|one| one.to_vec()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = all;
        match &self.verifier {
            Some(verifier) if self.strict => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
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
