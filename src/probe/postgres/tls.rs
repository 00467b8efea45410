//! TLS with a PostgreSQL server, as `sslmode` has it.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::dial::BoxConnection;
use super::super::tls::{Roots, plain};
use crate::checks::databases::SslMode;
use crate::checks::databases::said::Trouble;

/// Checks as much as the mode asks for; that the server holds its key, always.
struct Verifier {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    name: bool,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// The handshake, for this host.
pub async fn handshake(
    stream: BoxConnection,
    host: &str,
    mode: SslMode,
    roots: Option<&Roots>,
) -> Result<TlsStream<BoxConnection>, Trouble> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = match (mode >= SslMode::VerifyCa, roots) {
        (false, _) => None,
        (true, Some(roots)) => Some(
            roots
                .verifier()
                .map_err(|error| Trouble::Certificate(format!("the CA certificates cannot be used: {error}")))?,
        ),
        (true, None) => {
            return Err(Trouble::Certificate(
                "this system has no CA certificates to check the server's against".to_owned(),
            ));
        }
    };
    let verifier = Verifier { provider: Arc::clone(&provider), chain, name: mode == SslMode::VerifyFull };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::Lost(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_owned();
    let name = ServerName::try_from(bare)
        .map_err(|_| Trouble::Certificate(format!("{host} is no name that certificates are made for")))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| trouble(host, &error))
}

fn trouble(host: &str, error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(problem)) => Trouble::Certificate(match problem {
            CertificateError::UnknownIssuer => "it is signed by an authority that is not trusted here".to_owned(),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("it is not for {host}")
            }
            other => format!("{other}"),
        }),
        Some(TlsError::InvalidMessage(_)) => Trouble::NotPostgres("it agrees to TLS and then speaks none".to_owned()),
        _ => Trouble::Lost(format!("no TLS with {host}: {}", plain(error))),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, so the chain is in order.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            other => other,
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
