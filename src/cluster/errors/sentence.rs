//! What happened, to what: one sentence for each kind of error.

use std::fmt;

use super::error::{ClusterError, ErrorKind};
use super::text::{after_colon, lower_first, seconds, unpunctuated, upper_first};
use crate::cluster::resource::Action;

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.parts.place.as_ref().map_or_else(|| "The API server".to_owned(), ToString::to_string);
        let object = self.parts.action.as_ref().map_or_else(|| "the object".to_owned(), Action::object);
        let doing = self.parts.action.as_ref().map_or_else(String::new, |action| format!(" to {action}"));
        match &self.parts.kind {
            ErrorKind::Unreachable(reason) => {
                let proxy = self.parts.place.as_ref().and_then(|place| place.proxy.as_ref());
                let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
                write!(f, "{server} cannot be reached{through}: {reason}.")
            }
            ErrorKind::TlsFailed(reason) => {
                write!(f, "No secure connection to {}: {reason}.", lower_first(&server))
            }
            ErrorKind::ConnectionLost(reason) => {
                write!(f, "{server} was asked{doing}, and the connection broke: {reason}.")
            }
            ErrorKind::Timeout(after) => {
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
            ErrorKind::Invalid { message, problems } if problems.is_empty() => {
                write!(f, "{server} does not accept {object}: {}.", unpunctuated(message))
            }
            ErrorKind::Invalid { problems, .. } => {
                write!(f, "{server} does not accept {object}: {}.", problems.join("; "))
            }
            ErrorKind::ServerFailed { code, message, .. } => {
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
            ErrorKind::Unreadable(reason) => {
                write!(f, "{server} was asked{doing}; the answer cannot be read: {reason}.")
            }
            ErrorKind::Config { sentence, .. } | ErrorKind::Flag(sentence) => f.write_str(sentence),
        }
    }
}
