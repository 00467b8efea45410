//! Where MAS's certificate comes from, and whether what is there is good for its host.
//!
//! The modes are those of `…k8s.ingress.tls` of the ElementDeployment. The operator's rule for `certfile`: certificate and key
//! are two keys of the component's Secret; where that lacks them, they are taken from the global Secret under its own names.

use serde_json::Value;

use super::certificate::{self, Stored, Use};
use super::finding::{Code, Finding};
use crate::answers::Known;
use crate::deployment::{Deployment, MAS, TlsMode};
use crate::plan::{MasSettings, SecretContents, SecretKeys, Tls};
use crate::secrets::SecretBytes;

const CERTIFICATE_SECRET_TYPE: Code = "certificate-secret-type";
pub const CLUSTER_ISSUER: Code = "cluster-issuer";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Nothing says; the check of the settings tells.
    Nowhere,
    /// TLS ends in front of the ingress.
    Elsewhere,
    Issuer(String),
    Secret(String),
    /// Two keys of MAS's own Secret, else of the global one.
    Component {
        own: (String, Stored),
        /// The global Secret and the keys in it, where the mode is inherited and it names them.
        global: Option<(String, Stored)>,
    },
}

impl CertificateSource {
    /// Reads the effective mode from the settings and, where they leave it open, from the deployment.
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

/// The global Secret and its keys, as `spec.global` names them; `global` is the schema's default name.
fn global(deployment: &Deployment) -> Option<(String, Stored)> {
    let key = |name: &str| deployment.global_tls()["certificate"][name].as_str().map(str::to_owned);
    let name = deployment.spec()["global"]["secretName"].as_str().unwrap_or("global").to_owned();
    Some((name, Stored { certificate: key("certFileSecretKey")?, private_key: key("privateKeySecretKey")? }))
}

/// Certificate and key that a person gave, or that were issued for them, and which keys of the Secret they may replace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offered<'a> {
    pub pair: Option<&'a (SecretBytes, SecretBytes)>,
    pub replace: &'a [String],
}

/// A look at a Secret: its contents, and its `type`.
pub type TypedSecret = Known<Option<(SecretContents, String)>>;

fn contents(look: &TypedSecret) -> Known<Option<&SecretContents>> {
    match look {
        Known::Known(found) => Known::Known(found.as_ref().map(|(contents, _)| contents)),
        Known::Unreadable(why) => Known::Unreadable(why.clone()),
    }
}

/// Mode `certfile`: judges the pair that will be in MAS's Secret, each of the two as it will be: a value that is there stays,
/// unless it is replaced by name. Where MAS's Secret will have neither, the global one is judged.
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
            let subject = format!("global Secret {name}, as Secret {} has no certificate", own.0);
            certificate::stored(&subject, contents(look), keys, wanted)
        }
        _ => certificate::pair(&subject, keys, chain.as_ref(), key.as_ref(), wanted),
    }
}

/// Mode `existing`: the Secret has to be of type `kubernetes.io/tls` and its certificate good for the host.
pub fn existing(name: &str, look: &TypedSecret, wanted: Use<'_>) -> Vec<Finding> {
    let subject = format!("Secret {name}");
    if let Known::Known(Some((_, kind))) = look
        && kind != "kubernetes.io/tls"
    {
        let text = format!("its type is {kind}; TLS mode `existing` needs one of type kubernetes.io/tls");
        let remedy = "Make one: kubectl create secret tls NAME --cert=FILE --key=FILE";
        return vec![Finding::blocker(CERTIFICATE_SECRET_TYPE, subject, text).remedy(remedy)];
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

/// Mode `certmanager`: the ClusterIssuer has to exist, and its condition `Ready` to be True (cert-manager's API reference).
pub fn issuer(name: &str, look: &IssuerState) -> Finding {
    let subject = format!("ClusterIssuer {name}");
    let code = CLUSTER_ISSUER;
    if name.is_empty() {
        return Finding::blocker(code, subject, "TLS mode `certmanager` is set, but no issuer is named")
            .remedy("Name one: `kubectl ess-mas prepare --tls certmanager --issuer NAME`.");
    }
    match look {
        // Nothing to look at is nothing found: something else may answer for the ingress's annotation.
        IssuerState::NotInstalled => {
            let text = "it was not looked at, because this cluster has no clusterissuers.cert-manager.io";
            Finding::ok(code, subject, text)
        }
        IssuerState::Unreadable(why) => Finding::unknown(code, subject, format!("it could not be read: {why}"))
            .remedy("Ask somebody who may: kubectl get clusterissuers"),
        IssuerState::Missing => Finding::blocker(code, subject, "it does not exist")
            .remedy("Name one that exists (kubectl get clusterissuers) with `kubectl ess-mas prepare --tls certmanager --issuer NAME`."),
        IssuerState::Found(object) => ready(subject, object),
    }
}

fn ready(subject: String, object: &Value) -> Finding {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready");
    let code = CLUSTER_ISSUER;
    match ready.map(|condition| (condition["status"].as_str().unwrap_or_default(), &condition["message"])) {
        Some(("True", _)) => Finding::ok(code, subject, "it is ready"),
        Some((_, message)) => {
            let why = message.as_str().map_or_else(String::new, |message| format!(": {message}"));
            Finding::warning(code, subject, format!("it is not ready, so no certificate is issued{why}"))
                .remedy("Mend the issuer; `kubectl describe clusterissuer` tells more.")
        }
        None => {
            let remedy =
                "See whether cert-manager is running: kubectl get pods -A -l app.kubernetes.io/instance=cert-manager";
            Finding::unknown(code, subject, "it does not say whether it is ready").remedy(remedy)
        }
    }
}

#[cfg(test)]
mod tests;
