//! Existing and missing keys.

use serde_json::json;

use super::super::finding::Severity;
use super::*;
use crate::checks::{ComponentSecret, Components};
use crate::deployment::Features;

fn deployment(change: impl FnOnce(&mut Value)) -> Deployment {
    let mut object = json!({
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {
            "global": {"secretName": "g", "config": {"genericSharedSecretSecretKey": "shared"},
                       "k8s": {"ingresses": {"tls": {"mode": "certfile",
                           "certificate": {"certFileSecretKey": "crt", "privateKeySecretKey": "key"}}}}},
            "components": {
                "elementWeb": {"secretName": "element-web"},
                "integrator": {"secretName": "i", "config": {"postgresql": {"passwordSecretKey": "pw"}}},
                "synapse": {"secretName": "s", "config": {"macaroonSecretKey": "macaroon",
                    "delegatedAuth": {"oidc": [{"clientSecretSecretKey": "client"}]}}},
                "matrixAuthenticationService": {"secretName": "m", "config": {"encryptionSecretSecretKey": "e"}}}}});
    change(&mut object);
    Deployment::from_value(object).unwrap()
}

fn secret(name: &str, keys: &[&str]) -> ComponentSecret {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    ComponentSecret { name: name.to_owned(), keys: Known::Known(Some(keys)) }
}

fn found(deployment: Deployment, secrets: Vec<ComponentSecret>, left_out: &[&str], purpose: Purpose) -> Vec<Finding> {
    let left_out = left_out.iter().map(|name| (*name).to_owned()).collect();
    let snapshot = Snapshot {
        deployment,
        features: Known::Known(Features::default()),
        secret: Known::Known(None),
        record: Known::Known(None),
        settings: None,
        chart: None,
        environment: crate::checks::Environment::default(),
        components: Components { secrets, left_out, ..Components::default() },
    };
    let mut findings = Vec::new();
    check(&snapshot, purpose, &mut findings);
    findings
}

fn all() -> Vec<ComponentSecret> {
    vec![secret("g", &["shared", "crt", "key"]), secret("s", &["macaroon", "client"]), secret("i", &["pw"])]
}

#[test]
fn only_referenced_secrets_are_read() {
    assert_eq!(secrets_to_look_at(&deployment(|_| {})), ["g", "s", "i"]);
    let bare = deployment(|object| object["spec"] = json!({"components": {}}));
    assert_eq!(secrets_to_look_at(&bare), ["global"], "the operator's default");
}

#[test]
fn complete_secrets_are_ok() {
    let findings = found(deployment(|_| {}), all(), &[], Purpose::DryRun);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!((findings[0].severity, findings[0].subject.as_str()), (Severity::Ok, "Secrets g, i, s"));
    assert_eq!(found(deployment(|_| {}), vec![], &[], Purpose::Check), [], "nothing was looked at");
    assert_eq!(found(deployment(|_| {}), vec![secret("s", &[])], &[], Purpose::Prepare), []);
}

#[test]
fn missing_key_is_reported_in_the_operators_format() {
    let mut secrets = all();
    secrets[1] = secret("s", &["macaroon"]);
    let findings = found(deployment(|_| {}), secrets, &[], Purpose::Check);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].severity, Severity::Blocker);
    assert_eq!(findings[0].subject, "Secret s, key client");
    let wanted = "component synapse, property config.delegatedAuth.oidc[0].clientSecretSecretKey: absent from s/client";
    assert!(findings[0].message.starts_with(wanted), "{}", findings[0].message);
}

#[test]
fn missing_secret_is_reported_once() {
    let mut secrets = all();
    secrets[1].keys = Known::Known(None);
    let findings = found(deployment(|_| {}), secrets, &[], Purpose::Check);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!((findings[0].severity, findings[0].subject.as_str()), (Severity::Blocker, "Secret s"));
    assert!(findings[0].message.contains("client, macaroon"), "{}", findings[0].message);
}

#[test]
fn unreadable_and_skipped_secrets_are_unknown() {
    let mut secrets = all();
    secrets[0].keys = Known::Unreadable("not allowed to get the Secret g".to_owned());
    secrets[1].keys = Known::Unreadable("not allowed to get the Secret s".to_owned());
    let findings = found(deployment(|_| {}), secrets, &["x", "y"], Purpose::Check);
    let told: Vec<_> = findings.iter().map(|finding| (finding.severity, finding.subject.as_str())).collect();
    assert_eq!(told, [(Severity::Unknown, "Secrets g, s"), (Severity::Unknown, "Secrets x, y")]);
    assert!(findings[0].message.contains("not allowed to get the Secret g"), "{}", findings[0].message);
}

#[test]
fn certificate_can_be_in_the_global_secret() {
    let own = |object: &mut Value| {
        object["spec"]["components"]["synapse"]["k8s"]["ingress"]["tls"] =
            json!({"mode": "certfile", "certificate": {"certFileSecretKey": "sc", "privateKeySecretKey": "sk"}});
    };
    assert!(found(deployment(own), all(), &[], Purpose::Check).iter().all(|finding| finding.severity == Severity::Ok));
    let mut secrets = all();
    secrets[0] = secret("g", &["shared"]);
    let nowhere = found(deployment(own), secrets.clone(), &[], Purpose::Check);
    assert_eq!(nowhere.len(), 1, "{nowhere:#?}");
    assert_eq!((nowhere[0].severity, nowhere[0].subject.as_str()), (Severity::Blocker, "Secret s, keys sc and sk"));
    secrets[1] = secret("s", &["macaroon", "client", "sc", "sk"]);
    assert!(found(deployment(own), secrets.clone(), &[], Purpose::Check).iter().all(|finding| !finding.blocks()));
    // Another mode needs none of them.
    let external = |object: &mut Value| {
        own(object);
        object["spec"]["components"]["synapse"]["k8s"]["ingress"]["tls"]["mode"] = json!("external");
    };
    secrets[1] = secret("s", &["macaroon", "client"]);
    assert!(found(deployment(external), secrets, &[], Purpose::Check).iter().all(|finding| !finding.blocks()));
}
