//! Converts error responses and the HTTP client's nested errors to kinds and reasons.

use std::sync::LazyLock;
use std::time::Duration;
use std::{error::Error, io, io::ErrorKind as IoKind};

use http::Uri;
use regex_lite::Regex;
use rustls::Error as TlsError;
use serde_json::Value;
use tower::BoxError;

use super::error::{ClusterError, ErrorKind};
use super::text::{between, plain, unpunctuated, without_values};
use crate::connection_failure::{causes, complaint};

/// Converts an error of the HTTP client. A request that failed before the connection was established was not sent; in all
/// other cases the server may have processed it.
pub fn sorted(error: kube::Error) -> ClusterError {
    match error {
        kube::Error::Service(inner) => match inner.downcast::<ClusterError>() {
            Ok(error) => *error,
            Err(inner) => of_client(kube::Error::Service(inner)),
        },
        kube::Error::Api(status) => ClusterError::from_status(&serde_json::to_value(status).unwrap_or_default()),
        kube::Error::SerdeError(error) => unreadable(&error, &[]),
        kube::Error::UpgradeConnection(error) => {
            let reason = "it does not switch to the port-forward protocol".to_owned();
            ClusterError::new(ErrorKind::Unreadable(reason)).caused_by(error)
        }
        error => of_client(error),
    }
}

/// serde's own messages may quote the document, so only category and position are used.
pub fn unreadable(error: &serde_json::Error, body: &[u8]) -> ClusterError {
    let reason = if let Some(page) = page(body) {
        format!("it is {page}")
    } else if error.is_eof() {
        "it is incomplete".to_owned()
    } else {
        format!("it is not the expected JSON (line {}, byte {})", error.line(), error.column())
    };
    ClusterError::new(ErrorKind::Unreadable(reason))
}

fn of_client(error: kube::Error) -> ClusterError {
    ClusterError::new(kind_of(&error)).caused_by(error)
}

fn kind_of(error: &kube::Error) -> ErrorKind {
    // The limit protects from a faulty `source` with a cycle.
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
                sentence: "the credentials in the kubeconfig cannot be used".to_owned(),
                remedy: Some("Log in again as you do for kubectl.".to_owned()),
            },
            _ => ErrorKind::ConnectionLost(lost_reason(io).to_owned()),
        },
    }
}

/// Whether the server refused the client certificate. TLS 1.3 does that after the handshake, when the request may be sent
/// already, but the server has not processed it. Other alerts prove nothing.
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

fn connect_reason(links: &[&(dyn Error + 'static)], io: Option<IoKind>) -> String {
    // hyper-util's error type for a failed look-up is private.
    if links.iter().any(|link| link.to_string().starts_with("dns error")) {
        return "its host name does not resolve".to_owned();
    }
    match io {
        Some(IoKind::ConnectionRefused) => "the connection was refused".to_owned(),
        Some(IoKind::ConnectionReset | IoKind::ConnectionAborted | IoKind::BrokenPipe | IoKind::UnexpectedEof) => {
            "the connection was closed while it was being established".to_owned()
        }
        Some(IoKind::TimedOut) => "it does not respond".to_owned(),
        Some(IoKind::HostUnreachable | IoKind::NetworkUnreachable) => "there is no route to it".to_owned(),
        _ => match links.last().map(|link| plain(&link.to_string())).filter(|last| !last.is_empty()) {
            Some(last) => format!("the connection failed ({last})"),
            None => "the connection failed".to_owned(),
        },
    }
}

fn lost_reason(io: Option<IoKind>) -> &'static str {
    match io {
        Some(IoKind::ConnectionReset) => "it was reset",
        Some(IoKind::TimedOut) => "it timed out",
        _ => "it ended before the response was complete",
    }
}

fn tls_reason(error: &TlsError) -> String {
    let reason = match error {
        TlsError::InvalidCertificate(problem) => {
            return format!("its certificate {}", complaint(problem, "is for another name (see --tls-server-name)"));
        }
        TlsError::AlertReceived(_) => "it refused the connection; it may not accept the client certificate",
        TlsError::InvalidMessage(_) => "the server does not speak TLS",
        TlsError::PeerIncompatible(_) => "it offers no TLS version or cipher that this program accepts",
        _ => "the TLS handshake failed",
    };
    reason.to_owned()
}

/// A failed connection to the proxy itself.
#[derive(Debug, thiserror::Error)]
#[error("no connection to the proxy")]
pub struct AtProxy(#[source] pub BoxError);

/// Describes a web page and the host that it leads to; `None` for other documents. The API server sends no web pages.
fn page(body: &[u8]) -> Option<String> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        let link = r#"(?i)(?:\burl\s*=|\baction\s*=|\bhref\s*=|\blocation\b[^;<>"']{0,12}[=(])\s*["']?\s*(https?://[^\s"'<>]+)"#;
        Regex::new(link).expect("the pattern is valid")
    });
    let text = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        return None;
    }
    let host = LINK.captures(&text).and_then(|found| host(&found[1]));
    Some(host.map_or_else(|| "a web page (HTML)".to_owned(), |host| format!("a web page (HTML) that leads to {host}")))
}

