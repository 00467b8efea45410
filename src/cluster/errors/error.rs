//! What went wrong with the API server, as sentences.
//!
//! kube's `Display` of an API error is a debug dump and its source chain repeats it, so every error is sorted into an
//! [`ErrorKind`] and told in our own words. Nothing here carries a token, a certificate or a request body; what the
//! server wrote is cut and cleaned of control characters before it reaches a terminal.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use serde_json::Value;

use super::hints::hints;
use super::text::{
    after_colon, between, lower_first, plain, seconds, unknown_fields, unpunctuated, unquoted, upper_first,
    without_values,
};
use crate::cluster::place::Place;
use crate::cluster::resource::Action;

/// One field the API server objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Path as the server names it, `spec.components.synapse`; empty where it names none.
    pub field: String,
    /// What is wrong with it, in the server's words.
    pub message: String,
}

/// The kinds of failure a caller may want to tell apart. A `reason` completes a sentence after a colon; a `message` is in the
/// server's words and may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection: refused, unresolvable, no route. The request was not sent.
    Unreachable {
        reason: String,
    },
    /// The connection was made, but TLS did not come about. The request was not sent.
    TlsTrouble {
        reason: String,
    },
    /// The connection broke after the request may have left, before the answer was complete.
    ConnectionLost {
        reason: String,
    },
    /// No complete answer within the limit.
    Timeout {
        after: Duration,
    },
    /// 401.
    Unauthorized,
    /// 403.
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
    Conflict {
        message: String,
    },
    /// 409: the object to be created is there already.
    AlreadyExists,
    /// 410: the resourceVersion or the list's continuation is too old.
    /// For a list with a token that goes on from here, at the price of one consistent snapshot.
    Gone {
        go_on: Option<String>,
    },
    /// 400 or 422: the server does not take the object.
    Invalid {
        message: String,
        problems: Vec<FieldProblem>,
    },
    /// 5xx or 429.
    ServerTrouble {
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
    Unreadable {
        reason: String,
    },
    /// A flag's value cannot be used: wrong usage. No request was made.
    Flag {
        sentence: String,
    },
    /// The kubeconfig or the credentials cannot be used. No request was made.
    Config {
        sentence: String,
        remedy: Option<String>,
    },
}

