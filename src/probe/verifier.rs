//! What connections to the API server are verified with. Who is trusted elsewhere: [`super::trust`].

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error as TlsError, SignatureScheme};
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
