//! The source of MAS's certificate, and findings about its contents.
//!
//! The modes are those of `…k8s.ingress.tls` of the ElementDeployment. The operator's rule for `certfile`: certificate and key
//! are two keys of the component's Secret, or else of the global Secret under the names there.

use serde_json::Value;

use super::certificate::{self, Stored, Use};
use super::finding::Finding;
use crate::answers::Known;
use crate::deployment::{Deployment, MAS, TlsMode};
use crate::plan::{MasSettings, SecretContents, SecretKeys, Tls};
use crate::secrets::SecretBytes;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// The mode is not set; the check of the settings reports it.
    Nowhere,
    /// TLS is terminated in front of the ingress.
    Elsewhere,
    Issuer(String),
    Secret(String),
    /// Two keys of MAS's own Secret, else of the global Secret.
    Component {
        own: (String, Stored),
        /// The global Secret and its keys, if the mode is inherited and the spec names them.
        global: Option<(String, Stored)>,
    },
}

impl CertificateSource {
    /// The effective mode: from the settings, else from the deployment.
    pub fn of(settings: &MasSettings, deployment: &Deployment, keys: &SecretKeys) -> Self {
        let own = || {
            let stored = Stored { certificate: keys.certificate.clone(), private_key: keys.private_key.clone() };
            (settings.secret_name.clone(), stored)
        };
        match &settings.tls {
            Tls::External => Self::Elsewhere,
            Tls::Certmanager { issuer } => Self::Issuer(issuer.clone()),
            Tls::Existing { secret } => Self::Secret(secret.clone()),
            Tls::Certfile => Self::Component { own: own(), global: None },
            Tls::Inherit => {
                let Some((mode, inherited)) = deployment.tls_mode(MAS) else { return Self::Nowhere };
                let component = deployment.mas().map_or(&Value::Null, |mas| &mas["k8s"]["ingress"]["tls"]);
                let tls = if inherited { deployment.global_tls() } else { component };
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                match mode {
                    TlsMode::External => Self::Elsewhere,
                    TlsMode::Certmanager => Self::Issuer(text(&tls["certmanager"]["issuer"])),
                    TlsMode::Existing => Self::Secret(text(&tls["secretName"])),
                    TlsMode::Certfile => Self::Component { own: own(), global: global(deployment) },
                }
            }
        }
    }
}

/// The global Secret and its keys from `spec.global`; `global` is the schema's default name.
fn global(deployment: &Deployment) -> Option<(String, Stored)> {
    let key = |name: &str| deployment.global_tls()["certificate"][name].as_str().map(str::to_owned);
    let name = deployment.spec()["global"]["secretName"].as_str().unwrap_or("global").to_owned();
    Some((name, Stored { certificate: key("certFileSecretKey")?, private_key: key("privateKeySecretKey")? }))
}

/// Certificate and key that the user passed or that were issued in this run, and the keys of the Secret that they may replace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offered<'a> {
    pub pair: Option<&'a (SecretBytes, SecretBytes)>,
    pub replace: &'a [String],
}

/// The contents of a Secret, and its `type`.
pub type TypedSecret = Known<Option<(SecretContents, String)>>;

fn contents(look: &TypedSecret) -> Known<Option<&SecretContents>> {
    match look {
        Known::Known(found) => Known::Known(found.as_ref().map(|(contents, _)| contents)),
        Known::Unreadable(why) => Known::Unreadable(why.clone()),
    }
}

/// Mode `certfile`: checks the pair that MAS's Secret will have. An existing value stays unless it is replaced by name. If
/// MAS's Secret will have neither, the global Secret is checked.
pub fn certfile(
    own: (&str, &Stored, &TypedSecret),
    global: Option<(&str, &Stored, &TypedSecret)>,
    offered: Offered<'_>,
    wanted: Use<'_>,
) -> Vec<Finding> {
    let (name, keys, look) = own;
    let subject = format!("Secret {name}");
    let present = match contents(look) {
        unreadable @ Known::Unreadable(_) => return certificate::stored(&subject, unreadable, keys, wanted),
        Known::Known(present) => present,
    };
    let effective = |key: &String, given: Option<&SecretBytes>| {
        let there = present.and_then(|secret| secret.data.get(key));
        given.filter(|_| there.is_none() || offered.replace.contains(key)).or(there).cloned()
    };
    let chain = effective(&keys.certificate, offered.pair.map(|(chain, _)| chain));
    let key = effective(&keys.private_key, offered.pair.map(|(_, key)| key));
    match (&chain, &key, global) {
        (None, None, Some((name, keys, look))) => {
            let subject = format!("global Secret {name}, because Secret {} has no certificate", own.0);
            certificate::stored(&subject, contents(look), keys, wanted)
        }
        _ => certificate::pair(&subject, keys, chain.as_ref(), key.as_ref(), wanted),
    }
}

/// Mode `existing`: the Secret must have type `kubernetes.io/tls` and a certificate for the host.
pub fn existing(name: &str, look: &TypedSecret, wanted: Use<'_>) -> Vec<Finding> {
    let subject = format!("Secret {name}");
    if let Known::Known(Some((_, kind))) = look
        && kind != "kubernetes.io/tls"
    {
        return vec![Finding::of("secret-type", subject, &[("kind", kind)])];
    }
    certificate::stored(&subject, contents(look), &Stored::kubernetes(), wanted)
}

#[derive(Debug, Clone, PartialEq)]
pub enum IssuerState {
    /// The cluster serves no `clusterissuers.cert-manager.io`.
    NotInstalled,
    Unreadable(String),
    Missing,
    Found(Value),
}

/// Mode `certmanager`: the ClusterIssuer must exist with condition `Ready` True (cert-manager's API reference).
pub fn issuer(name: &str, look: &IssuerState) -> Finding {
    let subject = format!("ClusterIssuer {name}");
    let finding = |name: &str, why: &str| Finding::of(name, &subject, &[("subject", &subject), ("why", why)]);
    match look {
        _ if name.is_empty() => finding("no-issuer-set", ""),
        // Ok: another controller may serve the ingress's annotation.
        IssuerState::NotInstalled => finding("no-cert-manager", ""),
        IssuerState::Unreadable(why) => finding("issuer-unread", why),
        IssuerState::Missing => finding("issuer-missing", ""),
        IssuerState::Found(object) => {
            let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            match conditions.find(|condition| condition["type"] == "Ready") {
                Some(ready) if ready["status"] == "True" => finding("issuer-ready", ""),
                Some(ready) => {
                    let why = ready["message"].as_str().map_or_else(String::new, |message| format!(": {message}"));
                    finding("issuer-not-ready", &why)
                }
                None => finding("issuer-unclear", ""),
            }
        }
    }
}

#[cfg(test)]
mod tests;
