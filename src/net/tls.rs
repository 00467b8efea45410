//! TLS: root certificates, presented certificates, and the verifier of every TLS connection. The verifier keeps the server's
//! chain even if it refuses it, and always checks that the server has the certificate's key.

use std::net::{IpAddr, SocketAddr};
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
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::dial::{addresses, connect};
use crate::connection_failure::plain;
use crate::x509::HostName;

#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

/// The result of a chain's validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    Trusted,
    UnknownIssuer,
    Refused(String),
}

impl Roots {
    /// The system's CAs, from its store or `SSL_CERT_FILE`; `None` if there are none.
    pub fn of_system() -> Option<Self> {
        Self::of(rustls_native_certs::load_native_certs().certs.iter().map(|der| &**der))
    }

    /// Reads certificates in DER; `None` if none is valid.
    pub fn of<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.into_iter().map(|der| CertificateDer::from(der.to_vec())));
        (!store.is_empty()).then(|| Self(Arc::new(store)))
    }

    fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.0), provider)
            .build()
            .map_err(|error| format!("the CA certificates are invalid: {error}"))
    }

    /// Validates certificates (in DER, the server's first) against only these roots.
    pub fn judge(&self, certificates: &[Vec<u8>], host: &HostName, now: Timestamp) -> Trust {
        let mut certificates = certificates.iter().map(|der| CertificateDer::from(der.as_slice()));
        let Some(leaf) = certificates.next() else {
            return Trust::Refused("the server presents no certificate".to_owned());
        };
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

/// What a connection requires of the server's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The chain is judged later.
    Nothing,
    /// A chain to a root, for any name.
    Chain,
    /// A chain to a root, for the requested name.
    Name,
}

#[derive(Debug)]
pub struct Verifier {
    mode: Mode,
    roots: Option<Arc<WebPkiServerVerifier>>,
    /// The name of an HTTPS proxy, which the system's CAs must trust.
    proxy: Option<(String, Arc<WebPkiServerVerifier>)>,
    algorithms: WebPkiSupportedAlgorithms,
    shown: Mutex<Vec<Vec<u8>>>,
}

impl Verifier {
    /// Creates a client configuration. Without roots, only [`Mode::Nothing`] is possible.
    pub fn client(roots: Option<&Roots>, mode: Mode, proxy: Option<&str>) -> Result<(Arc<Self>, ClientConfig), String> {
        let none = || "this system has no CA certificates to verify the server's certificate".to_owned();
        let roots = match mode {
            Mode::Nothing => None,
            Mode::Chain | Mode::Name => Some(roots.ok_or_else(none)?.verifier()?),
        };
        let trusted = |name: &str| Ok::<_, String>((name.to_owned(), Roots::of_system().ok_or_else(none)?.verifier()?));
        let proxy = proxy.map(trusted).transpose()?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Arc::new(Self { mode, roots, proxy, algorithms, shown: Mutex::default() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Ok((verifier, config))
    }

    /// The server's certificates in DER, its own first.
    pub fn shown(&self) -> Vec<Vec<u8>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
            // The name is checked last, so the chain is valid.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.mode == Mode::Chain => Ok(ServerCertVerified::assertion()),
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

/// Limit of DNS, connection and handshake together.
pub const LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub address: SocketAddr,
    /// The certificates in DER, in the server's order.
    pub certificates: Vec<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("{0}")]
    NotReached(String),
    #[error("{0} accepts connections, but the TLS handshake fails: {1}")]
    NoHandshake(SocketAddr, String),
}

/// Connects to the host, or to `resolve`, and returns the certificates that the server presents for the name, valid or not.
pub async fn presented(host: &HostName, port: u16, resolve: Option<IpAddr>) -> Result<Presented, ProbeError> {
    let deadline = Instant::now() + LIMIT;
    let too_slow =
        |place: String| ProbeError::NotReached(format!("{place} doesn't respond within {} seconds", LIMIT.as_secs()));
    let connecting = async {
        let addresses = match resolve {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => addresses(host.as_str(), port).await?,
        };
        let stream = connect(&addresses).await?;
        let address = stream.peer_addr().map_err(|error| plain(&error))?;
        Ok((address, stream))
    };
    let (address, stream) = match timeout_at(deadline, connecting).await {
        Ok(connected) => connected.map_err(ProbeError::NotReached)?,
        Err(_) => return Err(too_slow(resolve.map_or(host.to_string(), |ip| SocketAddr::new(ip, port).to_string()))),
    };
    let no_handshake = |reason: String| ProbeError::NoHandshake(address, reason);
    let (verifier, config) = Verifier::client(None, Mode::Nothing, None).map_err(no_handshake)?;
    let name = ServerName::try_from(host.to_string()).map_err(|error| no_handshake(error.to_string()))?;
    let outcome = timeout_at(deadline, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
    match (verifier.shown(), outcome) {
        // A server that requires a client certificate presents its own first.
        (certificates, _) if !certificates.is_empty() => Ok(Presented { address, certificates }),
        (_, Ok(Ok(_))) => Err(no_handshake("the server presents no certificate".to_owned())),
        (_, Ok(Err(error))) => Err(no_handshake(plain(&error))),
        (_, Err(_)) => Err(too_slow(address.to_string())),
    }
}

#[cfg(test)]
mod tests;