/// Host and port of a URL; the rest may contain secrets.
fn host(address: &str) -> Option<String> {
    let address: Uri = address.split(['?', '#']).next()?.parse().ok()?;
    let port = address.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}{port}", address.host()?))
}

impl ClusterError {
    /// The error for responses that the API server never sends: a redirect, or a web page with a 4xx status. With 401 and 429
    /// the status says enough.
    pub(in crate::cluster) fn by_another(code: u16, location: Option<&str>, body: &[u8]) -> Option<Self> {
        let what = match code {
            300..=399 => {
                let to = match (location.and_then(host), location) {
                    (Some(host), _) => format!(" to {host}"),
                    (None, Some(_)) => " to another page of the same host".to_owned(),
                    _ => String::new(),
                };
                format!("a redirect ({code}){to}")
            }
            401 | 429 => return None,
            400..=499 => format!("{} ({code})", page(body)?),
            _ => return None,
        };
        Some(Self::new(ErrorKind::AnsweredByAnother(what)))
    }

    /// Converts a response with an error status. `body` is a Kubernetes `Status` or anything else.
    pub(in crate::cluster) fn from_answer(code: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<Value>(body).ok().filter(|value| value["kind"] == "Status");
        // Without a Status the response is from a proxy or load balancer; an HTML page is not shown.
        let foreign = || {
            let body = String::from_utf8_lossy(&body[..body.len().min(400)]);
            if body.trim_start().starts_with('<') { String::new() } else { plain(&body) }
        };
        let message = status.as_ref().map_or_else(foreign, |status| text(&status["message"]));
        Self::new(kind_of_answer(code, retry_after, &status.unwrap_or_default(), message))
    }

    /// Converts a `Status` from a watch event; its `code` replaces the HTTP status.
    pub(in crate::cluster) fn from_status(status: &Value) -> Self {
        let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        Self::new(kind_of_answer(code, None, status, text(&status["message"])))
    }
}

fn text(value: &Value) -> String {
    plain(&without_values(value.as_str().unwrap_or_default()))
}

fn kind_of_answer(code: u16, retry_after: Option<Duration>, status: &Value, message: String) -> ErrorKind {
    let details = &status["details"];
    let causes = || details["causes"].as_array().into_iter().flatten();
    let non_empty = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match code {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden {
            user: between(&message, "User \"", "\"").map(str::to_owned),
            by_rules: message.contains(" cannot ") || message.is_empty(),
            message: between(&message, " is forbidden: ", "").unwrap_or(&message).to_owned(),
        },
        // The details name a missing object; an API that is not served gets plain text or no details.
        404 if non_empty(&details["name"]).is_some() => ErrorKind::NotFound,
        404 => ErrorKind::NoSuchApi,
        409 if status["reason"] == "AlreadyExists" => ErrorKind::AlreadyExists,
        409 => ErrorKind::Conflict(message),
        410 => ErrorKind::Gone(non_empty(&status["metadata"]["continue"])),
        400 | 422 => {
            let mut problems = unknown_fields(&message);
            if problems.is_empty() {
                problems.extend(causes().map(|cause| problem(&text(&cause["field"]), &text(&cause["message"]))));
            }
            ErrorKind::Invalid { problems, message }
        }
        429 | 500..=599 => ErrorKind::ServerFailed {
            code,
            retry_after: retry_after.or_else(|| details["retryAfterSeconds"].as_u64().map(Duration::from_secs)),
            version_from_the_future: causes().any(|cause| cause["reason"] == "ResourceVersionTooLarge")
                || message.contains("Too large resource version"),
            message,
        },
        _ => ErrorKind::Refused { code, message },
    }
}

fn problem(field: &str, message: &str) -> String {
    let message = unpunctuated(message);
    if field.is_empty() { message.to_owned() } else { format!("`{field}`: {message}") }
}

/// The fields in `strict decoding error: unknown field "spec.a", unknown field "spec.b"`.
fn unknown_fields(message: &str) -> Vec<String> {
    let list = message.split_once("strict decoding error: ").map_or("", |(_, list)| list);
    let fields = list.split("unknown field \"").skip(1).filter_map(|part| part.split_once('"'));
    fields.map(|(field, _)| problem(field, "unknown field")).collect()
}

#[cfg(test)]
mod tests;
