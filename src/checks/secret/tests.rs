//! Keys that the component refers to, now or as soon as the schema's defaults are put in.

use serde_json::json;

use super::super::finding::Severity;
use super::*;
use crate::checks::Components;
use crate::deployment::{Deployment, Features, SecretKeyField};
use crate::plan::{Database, MasSettings, Tls};

fn snapshot(mas: serde_json::Value, fields: &[(&str, Option<&str>)]) -> Snapshot {
    let mut object = json!({
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"components": {}}});
    if !mas.is_null() {
        object["spec"]["components"]["matrixAuthenticationService"] = mas;
    }
    let field = |(path, default): &(&str, Option<&str>)| SecretKeyField {
        path: (*path).to_owned(),
        default: default.map(str::to_owned),
    };
    let database = Database { host: "db".into(), port: 5432, name: "mas".into(), user: "mas".into(), ssl_mode: None };
    Snapshot {
        deployment: Deployment::from_value(object).unwrap(),
        features: Known::Known(Features { secret_keys: fields.iter().map(field).collect(), ..Features::default() }),
        secret: Known::Known(Some(SecretContents::read(json!({"metadata": {"name": "m"}, "data": {"there": ""}})))),
        record: Known::Known(None),
        settings: Some(MasSettings {
            host: "auth.example.com".into(),
            database,
            tls: Tls::External,
            secret_name: "m".into(),
        }),
        chart: None,
        environment: crate::checks::Environment::default(),
        components: Components::default(),
    }
}

/// What is told about keys beside the three that every MAS Secret has.
fn told(snapshot: &Snapshot, purpose: Purpose) -> Vec<String> {
    let mut findings = Vec::new();
    check(snapshot, purpose, &mut findings);
    let other = findings.into_iter().filter(|finding| finding.message.starts_with("component "));
    other
        .map(|finding| {
            assert_eq!(finding.severity, Severity::Blocker);
            finding.message
        })
        .collect()
}

#[test]
fn a_key_that_the_object_names_is_told_with_component_property_and_place() {
    let named =
        snapshot(json!({"config": {"smtp": {"passwordSecretKey": "smtpPassword"}, "xSecretKey": "there"}}), &[]);
    let wanted =
        "component matrixAuthenticationService, property config.smtp.passwordSecretKey: absent from m/smtpPassword";
    assert_eq!(told(&named, Purpose::Look), [wanted]);
    assert_eq!(told(&named, Purpose::Prepare), [] as [&str; 0], "`prepare` is what makes it");
}

#[test]
fn a_key_that_the_schemas_defaults_will_name_is_told_before_they_do() {
    let fields = [
        ("config.matrixSecretSecretKey", Some("matrixSecret")),
        ("config.thereSecretKey", Some("there")),
        ("config.noDefaultSecretKey", None),
        // Its section is not there unless somebody asks for it.
        ("config.smtp.passwordSecretKey", Some("smtpPassword")),
    ];
    let message =
        "component matrixAuthenticationService, property config.matrixSecretSecretKey: absent from m/matrixSecret";
    assert_eq!(told(&snapshot(json!(null), &fields), Purpose::DryRun), [message]);
    // What the object says goes before the default.
    let named = snapshot(json!({"config": {"matrixSecretSecretKey": "there"}}), &fields);
    assert_eq!(told(&named, Purpose::DryRun), [] as [&str; 0]);
}

#[test]
fn a_certificate_is_left_to_its_own_checks() {
    let tls = json!({"k8s": {"ingress": {"tls": {"certificate": {"certFileSecretKey": "certificate"}}}}});
    assert_eq!(told(&snapshot(tls, &[]), Purpose::Look), [] as [&str; 0]);
}