/// A failure in talking to the API server: a kind, the action it belongs to, and where it happened.
#[derive(Clone)]
pub struct ClusterError {
    // One pointer wide, because it is the error side of nearly every `Result` here.
    parts: Box<Parts>,
}

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    action: Option<Action>,
    place: Option<Arc<Place>>,
    hint: Option<&'static str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ClusterError {
    pub fn new(kind: ErrorKind) -> Self {
        Self { parts: Box::new(Parts { kind, action: None, place: None, hint: None, source: None }) }
    }

    pub fn config(sentence: impl Into<String>, remedy: impl Into<Option<String>>) -> Self {
        Self::new(ErrorKind::Config { sentence: sentence.into(), remedy: remedy.into() })
    }

    pub fn at(mut self, action: &Action, place: &Arc<Place>) -> Self {
        if action.resource.kind == "Secret"
            && let ErrorKind::Invalid { message, problems } = &mut self.parts.kind
        {
            // Even a short value of a Secret is one.
            for text in problems.iter_mut().map(|problem| &mut problem.message).chain([message]) {
                *text = unquoted(text);
            }
        }
        self.parts.action = Some(action.clone());
        self.parts.place = Some(Arc::clone(place));
        self
    }

    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.parts.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds what only the caller knows; it is shown before the general hints.
    pub fn with_hint(mut self, hint: &'static str) -> Self {
        self.parts.hint = Some(hint);
        self
    }

    pub fn kind(&self) -> &ErrorKind {
        &self.parts.kind
    }

    /// True for an object that is not there, in an API that is served.
    pub fn is_not_found(&self) -> bool {
        self.parts.kind == ErrorKind::NotFound
    }

    /// True when the API server said that the caller may not do this.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.parts.kind, ErrorKind::Forbidden { .. })
    }

    /// True when the request certainly changed nothing: it was not sent, or the server answered that it refuses it.
    ///
    /// 429 counts: the API server's flow control answers it before any handler runs. 5xx, a lost connection, a
    /// time-out and an unreadable answer do not: the write may have been stored before the answer went wrong.
    pub fn certainly_not_processed(&self) -> bool {
        match &self.parts.kind {
            ErrorKind::ServerTrouble { code, .. } => *code == 429,
            ErrorKind::ConnectionLost { .. } | ErrorKind::Timeout { .. } | ErrorKind::Unreadable { .. } => false,
            _ => true,
        }
    }

    /// True when the same request may well succeed a moment later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.parts.kind,
            ErrorKind::Unreachable { .. }
                | ErrorKind::ConnectionLost { .. }
                | ErrorKind::Timeout { .. }
                | ErrorKind::ServerTrouble { .. }
                | ErrorKind::Unreadable { .. }
        )
    }

    /// The pause the server asked for, if any.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.parts.kind {
            ErrorKind::ServerTrouble { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    /// What a person can do next, one sentence or command each; may be empty.
    pub fn hints(&self) -> Vec<String> {
        let own = self.parts.hint.iter().map(|hint| (*hint).to_owned());
        own.chain(hints(&self.parts.kind, self.parts.action.as_ref(), self.parts.place.as_deref())).collect()
    }

    /// Sorts an answer with a failure status into its kind. `body` is a Kubernetes `Status` or anything else.
    pub fn from_answer(code: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let status: Option<Value> =
            serde_json::from_slice::<Value>(body).ok().filter(|value| value["kind"] == "Status");
        Self::new(kind_of(code, retry_after, status.as_ref(), body))
    }

    /// The same for a `Status` that came as a watch event; its `code` takes the place of the HTTP status.
    pub fn from_status(status: &Value) -> Self {
        let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        Self::new(kind_of(code, None, Some(status), b""))
    }
}

