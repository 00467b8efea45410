//! The certificates that a TLS server presents. Only the handshake is made; no HTTP and nothing secret is sent.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::pki::HostName;

/// How long everything may take: finding the address, connecting, the handshake.
pub const LIMIT: Duration = Duration::from_secs(5);

/// curl's `--resolve HOST:PORT:ADDRESS`: where to connect to instead of asking DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The host that this is about.
    pub host: String,
    /// The port to connect to.
    pub port: u16,
    /// The address to connect to.
    pub address: IpAddr,
}

impl Resolve {
    /// Reads `HOST:PORT:ADDRESS`; an IPv6 address may stand in brackets. `None` if it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, rest) = text.split_once(':')?;
        let (port, address) = rest.split_once(':')?;
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then_some(())?;
        Some(Self { host: host.trim_end_matches('.').to_ascii_lowercase(), port, address: address.parse().ok()? })
    }
}

/// What a server presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The address that answered.
    pub address: SocketAddr,
    /// The certificates in DER, in the server's order, its own first.
    pub certificates: Vec<Vec<u8>>,
}

/// Why no certificate was seen.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// DNS does not know the host.
    #[error("the address of {host} was not found: {reason}")]
    NotFound {
        /// The host.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// No connection.
    #[error("nothing answers at {address}: {reason}")]
    NotReached {
        /// Where.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
    /// It took too long.
    #[error("no answer from {place} within {} seconds", LIMIT.as_secs())]
    TooSlow {
        /// The address as far as it was known, else the host.
        place: String,
    },
    /// Something answers, but does not complete a handshake.
    #[error("{address} answers, but not with TLS as clients of today speak it: {reason}")]
    NoHandshake {
        /// Where.
        address: SocketAddr,
        /// What went wrong.
        reason: String,
    },
}

/// Connects to the host, or to where `resolve` says, and returns the certificates that the server presents for that name,
/// whatever they are.
pub async fn presented(host: &HostName, port: u16, resolve: Option<IpAddr>) -> Result<Presented, ProbeError> {
    let place = Mutex::new(host.to_string());
    match timeout(LIMIT, handshake(host, port, resolve, &place)).await {
        Ok(result) => result,
        Err(_) => Err(ProbeError::TooSlow { place: place.into_inner().unwrap_or_else(PoisonError::into_inner) }),
    }
}

async fn handshake(
    host: &HostName,
    port: u16,
    resolve: Option<IpAddr>,
    place: &Mutex<String>,
) -> Result<Presented, ProbeError> {
    let (address, stream) = connect(host, port, resolve, place).await?;
    let no_handshake = |reason: String| ProbeError::NoHandshake { address, reason };
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let seen = Arc::new(Witness { provider: Arc::clone(&provider), certificates: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| no_handshake(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_string()).map_err(|error| no_handshake(error.to_string()))?;
    let outcome = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let certificates = std::mem::take(&mut *seen.certificates.lock().unwrap_or_else(PoisonError::into_inner));
    match outcome {
        // A server that wants a client certificate has shown its own before it refuses.
        _ if !certificates.is_empty() => Ok(Presented { address, certificates }),
        Ok(_) => Err(no_handshake("it presents no certificate".to_owned())),
        Err(error) => Err(no_handshake(plain(&error))),
    }
}

/// Tries the addresses of the host one after the other, within the common limit.
async fn connect(
    host: &HostName,
    port: u16,
    resolve: Option<IpAddr>,
    place: &Mutex<String>,
) -> Result<(SocketAddr, TcpStream), ProbeError> {
    let addresses: Vec<SocketAddr> = match resolve {
        Some(address) => vec![SocketAddr::new(address, port)],
        None => tokio::net::lookup_host((host.as_str(), port))
            .await
            .map_err(|error| ProbeError::NotFound { host: host.to_string(), reason: plain(&error) })?
            .collect(),
    };
    let mut last = ProbeError::NotFound { host: host.to_string(), reason: "it has no address".to_owned() };
    for address in addresses {
        *place.lock().unwrap_or_else(PoisonError::into_inner) = address.to_string();
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok((address, stream)),
            Err(error) => last = ProbeError::NotReached { address, reason: plain(&error) },
        }
    }
    Err(last)
}

pub(super) fn plain(error: &io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

/// Writes down the certificates and accepts them: they are judged afterwards, in words. Nothing is sent over the connection.
struct Witness {
    provider: Arc<CryptoProvider>,
    certificates: Mutex<Vec<Vec<u8>>>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let all = std::iter::once(end_entity).chain(intermediates).map(|certificate| certificate.to_vec()).collect();
        *self.certificates.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whom the chain has to lead to.
#[derive(Clone)]
pub struct Roots {
    store: Arc<RootCertStore>,
}

/// Whether a chain leads to one of the roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// It does, and everything else about it is in order as well.
    Trusted,
    /// None of the roots has signed it.
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
        (!store.is_empty()).then(|| Self { store: Arc::new(store) })
    }

    /// What checks a chain against them, as browsers do.
    pub(super) fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, VerifierBuilderError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.store), provider).build()
    }

    /// What a client that knows these roots and no others makes of the certificates (in DER, the server's own first).
    pub fn judge(&self, certificates: &[Vec<u8>], host: &HostName, now: Timestamp) -> Trust {
        let refused = |reason: &dyn fmt::Display| Trust::Refused(reason.to_string());
        let verifier = match self.verifier() {
            Ok(verifier) => verifier,
            Err(error) => return refused(&error),
        };
        let name = match ServerName::try_from(host.to_string()) {
            Ok(name) => name,
            Err(error) => return refused(&error),
        };
        let mut certificates = certificates.iter().map(|der| CertificateDer::from(der.as_slice()));
        let Some(leaf) = certificates.next() else { return refused(&"there is no certificate") };
        let intermediates: Vec<_> = certificates.collect();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default()));
        match verifier.verify_server_cert(&leaf, &intermediates, &name, &[], now) {
            Ok(_) => Trust::Trusted,
            Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => Trust::UnknownIssuer,
            Err(error) => refused(&error),
        }
    }
}

#[cfg(test)]
mod tests;
