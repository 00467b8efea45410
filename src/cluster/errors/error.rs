//! The error of everything that talks to the API server.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::text::unquoted;
use crate::cluster::resource::{Action, Place};

/// The kinds of failure a caller may want to tell apart. A `reason` completes a sentence after a colon; a `message` is in the
/// server's words and may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection: refused, unresolvable, no route. The request was not sent.
    Unreachable(String),
    /// The connection was made, but TLS did not come about. The request was not sent.
    TlsFailed(String),
    /// The connection broke after the request may have left, before the answer was complete.
    ConnectionLost(String),
    Timeout(Duration),
    Unauthorized,
    Forbidden {
        user: Option<String>,
        /// True when the rules of access say no, false when an admission rule (webhook, quota, policy) does.
        by_rules: bool,
        message: String,
    },
    /// 404 for an object, in an API that is served.
    NotFound,
    /// 404 for the API itself: the group, version or resource is not served.
    NoSuchApi,
    /// 409: the object is no longer the one the write was made for.
    Conflict(String),
    /// 409: the object to be created is there already.
    AlreadyExists,
    /// 410: the resourceVersion or the list's continuation is too old.
    /// For a list with a token that goes on from here, at the price of one consistent snapshot.
    Gone(Option<String>),
    /// 400 or 422: the server does not take the object.
    Invalid {
        message: String,
        /// What is wrong with which field, where the server says so.
        problems: Vec<String>,
    },
    /// 5xx or 429.
    ServerFailed {
        code: u16,
        message: String,
        retry_after: Option<Duration>,
        /// True when it says that the resourceVersion asked for lies in its future (an etcd restored from a backup).
        version_from_the_future: bool,
    },
    Refused {
        code: u16,
        message: String,
    },
    /// The answer is not what the Kubernetes API answers (a login page, half a document).
    Unreadable(String),
    /// Something between here and the API server refuses in its place, and did not pass the request on: what it answered.
    AnsweredByAnother(String),
    /// A flag's value cannot be used: wrong usage. No request was made.
    Flag(String),
    /// The kubeconfig or the credentials cannot be used. No request was made.
    Config {
        sentence: String,
        remedy: Option<String>,
    },
}

impl ErrorKind {
    /// The server's or the network's own words, where there are any.
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

/// A failure in talking to the API server: a kind, the action it belongs to, and where it happened.
#[derive(Clone)]
pub struct ClusterError {
    // One pointer wide, because it is the error side of nearly every `Result` here.
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

    pub(in crate::cluster) fn config(sentence: impl Into<String>, remedy: Option<&str>) -> Self {
        Self::new(ErrorKind::Config { sentence: sentence.into(), remedy: remedy.map(str::to_owned) })
    }

    pub(in crate::cluster) fn at(mut self, action: &Action, place: &Arc<Place>) -> Self {
        if action.resource.kind == "Secret"
            && let ErrorKind::Invalid { message, problems } = &mut self.parts.kind
        {
            // Even a short value of a Secret is one.
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

    /// Adds what only the caller knows; it is shown before the general hints.
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

    /// True when the request certainly changed nothing: it was not sent, or the server answered that it refuses it.
    ///
    /// 429 counts: the API server's flow control answers it before any handler runs. 5xx, a lost connection, a
    /// time-out and an unreadable answer do not: the write may have been stored before the answer went wrong.
    pub fn certainly_not_processed(&self) -> bool {
        match &self.parts.kind {
            ErrorKind::ServerFailed { code, .. } => *code == 429,
            ErrorKind::ConnectionLost { .. } | ErrorKind::Timeout { .. } | ErrorKind::Unreadable { .. } => false,
            _ => true,
        }
    }

    /// True when the same request may well succeed a moment later.
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

    /// True when the server does not know the `resourceVersion` that was asked for: it is too old, or, after the storage was
    /// restored, too new.
    pub(in crate::cluster) fn is_expired_version(&self) -> bool {
        matches!(
            self.parts.kind,
            ErrorKind::Gone { .. } | ErrorKind::ServerFailed { version_from_the_future: true, .. }
        )
    }

    pub(in crate::cluster) fn retry_after(&self) -> Option<Duration> {
        match self.parts.kind {
            ErrorKind::ServerFailed { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}

// `Debug` ends up in panics and logs, so it keeps to what `Display` says.
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
