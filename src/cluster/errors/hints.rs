//! What to do next, per kind of failure.

use super::error::{ClusterError, ErrorKind};
use crate::cluster::place::Place;
use crate::cluster::resource::{Action, qualified};

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
        ErrorKind::Unauthorized => vec![format!(
            "Log in again as you do for kubectl (a token or client certificate may have expired); `kubectl{context} auth whoami` tells when it works."
        )],
        ErrorKind::Forbidden { by_rules: true, .. } => {
            let asked = action.map(|action| can_i(action, place));
            let told = |line| format!("Ask an administrator for this right. `{line}` tells when it is there.");
            asked.map(told).into_iter().collect()
        }
        ErrorKind::Conflict { .. } => vec!["Read the object again, look at what changed, and decide again.".to_owned()],
        ErrorKind::ServerFailed { .. } | ErrorKind::Timeout { .. } | ErrorKind::ConnectionLost { .. } => {
            vec!["Run the same command again in a moment; it continues where this one was.".to_owned()]
        }
        ErrorKind::Unreadable { .. } => vec![format!(
            "Something between here and the API server may have answered in its place (a proxy or a login page); compare with `kubectl{context} get --raw /version`."
        )],
        ErrorKind::Config { remedy, .. } => remedy.iter().cloned().collect(),
        _ => Vec::new(),
    }
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