fn kind_of(code: u16, retry_after: Option<Duration>, status: Option<&Value>, body: &[u8]) -> ErrorKind {
    let text = |value: &Value| plain(&without_values(value.as_str().unwrap_or_default()));
    // Without a Status it is a proxy or load balancer that speaks; an HTML page helps nobody.
    let message = status.map_or_else(
        || {
            let body = String::from_utf8_lossy(&body[..body.len().min(400)]);
            if body.trim_start().starts_with('<') { String::new() } else { plain(body.trim()) }
        },
        |status| text(&status["message"]),
    );
    let details = status.map_or(&Value::Null, |status| &status["details"]);
    let retry_after = retry_after.or_else(|| details["retryAfterSeconds"].as_u64().map(Duration::from_secs));
    let causes = || details["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    match code {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden {
            user: between(&message, "User \"", "\"").map(str::to_owned),
            by_rules: message.contains(" cannot ") || message.is_empty(),
            message: between(&message, " is forbidden: ", "").unwrap_or(&message).to_owned(),
        },
        // An object that is missing is named in the details; an API that is not served leaves plain text or no details.
        404 if details["name"].as_str().is_some_and(|name| !name.is_empty()) => ErrorKind::NotFound,
        404 => ErrorKind::NoSuchApi,
        409 if status.is_some_and(|status| status["reason"] == "AlreadyExists") => ErrorKind::AlreadyExists,
        409 => ErrorKind::Conflict { message },
        410 => ErrorKind::Gone {
            go_on: status
                .and_then(|status| status["metadata"]["continue"].as_str())
                .filter(|token| !token.is_empty())
                .map(str::to_owned),
        },
        400 | 422 => {
            let unknown = unknown_fields(&message);
            let named = causes()
                .iter()
                .map(|cause| FieldProblem { field: text(&cause["field"]), message: text(&cause["message"]) });
            ErrorKind::Invalid { problems: if unknown.is_empty() { named.collect() } else { unknown }, message }
        }
        429 | 500..=599 => ErrorKind::ServerTrouble {
            code,
            retry_after,
            version_from_the_future: causes().iter().any(|cause| cause["reason"] == "ResourceVersionTooLarge")
                || message.contains("Too large resource version"),
            message,
        },
        _ => ErrorKind::Refused { code, message },
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.parts.place.as_ref().map_or_else(|| "The API server".to_owned(), ToString::to_string);
        let object = self.parts.action.as_ref().map_or_else(|| "the object".to_owned(), Action::object);
        let doing = self.parts.action.as_ref().map_or_else(String::new, |action| format!(" to {action}"));
        match &self.parts.kind {
            ErrorKind::Unreachable { reason } => {
                let proxy = self.parts.place.as_ref().and_then(|place| place.proxy.as_ref());
                let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
                write!(f, "{server} cannot be reached{through}: {reason}.")
            }
            ErrorKind::TlsTrouble { reason } => {
                write!(f, "No secure connection to {}: {reason}.", lower_first(&server))
            }
            ErrorKind::ConnectionLost { reason } => {
                write!(f, "{server} was asked{doing}, and the connection broke: {reason}.")
            }
            ErrorKind::Timeout { after } => {
                write!(f, "{server} was asked{doing} and gave no answer within {}.", seconds(*after))
            }
            ErrorKind::Unauthorized => write!(f, "{server} does not accept your credentials."),
            ErrorKind::Forbidden { user, by_rules: true, .. } => {
                let who = user.as_ref().map_or_else(|| "You are".to_owned(), |user| format!("The user {user} is"));
                write!(f, "{who} not allowed{doing}.")
            }
            ErrorKind::Forbidden { message, .. } => {
                write!(f, "{server} was asked{doing}; a rule of the cluster forbids it: {}.", unpunctuated(message))
            }
            ErrorKind::NotFound => write!(f, "There is no {}.", object.strip_prefix("the ").unwrap_or(&object)),
            ErrorKind::NoSuchApi => {
                let api = self.parts.action.as_ref().map_or_else(
                    || "this API".to_owned(),
                    |action| format!("{}s ({})", action.resource.kind, action.resource.api_version),
                );
                write!(f, "{server} does not serve {api}.")
            }
            ErrorKind::Conflict { .. } => write!(f, "Somebody else has changed {object} in the meantime."),
            ErrorKind::AlreadyExists => write!(f, "{} exists already.", upper_first(&object)),
            ErrorKind::Gone { .. } => {
                write!(f, "{server} no longer knows the state from which to go on with {object}.")
            }
            ErrorKind::Invalid { message, problems } => {
                write!(f, "{server} does not accept {object}")?;
                if problems.is_empty() {
                    return write!(f, ": {}.", unpunctuated(message));
                }
                for (index, problem) in problems.iter().enumerate() {
                    f.write_str(if index == 0 { ": " } else { "; " })?;
                    if !problem.field.is_empty() {
                        write!(f, "`{}`: ", problem.field)?;
                    }
                    f.write_str(unpunctuated(&problem.message))?;
                }
                f.write_str(".")
            }
            ErrorKind::ServerTrouble { code, message, .. } => {
                let what = match code {
                    429 => "that it is overloaded",
                    503 => "that it is not available at the moment",
                    504 => "that it ran out of time",
                    _ => "with an internal error",
                };
                write!(f, "{server} was asked{doing} and answered {what} ({code}){}.", after_colon(message))
            }
            ErrorKind::Refused { code, message } => {
                write!(f, "{server} was asked{doing} and refused ({code}){}.", after_colon(message))
            }
            ErrorKind::Unreadable { reason } => {
                write!(f, "{server} was asked{doing}; the answer cannot be read: {reason}.")
            }
            ErrorKind::Config { sentence, .. } | ErrorKind::Flag { sentence } => f.write_str(sentence),
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
