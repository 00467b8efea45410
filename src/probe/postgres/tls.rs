//! TLS with a PostgreSQL server, as `sslmode` has it.

use std::io;

use rustls::{CertificateError, Error as TlsError};
use tokio_rustls::client::TlsStream;

use super::super::dial::BoxConnection;
use super::super::tls::{Roots, plain};
use super::super::verifier::{self, Refused};
use crate::checks::databases::SslMode;
use crate::checks::databases::said::Trouble;

/// The handshake, for this host. As much is checked as the mode asks for; that the server holds its key, always.
pub async fn handshake(
    stream: BoxConnection,
    host: &str,
    mode: SslMode,
    roots: Option<&Roots>,
) -> Result<TlsStream<BoxConnection>, Trouble> {
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
    let whole = mode == SslMode::VerifyFull;
    let check = move |shown: &verifier::Shown<'_>| match chain.as_ref().map_or(Ok(()), |chain| shown.verified_by(chain))
    {
        // The name is looked at last, so the chain is in order.
        Err(TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) if !whole => Ok(()),
        other => other,
    };
    verifier::handshake(host, stream, Vec::new(), check).await.map_err(|error| match error {
        Refused::Name => Trouble::Certificate(format!("{host} is no name that certificates are made for")),
        Refused::Client(error) => Trouble::Lost(error.to_string()),
        Refused::Handshake(error) => trouble(host, &error),
    })
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
