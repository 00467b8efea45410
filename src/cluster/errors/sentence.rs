//! What happened, to what, and what to do next: one sentence for each kind of error, and its hints.

use std::fmt;

use super::error::{ClusterError, ErrorKind};
use super::text::{after_colon, between, lower_first, seconds, unpunctuated, upper_first};
use crate::cluster::resource::{Action, Place, qualified};

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
            ErrorKind::AnsweredByAnother(what) => {
                write!(f, "{server} was asked{doing}, and something else answered in its place: {what}.")
            }
            ErrorKind::Config { sentence, .. } | ErrorKind::Flag(sentence) => f.write_str(sentence),
        }
    }
}

impl ClusterError {
    /// What a person can do next, one sentence or command each; may be empty.
    pub fn hints(&self) -> Vec<String> {
        let own = self.parts.hint.map(str::to_owned).into_iter();
        own.chain(of_kind(self.kind(), self.parts.action.as_ref(), self.parts.place.as_deref())).collect()
    }
}

fn of_kind(kind: &ErrorKind, action: Option<&Action>, place: Option<&Place>) -> Vec<String> {
    let context = place.map_or_else(String::new, Place::context_flag);
    match kind {
        ErrorKind::Unreachable { .. } => {
            let mut hints = vec![
                "Check the way to the API server from here: network, VPN, proxy (HTTPS_PROXY, NO_PROXY).".to_owned(),
            ];
            if place.is_some_and(|place| place.context.is_some()) {
                hints.push("If another cluster is meant, name its context: `kubectl config get-contexts`, then `--context NAME`.".to_owned());
            }
            hints
        }
        ErrorKind::TlsFailed { .. } => vec![format!(
            "Compare with `kubectl{context} version`: if that fails too, the certificate-authority data of the kubeconfig or the server's certificate is at fault."
        )],
        ErrorKind::Unauthorized if place.is_some_and(|place| place.renewed_by_kubectl) => vec![format!(
            "The OpenID Connect token has probably expired. Run any kubectl command, such as `kubectl{context} auth whoami`: it renews the token, which this program cannot. Then run the same command again."
        )],
        ErrorKind::Unauthorized => vec![format!(
            "Log in again as you do for kubectl (a token or client certificate may have expired); `kubectl{context} auth whoami` tells when it works."
        )],
        ErrorKind::Forbidden { by_rules: true, .. } => {
            let asked = action.map(|action| can_i(action, place));
            let told = |line| format!("Ask an administrator for this right. `{line}` tells when it is there.");
            asked.map(told).into_iter().collect()
        }
        ErrorKind::Conflict { .. } => vec!["Read the object again, look at what changed, and decide again.".to_owned()],
        ErrorKind::ServerFailed { message, .. } if let Some(hint) = webhook(message) => vec![hint],
        ErrorKind::ServerFailed { .. } | ErrorKind::Timeout { .. } | ErrorKind::ConnectionLost { .. } => {
            vec!["Run the same command again in a moment; it continues where this one was.".to_owned()]
        }
        ErrorKind::Unreadable { .. } | ErrorKind::AnsweredByAnother(_) => vec![format!(
            "A proxy or a login page may answer in place of the API server: log in there, or check the server's address, VPN, HTTPS_PROXY and NO_PROXY. Compare with `kubectl{context} get --raw /version`."
        )],
        ErrorKind::Config { remedy, .. } => remedy.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Which webhook keeps the API server from answering, and where it runs, as far as the server's words tell.
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
        "The API server cannot use {whose}{at}, so the step did not happen. Get the webhook to respond, then run the same command again."
    ))
}

/// The line with which kubectl answers whether this action is allowed.
fn can_i(action: &Action, place: Option<&Place>) -> String {
    let (context, as_whom) = place.map(|place| (place.context_flag(), place.as_flags())).unwrap_or_default();
    // RBAC can be given per name, except for creating (the name is not known to it) and for listing.
    let name = action.name.as_ref().filter(|_| !["create", "list", "watch"].contains(&action.verb));
    let name = name.map_or_else(String::new, |name| format!("/{name}"));
    let namespace = action.namespace.as_ref().map_or_else(|| "-A".to_owned(), |namespace| format!("-n {namespace}"));
    let Action { verb, resource, .. } = action;
    format!("kubectl{context} auth can-i {verb} {}{name} {namespace}{as_whom}", qualified(resource))
}
