//! From the client's nested errors to a kind and a reason a person understands.

use std::{error::Error, io};

use rustls::Error as TlsError;
use tower::BoxError;

use super::error::{ClusterError, ErrorKind};
use super::text::plain;
use crate::connection_failure::{causes, complaint};

/// Sorts an error of the HTTP client. What failed before the connection stood was never sent; of everything else the
/// server may have seen the request.
pub fn sorted(error: kube::Error) -> ClusterError {
    match error {
        kube::Error::Service(inner) => match inner.downcast::<ClusterError>() {
            Ok(error) => *error,
            Err(inner) => of_client(kube::Error::Service(inner)),
        },
        kube::Error::Api(status) => ClusterError::from_status(&serde_json::to_value(status).unwrap_or_default()),
        kube::Error::SerdeError(error) => unreadable(&error),
        kube::Error::UpgradeConnection(error) => {
            let reason = "it does not switch to the protocol of a port-forward".to_owned();
            ClusterError::new(ErrorKind::Unreadable(reason)).caused_by(error)
        }
        error => of_client(error),
    }
}

/// serde's own words may quote the document; the category and the place do not.
pub fn unreadable(error: &serde_json::Error) -> ClusterError {
    let reason = if error.is_eof() {
        "it ends too early".to_owned()
    } else {
        format!("it is not the JSON that was expected (at byte {} of line {})", error.column(), error.line())
    };
    ClusterError::new(ErrorKind::Unreadable(reason))
}

fn of_client(error: kube::Error) -> ClusterError {
    ClusterError::new(kind_of(&error)).caused_by(error)
}

fn kind_of(error: &kube::Error) -> ErrorKind {
    // Real chains have half a dozen links; the limit only keeps a faulty `source` from running in circles.
    let links: Vec<_> = causes(error).take(32).collect();
    let while_connecting = links
        .iter()
        .filter_map(|link| link.downcast_ref::<hyper_util::client::legacy::Error>())
        .any(hyper_util::client::legacy::Error::is_connect);
    let io = links.iter().find_map(|link| link.downcast_ref::<io::Error>()).map(io::Error::kind);
    let tls = links.iter().find_map(|link| link.downcast_ref::<TlsError>());
    if links.iter().any(|link| link.is::<AtProxy>()) {
        let reason = tls.map_or_else(|| connect_reason(&links, io), tls_reason);
        return ErrorKind::Unreachable(format!("at the proxy, {reason}"));
    }
    match tls {
        Some(tls) if while_connecting || refuses_our_certificate(tls) => ErrorKind::TlsFailed(tls_reason(tls)),
        None if while_connecting => ErrorKind::Unreachable(connect_reason(&links, io)),
        _ => match error {
            kube::Error::HttpError(_) => ErrorKind::Config {
                sentence: "The credentials of the kubeconfig cannot be used.".to_owned(),
                remedy: Some("Log in again as you do for kubectl.".to_owned()),
            },
            _ => ErrorKind::ConnectionLost(lost_reason(io).to_owned()),
        },
    }
}

/// TLS 1.3 refuses a client certificate only after the handshake, when the request may be on its way already; a server
/// that does so has not handed it to anything. Any other alert on a connection that stood proves nothing.
fn refuses_our_certificate(error: &TlsError) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        error,
        TlsError::AlertReceived(
            Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::CertificateRequired
        )
    )
}

fn connect_reason(links: &[&(dyn Error + 'static)], io: Option<io::ErrorKind>) -> String {
    // hyper-util's error for a failed look-up is private; its words are its only mark.
    if links.iter().any(|link| link.to_string().starts_with("dns error")) {
        return "its name cannot be resolved".to_owned();
    }
    match io {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused".to_owned(),
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof,
        ) => "the connection was cut while it was being made".to_owned(),
        Some(io::ErrorKind::TimedOut) => "it does not answer".to_owned(),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            "there is no route to it".to_owned()
        }
        _ => match links.last().map(|link| plain(&link.to_string())).filter(|last| !last.is_empty()) {
            Some(last) => format!("the connection failed ({last})"),
            None => "the connection failed".to_owned(),
        },
    }
}

/// Why a connection that stood is gone.
fn lost_reason(io: Option<io::ErrorKind>) -> &'static str {
    match io {
        Some(io::ErrorKind::ConnectionReset) => "it was reset",
        Some(io::ErrorKind::TimedOut) => "it went silent",
        _ => "it ended before the answer was complete",
    }
}

fn tls_reason(error: &TlsError) -> String {
    let reason = match error {
        TlsError::InvalidCertificate(problem) => {
            return format!("its certificate {}", complaint(problem, "is for another name (see --tls-server-name)"));
        }
        TlsError::AlertReceived(_) => "it refused the connection; it may not accept the client certificate",
        TlsError::InvalidMessage(_) => "what answers there does not speak TLS",
        TlsError::PeerIncompatible(_) => "it offers no TLS version or cipher this program accepts",
        _ => "the TLS handshake failed",
    };
    reason.to_owned()
}

/// What went wrong before the proxy was asked for anything.
#[derive(Debug, thiserror::Error)]
#[error("no connection to the proxy")]
pub struct AtProxy(#[source] pub BoxError);

#[cfg(test)]
mod tests;
