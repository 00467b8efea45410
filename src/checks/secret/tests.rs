//! Keys that the component references, directly or through the schema's defaults.

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

/// The findings about keys other than the three of every MAS Secret.
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
fn missing_key_is_reported_with_component_property_and_secret() {
    let named =
        snapshot(json!({"config": {"smtp": {"passwordSecretKey": "smtpPassword"}, "xSecretKey": "there"}}), &[]);
    let wanted =
        "component matrixAuthenticationService, property config.smtp.passwordSecretKey: absent from m/smtpPassword";
    assert_eq!(told(&named, Purpose::Check), [wanted]);
    assert_eq!(told(&named, Purpose::Prepare), [] as [&str; 0], "`prepare` is what makes it");
}

#[test]
fn missing_key_of_a_schema_default_is_reported() {
    let fields = [
        ("config.matrixSecretSecretKey", Some("matrixSecret")),
        ("config.thereSecretKey", Some("there")),
        ("config.noDefaultSecretKey", None),
        // Its section exists only if it is configured.
        ("config.smtp.passwordSecretKey", Some("smtpPassword")),
    ];
    let message =
        "component matrixAuthenticationService, property config.matrixSecretSecretKey: absent from m/matrixSecret";
    assert_eq!(told(&snapshot(json!(null), &fields), Purpose::DryRun), [message]);
    // The object's value has priority over the default.
    let named = snapshot(json!({"config": {"matrixSecretSecretKey": "there"}}), &fields);
    assert_eq!(told(&named, Purpose::DryRun), [] as [&str; 0]);
}

#[test]
fn missing_certificate_is_left_to_the_certificate_checks() {
    let tls = json!({"k8s": {"ingress": {"tls": {"certificate": {"certFileSecretKey": "certificate"}}}}});
    assert_eq!(told(&snapshot(tls, &[]), Purpose::Check), [] as [&str; 0]);
}

/// A lost encryption secret cannot be generated again; `check` must not advise it.
#[test]
fn lost_encryption_secret_is_reported_with_its_fingerprint() {
    use crate::record::{DryRun, DryRunResult, Record};
    let ours = EncryptionSecret::generate().unwrap();
    let print = ours.fingerprint().to_string();
    let mut snapshot = snapshot(json!({"secretName": "m", "config": {"active": false}}), &[]);
    let mut object = snapshot.deployment.object().clone();
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl-ess-mas", "fieldsV1": {"f:spec": {"f:components":
        {"f:matrixAuthenticationService": {"f:config": {"f:active": {}}}}}}}]);
    let by_others = std::mem::replace(&mut snapshot.deployment, Deployment::from_value(object).unwrap());
    let mut record = Record::new(&snapshot.deployment);
    record.dry_run = Some(DryRun {
        state: DryRunResult::Passed,
        spec_digest: String::new(),
        spec_outline: None,
        release: None,
        secret_digest: String::new(),
        secret_fingerprints: [("encryptionSecret".to_owned(), print.clone())].into(),
        completion: None,
        at: jiff::Timestamp::UNIX_EPOCH,
        seconds: 1,
        message: None,
        failed_since: None,
    });
    let told = |snapshot: &Snapshot| {
        let mut findings = Vec::new();
        check(snapshot, Purpose::Check, &mut findings);
        findings
    };
    let with = |value: Option<&str>| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let data = value.map_or(json!({}), |value| json!({"encryptionSecret": STANDARD.encode(value)}));
        Known::Known(Some(SecretContents::read(json!({"metadata": {"name": "m"}, "data": data}))))
    };
    let other = EncryptionSecret::generate().unwrap();
    for recorded in [true, false] {
        snapshot.record = Known::Known(recorded.then(|| record.clone()));
        for (secret, lost) in [
            (Known::Known(None), true),
            (with(None), true),
            (with(Some("")), true),
            (with(Some(other.value().expose())), recorded),
            (with(Some(ours.value().expose())), false),
        ] {
            snapshot.secret = secret;
            let findings = told(&snapshot);
            let finding = findings.iter().find(|finding| finding.code == "encryption-secret-lost");
            assert_eq!(finding.is_some(), lost, "{findings:#?}");
            let Some(finding) = finding else { continue };
            let remedy = finding.remedy.as_deref().unwrap();
            assert!(finding.blocks() && remedy.starts_with("Restore"), "{finding:?}");
            assert_eq!(remedy.contains(&print), recorded, "{finding:?}");
            let anew = |other: &Finding| {
                other.subject.ends_with("encryptionSecret") && other.code == "mas-secret"
                    || other.message == "it does not exist"
            };
            assert!(!findings.iter().any(anew), "{findings:#?}");
        }
    }
    // A component from another writer may still wait for its Secret.
    snapshot.deployment = by_others;
    (snapshot.record, snapshot.secret) = (Known::Known(None), Known::Known(None));
    assert_eq!(encryption_secret_lost(&snapshot), None);
    // MAS has not run yet.
    snapshot = self::snapshot(json!(null), &[]);
    snapshot.secret = Known::Known(None);
    assert!(told(&snapshot).iter().all(|finding| finding.code == "mas-secret"), "{:#?}", told(&snapshot));
    // It was removed: its database may still need the value.
    snapshot.record = Known::Known(Some(record));
    for (secret, warned) in [
        (Known::Known(None), true),
        (with(None), true),
        (with(Some(other.value().expose())), true),
        (with(Some(ours.value().expose())), false),
        (Known::Unreadable("forbidden".into()), false),
    ] {
        snapshot.secret = secret;
        let findings = told(&snapshot);
        let finding = findings.iter().find(|finding| finding.code == "encryption-secret-lost");
        assert_eq!(finding.is_some(), warned, "{findings:#?}");
        assert!(finding.is_none_or(|one| one.severity == Severity::Warning && one.message.contains(&print)));
    }
}

#[test]
fn secret_of_another_tool_is_a_warning_before_prepare_writes_it() {
    let case = include_str!("../../../tests/texts/external-secret-owned.json");
    let mut snapshot = snapshot(json!(null), &[]);
    snapshot.secret = Known::Known(Some(SecretContents::read(serde_json::from_str(case).unwrap())));
    let codes = |purpose| {
        let mut findings = Vec::new();
        check(&snapshot, purpose, &mut findings);
        findings.into_iter().map(|finding| (finding.code, finding.severity)).collect::<Vec<_>>()
    };
    assert!(codes(Purpose::Check).contains(&("mas-secret-managed", Severity::Warning)));
    assert!(
        codes(Purpose::DryRun).iter().all(|(code, _)| *code != "mas-secret-managed"),
        "a dry run puts nothing there"
    );
}
