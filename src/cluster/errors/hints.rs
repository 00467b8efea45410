//! What to do next, per kind of failure.

use std::fmt::Write as _;

use super::error::ErrorKind;
use crate::cluster::place::{Place, shell_word};
use crate::cluster::resource::{Action, qualified};

pub fn hints(kind: &ErrorKind, action: Option<&Action>, place: Option<&Place>) -> Vec<String> {
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
        ErrorKind::TlsTrouble { .. } => vec![format!(
            "Compare with `kubectl{context} version`: if that fails too, the certificate-authority data of the kubeconfig or the server's certificate is at fault."
        )],
        ErrorKind::Unauthorized => vec![format!(
            "Log in again as you do for kubectl (a token or client certificate may have expired); `kubectl{context} auth whoami` tells when it works."
        )],
        ErrorKind::Forbidden { by_rules: true, .. } => action
            .map(|action| {
                vec![format!("Ask an administrator for this right. `{}` tells when it is there.", can_i(action, place))]
            })
            .unwrap_or_default(),
        ErrorKind::Conflict { .. } => vec!["Read the object again, look at what changed, and decide again.".to_owned()],
        ErrorKind::ServerTrouble { .. } | ErrorKind::Timeout { .. } | ErrorKind::ConnectionLost { .. } => {
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
    let mut line = format!(
        "kubectl{} auth can-i {} {}",
        place.map_or_else(String::new, Place::context_flag),
        action.verb,
        qualified(&action.resource)
    );
    // RBAC can be given per name, except for creating (the name is not known to it) and for listing.
    if let Some(name) = action.name.as_ref().filter(|_| !["create", "list", "watch"].contains(&action.verb)) {
        let _ = write!(line, "/{name}");
    }
    match &action.namespace {
        Some(namespace) => {
            let _ = write!(line, " -n {namespace}");
        }
        None => line.push_str(" -A"),
    }
    if let Some(place) = place {
        if let Some(user) = &place.impersonating {
            let _ = write!(line, " --as {}", shell_word(user));
        }
        for group in &place.impersonating_groups {
            let _ = write!(line, " --as-group {}", shell_word(group));
        }
    }
    line
}
