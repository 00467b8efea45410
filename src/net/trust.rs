//! Who is trusted, and the one verifier of every TLS connection that is opened here: it keeps the chain that a server shows,
//! whatever comes of it. That the server holds the key of its certificate is checked in any case.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use crate::x509::HostName;

#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

/// Whether a chain leads to one of the roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// It does, and everything else about it is in order as well.
    Trusted,
    UnknownIssuer,
    /// It was refused for another reason.
    Refused(String),
}

impl Roots {
    /// Those that this system trusts, in its store or by `SSL_CERT_FILE`. `None` where there are none.
    pub fn of_system() -> Option<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        Self::with(store)
    }

    /// These, in DER. `None` where none of them can be used.
    pub fn of<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.into_iter().map(|der| CertificateDer::from(der.to_vec())));
        Self::with(store)
    }

    fn with(store: RootCertStore) -> Option<Self> {
        (!store.is_empty()).then(|| Self(Arc::new(store)))
    }

    fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.0), provider)
            .build()
            .map_err(|error| format!("the CA certificates cannot be used: {error}"))
    }

    /// What a client that knows these roots and no others makes of the certificates (in DER, the server's own first).
    pub fn judge(&self, certificates: &[Vec<u8>], host: &HostName, now: Timestamp) -> Trust {
        let mut certificates = certificates.iter().map(|der| CertificateDer::from(der.as_slice()));
        let Some(leaf) = certificates.next() else { return Trust::Refused("there is no certificate".to_owned()) };
        let intermediates: Vec<_> = certificates.collect();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default()));
        let verified = self.verifier().and_then(|verifier| {
            let name = ServerName::try_from(host.to_string()).map_err(|error| error.to_string())?;
            Ok(verifier.verify_server_cert(&leaf, &intermediates, &name, &[], now))
        });
        match verified {
            Ok(Ok(_)) => Trust::Trusted,
            Ok(Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer))) => Trust::UnknownIssuer,
            Ok(Err(error)) => Trust::Refused(error.to_string()),
            Err(why) => Trust::Refused(why),
        }
    }
}

/// What has to be in order about a server's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is judged afterwards, in words.
    Nothing,
    /// It leads to a root, for whatever name.
    Chain,
    /// It leads to a root and is for the name that was asked for.
    Name,
}

pub struct Verifier {
    need: Need,
    roots: Option<Arc<WebPkiServerVerifier>>,
    /// A proxy that is spoken to with TLS, on the way to the server: who vouches for it is this system.
    proxy: Option<(String, Arc<WebPkiServerVerifier>)>,
    algorithms: WebPkiSupportedAlgorithms,
    shown: Mutex<Vec<Vec<u8>>>,
}

impl Verifier {
    /// A client that needs this of its server. Without roots nobody is trusted.
    pub fn client(roots: Option<&Roots>, need: Need, proxy: Option<&str>) -> Result<(Arc<Self>, ClientConfig), String> {
        let none = || "this system has no CA certificates to check the server's against".to_owned();
        let roots = match need {
            Need::Nothing => None,
            Need::Chain | Need::Name => Some(roots.ok_or_else(none)?.verifier()?),
        };
        let proxy = match proxy {
            Some(name) => Some((name.to_owned(), Roots::of_system().ok_or_else(none)?.verifier()?)),
            None => None,
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Arc::new(Self { need, roots, proxy, algorithms, shown: Mutex::default() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Ok((verifier, config))
    }

    /// The certificates that the server has shown, in DER, its own first.
    pub fn shown(&self) -> Vec<Vec<u8>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Some((proxy, roots)) = &self.proxy
            && *proxy == name.to_str()
        {
            return roots.verify_server_cert(leaf, intermediates, name, ocsp, now);
        }
        let all = std::iter::once(leaf).chain(intermediates).map(|one| one.to_vec()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = all;
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        match roots.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            // The name is looked at last, so the chain is in order.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.need == Need::Chain => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
