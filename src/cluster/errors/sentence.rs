//! The message and the hints of each kind of error.

use std::fmt;

use super::error::{ClusterError, ErrorKind};
use super::text::{after_colon, between, seconds, unpunctuated};
use crate::cluster::resource::{Action, Place, qualified};

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.parts.place.as_ref().map_or_else(|| "the API server".to_owned(), ToString::to_string);
        let action = self.parts.action.as_ref();
        let object = action.map_or_else(|| "the object".to_owned(), Action::object);
        let doing = action.map_or_else(String::new, |action| format!(" to {action}"));
        match &self.parts.kind {
            ErrorKind::Unreachable(reason) => {
                let proxy = self.parts.place.as_ref().and_then(|place| place.proxy.as_ref());
                let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
                write!(f, "{server} cannot be reached{through}: {reason}")
            }
            ErrorKind::TlsFailed(reason) => write!(f, "TLS connection to {server} failed: {reason}"),
            ErrorKind::ConnectionLost(reason) => {
                write!(f, "connection to {server} lost during the request{doing}: {reason}")
            }
            ErrorKind::Timeout(after) => {
                write!(f, "{server} did not respond to the request{doing} within {}", seconds(*after))
            }
            ErrorKind::Unauthorized => write!(f, "{server} rejected your credentials"),
            ErrorKind::Forbidden { user, by_rules: true, .. } => {
                let who = user.as_ref().map_or_else(|| "you are".to_owned(), |user| format!("user {user} is"));
                write!(f, "{who} not allowed{doing}")
            }
            ErrorKind::Forbidden { message, .. } => {
                write!(f, "admission control refused the request{doing}: {}", unpunctuated(message))
            }
            ErrorKind::NotFound => write!(f, "{object} not found"),
            ErrorKind::NoSuchApi => {
                let api = action.map(|action| format!("{}s ({})", action.resource.kind, action.resource.api_version));
                write!(f, "{server} does not serve {}", api.as_deref().unwrap_or("this API"))
            }
            ErrorKind::Conflict { .. } => write!(f, "{object} was changed by another client in the meantime"),
            ErrorKind::AlreadyExists => write!(f, "{object} already exists"),
            ErrorKind::Gone(_) => write!(f, "the requested version of {object} is no longer available"),
            ErrorKind::Invalid { message, problems } => {
                let problems = Some(problems.join("; ")).filter(|problems| !problems.is_empty());
                write!(f, "{server} rejected {object}: {}", problems.as_deref().unwrap_or(unpunctuated(message)))
            }
            ErrorKind::ServerFailed { code, message, .. } => {
                let status =
                    http::StatusCode::from_u16(*code).map_or_else(|_| code.to_string(), |code| code.to_string());
                write!(f, "{server} responded to the request{doing} with {status}{}", after_colon(message))
            }
            ErrorKind::Refused { code, message } => {
                write!(f, "{server} refused the request{doing} ({code}){}", after_colon(message))
            }
            ErrorKind::Unreadable(reason) => {
                write!(f, "invalid response from {server} to the request{doing}: {reason}")
            }
            ErrorKind::AnsweredByAnother(what) => {
                write!(f, "{server} did not respond to the request{doing} itself: the response is {what}")
            }
            ErrorKind::Config { sentence, .. } | ErrorKind::Flag(sentence) => f.write_str(sentence),
        }
    }
}

impl ClusterError {
    /// The next steps, one sentence or command each.
    pub fn hints(&self) -> Vec<String> {
        let own = self.parts.hint.map(str::to_owned).into_iter();
        own.chain(of_kind(self.kind(), self.parts.action.as_ref(), self.parts.place.as_deref())).collect()
    }
}

fn of_kind(kind: &ErrorKind, action: Option<&Action>, place: Option<&Place>) -> Vec<String> {
    let context = place.map_or_else(String::new, Place::context_flag);
    match kind {
        ErrorKind::Unreachable { .. } => {
            let check = "Check the network, the VPN and the proxy settings (HTTPS_PROXY, NO_PROXY).";
            let other =
                "To use another cluster, pass `--context NAME`; `kubectl config get-contexts` lists the contexts.";
            let several = place.is_some_and(|place| place.context.is_some());
            std::iter::once(check).chain(several.then_some(other)).map(str::to_owned).collect()
        }
        ErrorKind::TlsFailed { .. } => vec![format!(
            "Run `kubectl{context} version`. If it fails too, check the certificate authority in the kubeconfig and the server's certificate."
        )],
        ErrorKind::Unauthorized if place.is_some_and(|place| place.renewed_by_kubectl) => vec![format!(
            "The OpenID Connect token has probably expired. Only kubectl renews it: run `kubectl{context} auth whoami`, then run the same command again."
        )],
        ErrorKind::Unauthorized => vec![format!(
            "A token or client certificate may have expired. Log in again as you do for kubectl. To test the login: `kubectl{context} auth whoami`."
        )],
        ErrorKind::Forbidden { by_rules: true, .. } => {
            let asked = action.map(|action| can_i(action, place));
            let hint = |line| format!("Ask an administrator for this permission. To check it: `{line}`.");
            asked.map(hint).into_iter().collect()
        }
        ErrorKind::Conflict { .. } => vec!["Review the object's changes, then run the same command again.".to_owned()],
        ErrorKind::ServerFailed { message, .. } if let Some(hint) = webhook(message) => vec![hint],
        ErrorKind::ServerFailed { .. } | ErrorKind::Timeout { .. } | ErrorKind::ConnectionLost { .. } => {
            vec!["Run the same command again in a moment; it resumes.".to_owned()]
        }
        ErrorKind::Unreadable { .. } | ErrorKind::AnsweredByAnother(_) => vec![format!(
            "A proxy or a login page may answer in place of the API server. Log in there, or check the server's address, the VPN, HTTPS_PROXY and NO_PROXY. To test the connection: `kubectl{context} get --raw /version`."
        )],
        ErrorKind::Config { remedy, .. } => remedy.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

/// The hint for a webhook that the API server can't use, from the server's message.
fn webhook(message: &str) -> Option<String> {
    let whose = if message.contains("conversion webhook for ") {
        "the conversion webhook of the updater (the operator)".to_owned()
    } else {
        format!("the admission webhook {}", between(message, "failed calling webhook \"", "\"")?)
    };
    let host = between(message, "Post \"https://", "/").unwrap_or_default();
    let mut labels = host.split(['.', ':']);
    let at = match (labels.next(), labels.next(), labels.next()) {
        (Some(service), Some(namespace), Some("svc")) => {
            format!(", Service {service} in namespace {namespace} (`kubectl get pods,endpoints -n {namespace}`)")
        }
        _ if host.is_empty() => String::new(),
        _ => format!(" at {host}"),
    };
    Some(format!(
        "The API server cannot use {whose}{at}, so it changed nothing. Make the webhook respond, then run the same command again."
    ))
}

/// The kubectl command that checks whether this action is allowed.
fn can_i(action: &Action, place: Option<&Place>) -> String {
    let (context, as_whom) = place.map(|place| (place.context_flag(), place.as_flags())).unwrap_or_default();
    // RBAC can't restrict create and list to a name.
    let name = action.name.as_ref().filter(|_| !["create", "list", "watch"].contains(&action.verb));
    let name = name.map_or_else(String::new, |name| format!("/{name}"));
    let namespace = action.namespace.as_ref().map_or_else(|| "-A".to_owned(), |namespace| format!("-n {namespace}"));
    let Action { verb, resource, .. } = action;
    format!("kubectl{context} auth can-i {verb} {}{name} {namespace}{as_whom}", qualified(resource))
}
