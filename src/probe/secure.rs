//! TLS for what is asked: the chain is checked as browsers do, and the outcome told. Unlike a mere look at certificates
//! ([`super::tls`]), the server has to prove that it holds the key.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::{CertificateError, Error as TlsError};
use tokio_rustls::client::TlsStream;

use super::dial::Connection;
use super::tls::{Roots, plain};
use super::verifier::{self, Refused, Shown};

/// A check of one connection's certificates.
pub struct Checked {
    verifier: Option<Arc<WebPkiServerVerifier>>,
    strict: bool,
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
        Ok(Self { verifier, strict, seen: Mutex::default() })
    }

    /// The certificates that were presented, in DER.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the handshake for this name; a sentence says why it failed.
    pub async fn handshake<S: Connection>(self: &Arc<Self>, host: &str, stream: S) -> Result<TlsStream<S>, String> {
        let this = Arc::clone(self);
        let protocols = vec![b"http/1.1".to_vec()];
        verifier::handshake(host, stream, protocols, move |shown| this.check(shown)).await.map_err(
            |error| match error {
                Refused::Name => format!("{host} is no name that certificates are made for"),
                Refused::Client(error) => error.to_string(),
                Refused::Handshake(error) => reason(host, &error),
            },
        )
    }

    fn check(&self, shown: &Shown<'_>) -> Result<(), TlsError> {
        let all = std::iter::once(shown.leaf).chain(shown.intermediates).map(|one| one.to_vec()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = all;
        match &self.verifier {
            Some(verifier) if self.strict => shown.verified_by(verifier),
            _ => Ok(()),
        }
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
