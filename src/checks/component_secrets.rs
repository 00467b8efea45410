//! The Secrets of other components. At the start of each reconcile, the operator checks that every `*SecretKey` of every
//! component is a key of its Secret, and fails otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use crate::deployment::{Deployment, MAS, TlsMode};
use crate::plan::referenced_keys;

struct Reference {
    component: String,
    /// Path of the field below the component.
    property: String,
    secret: String,
    key: String,
}

/// The Secrets with keys that components refer to, except MAS's, the most important ones first.
pub fn secrets_to_look_at(deployment: &Deployment) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for reference in references(deployment) {
        let name = reference.secret;
        if !names.contains(&name) && deployment.mas_secret_name() != Some(&name) {
            names.push(name);
        }
    }
    names
}

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let around = &snapshot.components;
    // `prepare` starts no reconcile.
    if purpose == Purpose::Prepare || (around.secrets.is_empty() && around.left_out.is_empty()) {
        return;
    }
    let before = findings.len();
    let keys: BTreeMap<&str, &Option<BTreeSet<String>>> =
        around.secrets.iter().filter_map(|one| Some((one.name.as_str(), one.keys.known()?))).collect();
    let all = references(&snapshot.deployment);
    for (name, keys) in &keys {
        let of_this: Vec<&Reference> = all.iter().filter(|reference| reference.secret == *name).collect();
        match keys {
            None => findings.push(no_secret(name, &of_this)),
            Some(keys) => findings.extend(of_this.iter().filter(|one| !keys.contains(&one.key)).map(|one| absent(one))),
        }
    }
    certificates(&snapshot.deployment, &keys, findings);
    unknown(snapshot, findings);
    if findings.len() == before {
        let names: Vec<&str> = keys.keys().copied().collect();
        let secrets = format!("Secrets {}", names.join(", "));
        findings.push(Finding::of("component-secrets", &secrets, &[("secrets", &secrets)]));
    }
}

/// Every reference that the operator requires, except certificates, which [`certificates`] checks.
fn references(deployment: &Deployment) -> Vec<Reference> {
    let global = &deployment.spec()["global"];
    let text = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
    let mut all = vec![Reference {
        component: "global".to_owned(),
        property: "config.genericSharedSecretSecretKey".to_owned(),
        secret: text(&global["secretName"], "global"),
        key: text(&global["config"]["genericSharedSecretSecretKey"], "genericSharedSecret"),
    }];
    let mut components: Vec<(&str, &Value)> = deployment.components().filter(|(name, _)| *name != MAS).collect();
    components.sort_by_key(|(name, _)| *name != "synapse");
    for (component, value) in components {
        let Some(secret) = value["secretName"].as_str().filter(|name| !name.is_empty()) else { continue };
        for (property, key) in referenced_keys(value) {
            if !property.contains(".tls.") {
                all.push(Reference { component: component.to_owned(), property, secret: secret.to_owned(), key });
            }
        }
    }
    all
}

fn no_secret(name: &str, references: &[&Reference]) -> Finding {
    let keys: BTreeSet<&str> = references.iter().map(|reference| reference.key.as_str()).collect();
    let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
    let component = references.first().map_or("", |reference| reference.component.as_str());
    Finding::of("no-component-secret", format!("Secret {name}"), &[("component", component), ("keys", &keys)])
}

fn absent(Reference { component, property, secret, key }: &Reference) -> Finding {
    let values = [("component", component.as_str()), ("property", property), ("secret", secret), ("key", key)];
    Finding::of("no-component-key", format!("Secret {secret}, key {key}"), &values)
}

/// In TLS mode `certfile`, the operator takes certificate and key from the component's Secret if it contains both, else from
/// the global Secret, with the key names of `spec.global`.
fn certificates(
    deployment: &Deployment,
    keys: &BTreeMap<&str, &Option<BTreeSet<String>>>,
    findings: &mut Vec<Finding>,
) {
    let has = |secret: &str, pair: &(String, String)| {
        keys.get(secret).map(|keys| keys.as_ref().is_some_and(|keys| keys.contains(&pair.0) && keys.contains(&pair.1)))
    };
    let global_secret = deployment.spec()["global"]["secretName"].as_str().unwrap_or("global");
    // Without key names, the global Secret has no certificate; `None` means that the Secret couldn't be read.
    let global = pair(deployment.global_tls()).map_or(Some(false), |pair| has(global_secret, &pair));
    for (component, value) in deployment.components().filter(|(name, _)| *name != MAS) {
        let is_certfile = deployment.tls_mode(component).is_some_and(|(mode, _)| mode == TlsMode::Certfile);
        let Some(secret) = value["secretName"].as_str().filter(|_| is_certfile) else { continue };
        // Key names that only the schema's defaults set are unknown.
        let Some(own_pair) = pair(&value["k8s"]["ingress"]["tls"]) else { continue };
        if has(secret, &own_pair) == Some(false) && global != Some(true) {
            let (certificate, key) = &own_pair;
            let subject = format!("Secret {secret}, keys {certificate} and {key}");
            let name = if global.is_some() { "no-certificate" } else { "certificate-unclear" };
            findings.push(Finding::of(name, subject, &[("component", component), ("global", global_secret)]));
        }
    }
}

fn pair(tls: &Value) -> Option<(String, String)> {
    let key = |name: &str| tls["certificate"][name].as_str().filter(|key| !key.is_empty()).map(str::to_owned);
    Some((key("certFileSecretKey")?, key("privateKeySecretKey")?))
}

fn unknown(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let around = &snapshot.components;
    let mut unknown = |names: &[&str], why: &str| {
        let kind = if names.len() == 1 { "Secret" } else { "Secrets" };
        let subject = format!("{kind} {}", names.join(", "));
        findings.push(Finding::of("component-secret-unread", subject, &[("why", why)]));
    };
    let unreadable = around.secrets.iter().filter_map(|one| match &one.keys {
        Known::Unreadable(why) => Some((one.name.as_str(), why)),
        Known::Known(_) => None,
    });
    let (names, reasons): (Vec<&str>, Vec<&String>) = unreadable.unzip();
    if let Some(why) = reasons.first() {
        unknown(&names, &format!("couldn't be read: {why}"));
    }
    if !around.left_out.is_empty() {
        let names: Vec<&str> = around.left_out.iter().map(String::as_str).collect();
        unknown(&names, "not read, to limit the number of requests; `dry-run` reads all of them");
    }
}

#[cfg(test)]
mod tests;
