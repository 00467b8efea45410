//! The error type of all requests to the API server.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::text::unquoted;
use crate::cluster::resource::{Action, Place};

/// The kinds of failure that callers distinguish. Texts complete a sentence after a colon; a `message` is the server's and
/// may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection: refused, unresolvable, no route. The request was not sent.
    Unreachable(String),
    /// The TLS handshake failed. The request was not sent.
    TlsFailed(String),
    /// The connection ended before the response was complete. The request may have been sent.
    ConnectionLost(String),
    Timeout(Duration),
    Unauthorized,
    Forbidden {
        user: Option<String>,
        /// Whether RBAC refused; otherwise an admission rule (webhook, quota, policy) did.
        by_rules: bool,
        message: String,
    },
    /// 404 for an object, in an API that is served.
    NotFound,
    /// 404 for the API itself: the group, version or resource is not served.
    NoSuchApi,
    /// 409: the object has another resourceVersion than the write.
    Conflict(String),
    /// 409: the object to create exists.
    AlreadyExists,
    /// 410: the resourceVersion or the list's continue token is too old. A list may get a token to continue with, without
    /// a consistent snapshot.
    Gone(Option<String>),
    /// 400 or 422: the object is invalid.
    Invalid {
        message: String,
        /// The problem of each field, if the server names them.
        problems: Vec<String>,
    },
    /// 5xx or 429.
    ServerFailed {
        code: u16,
        message: String,
        retry_after: Option<Duration>,
        /// Whether the requested resourceVersion is newer than the server's (an etcd restored from a backup).
        version_from_the_future: bool,
    },
    Refused {
        code: u16,
        message: String,
    },
    /// The response is not one of the Kubernetes API (a login page, an incomplete document).
    Unreadable(String),
    /// A proxy or login page responded and didn't forward the request; describes the response.
    AnsweredByAnother(String),
    /// Invalid value of a flag: wrong usage. No request was made.
    Flag(String),
    /// Unusable kubeconfig or credentials. No request was made.
    Config {
        sentence: String,
        remedy: Option<String>,
    },
}

impl ErrorKind {
    /// The server's or the network's message, if any.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Unreachable(words)
            | Self::TlsFailed(words)
            | Self::ConnectionLost(words)
            | Self::Unreadable(words)
            | Self::AnsweredByAnother(words)
            | Self::Conflict(words)
            | Self::Invalid { message: words, .. }
            | Self::ServerFailed { message: words, .. }
            | Self::Refused { message: words, .. } => Some(words.as_str()).filter(|words| !words.is_empty()),
            _ => None,
        }
    }
}

/// A failed request to the API server: the kind, the action and the server.
#[derive(Clone)]
pub struct ClusterError {
    // Boxed, because nearly every `Result` contains it.
    pub(super) parts: Box<Parts>,
}

#[derive(Clone)]
pub(super) struct Parts {
    pub(super) kind: ErrorKind,
    pub(super) action: Option<Action>,
    pub(super) place: Option<Arc<Place>>,
    pub(super) hint: Option<&'static str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ClusterError {
    pub(in crate::cluster) fn new(kind: ErrorKind) -> Self {
        Self { parts: Box::new(Parts { kind, action: None, place: None, hint: None, source: None }) }
    }

    pub(in crate::cluster) fn config<'a>(sentence: impl Into<String>, remedy: impl Into<Option<&'a str>>) -> Self {
        Self::new(ErrorKind::Config { sentence: sentence.into(), remedy: remedy.into().map(str::to_owned) })
    }

    pub(in crate::cluster) fn at(mut self, action: &Action, place: &Arc<Place>) -> Self {
        if action.resource.kind == "Secret"
            && let ErrorKind::Invalid { message, problems } = &mut self.parts.kind
        {
            // Even a short value of a Secret is secret.
            for text in problems.iter_mut().chain([message]) {
                *text = unquoted(text);
            }
        }
        self.parts.action = Some(action.clone());
        self.parts.place = Some(Arc::clone(place));
        self
    }

    pub(in crate::cluster) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.parts.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds a hint that precedes the general ones.
    pub(in crate::cluster) fn with_hint(mut self, hint: &'static str) -> Self {
        self.parts.hint = Some(hint);
        self
    }

    pub fn kind(&self) -> &ErrorKind {
        &self.parts.kind
    }

    pub fn is_not_found(&self) -> bool {
        self.parts.kind == ErrorKind::NotFound
    }

    pub fn is_forbidden(&self) -> bool {
        matches!(self.parts.kind, ErrorKind::Forbidden { .. })
    }

    /// Whether the request certainly changed nothing: it was not sent, or the server refused it.
    ///
    /// Includes 429, which the API server's flow control returns before any handler runs. Excludes 5xx, lost connections,
    /// time-outs and unreadable responses: the write may have been stored.
    pub fn certainly_not_processed(&self) -> bool {
        match &self.parts.kind {
            ErrorKind::ServerFailed { code, .. } => *code == 429,
            ErrorKind::ConnectionLost { .. } | ErrorKind::Timeout { .. } | ErrorKind::Unreadable { .. } => false,
            _ => true,
        }
    }

    /// Whether a retry may succeed.
    pub(in crate::cluster) fn is_transient(&self) -> bool {
        matches!(
            self.parts.kind,
            ErrorKind::Unreachable { .. }
                | ErrorKind::ConnectionLost { .. }
                | ErrorKind::Timeout { .. }
                | ErrorKind::ServerFailed { .. }
                | ErrorKind::Unreadable { .. }
        )
    }

    /// Whether the server does not have the requested `resourceVersion`: it is too old, or too new after a restore of etcd.
    pub(in crate::cluster) fn is_expired_version(&self) -> bool {
        matches!(self.parts.kind, ErrorKind::Gone(_) | ErrorKind::ServerFailed { version_from_the_future: true, .. })
    }

    pub(in crate::cluster) fn retry_after(&self) -> Option<Duration> {
        match self.parts.kind {
            ErrorKind::ServerFailed { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}

// Panics and logs contain `Debug`, so it shows no more than `Display`.
impl fmt::Debug for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterError")
            .field("kind", &self.parts.kind)
            .field("action", &self.parts.action)
            .finish_non_exhaustive()
    }
}

impl Error for ClusterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.parts.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests;
