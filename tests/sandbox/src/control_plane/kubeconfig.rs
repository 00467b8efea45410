//! Kubeconfig files for the users of a control plane.

use serde_json::{Value, json};

use crate::Result;

/// A user's credentials.
pub(crate) enum Credential<'a> {
    /// Both in PEM, without paths, so that the file works in every folder.
    Certificate { certificate: &'a str, key: &'a str },
    /// A bearer token.
    Token(&'a str),
}

/// A kubeconfig with one context with the name of the user.
pub(crate) fn kubeconfig(
    server: &str,
    authority: &str,
    user: &str,
    credential: &Credential<'_>,
    namespace: Option<&str>,
) -> Result<String> {
    let credential = match credential {
        Credential::Certificate { certificate, key } => json!({
            "client-certificate-data": base64(certificate),
            "client-key-data": base64(key),
        }),
        Credential::Token(token) => json!({ "token": token }),
    };
    let mut context = json!({ "cluster": "sandbox", "user": user });
    if let Some(namespace) = namespace {
        context["namespace"] = namespace.into();
    }
    Ok(serde_yaml::to_string(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "sandbox",
            "cluster": { "server": server, "certificate-authority-data": base64(authority) },
        }],
        "users": [{ "name": user, "user": credential }],
        "contexts": [{ "name": user, "context": context }],
        "current-context": user,
    }))?)
}

/// Encodes Base64 with `k8s_openapi`, to need no other library.
fn base64(text: &str) -> Value {
    serde_json::to_value(k8s_openapi::ByteString(text.as_bytes().to_vec())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_one_that_kube_reads() {
        let token = Credential::Token("t0ken");
        let text = kubeconfig("https://127.0.0.1:1", "PEM", "alice", &token, Some("ns")).unwrap();
        let read = kube::config::Kubeconfig::from_yaml(&text).unwrap();
        assert_eq!(read.current_context.as_deref(), Some("alice"));
        assert_eq!(read.contexts[0].context.as_ref().unwrap().namespace.as_deref(), Some("ns"));
        let cluster = read.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority_data.as_deref(), Some("UEVN"));
    }
}
