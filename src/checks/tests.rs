//! For each code, a deployment that has it and one that doesn't.

use serde_json::{Value, json};

use super::*;
use crate::checks::Components;
use crate::deployment::{ChartRelease, Deployment, Features};
use crate::plan::{Database, MasSettings, Tls};

fn healthy_status() -> Value {
    json!({"conditions": [
        {"type": "Available", "status": "True", "reason": "Available"},
        {"type": "Running", "status": "True", "reason": "Successful", "ansibleResult": {"completion": "c1"}},
        {"type": "Successful", "status": "True", "reason": "Successful"},
        {"type": "Failure", "status": "False", "reason": ""}]})
}

pub(super) fn snapshot(change: impl FnOnce(&mut Value)) -> Snapshot {
    let mut object = json!({
        "apiVersion": "matrix.element.io/v1alpha2",
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1", "generation": 1},
        "spec": {"global": {"config": {"domainName": "example.com"}, "k8s": {"ingresses": {"tls": {"mode": "external"}}}},
                 "components": {"synapse": {"config": {"postgresql": {"host": "db", "database": "synapse", "user": "s"}},
                                            "k8s": {"ingress": {"fqdn": "matrix.example.com"}}}}},
        "status": healthy_status()});
    change(&mut object);
    Snapshot {
        deployment: Deployment::from_value(object).unwrap(),
        features: Known::Known(Features { mas: true, active: true, ..Features::default() }),
        secret: Known::Known(None),
        record: Known::Known(None),
        settings: None,
        chart: None,
        environment: crate::checks::Environment::default(),
        components: Components::default(),
    }
}

fn settings(host: &str, database_host: &str, database: &str) -> MasSettings {
    MasSettings {
        host: host.into(),
        database: Database {
            host: database_host.into(),
            port: 5432,
            name: database.into(),
            user: "mas".into(),
            ssl_mode: None,
        },
        tls: Tls::Inherit,
        secret_name: "chat-mas".into(),
    }
}

fn severity_of(snapshot: &Snapshot, purpose: Purpose, code: &str) -> Option<Severity> {
    run(snapshot, purpose).into_iter().find(|finding| finding.code == code).map(|finding| finding.severity)
}

fn blocked(snapshot: &Snapshot, purpose: Purpose) -> Vec<&'static str> {
    run(snapshot, purpose).into_iter().filter(Finding::blocks).map(|finding| finding.code).collect()
}

#[test]
fn a_healthy_deployment_without_mas_has_no_blockers_and_no_warnings() {
    let findings = run(&snapshot(|_| {}), Purpose::DryRun);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Ok), "{findings:#?}");
}

#[test]
fn an_older_release_is_refused() {
    let mut old = snapshot(|_| {});
    old.features = Known::Known(Features::default());
    assert_eq!(blocked(&old, Purpose::Prepare), ["mas-supported"]);
    old.features = Known::Unreadable("no".into());
    assert_eq!(severity_of(&old, Purpose::Prepare, "mas-supported"), Some(Severity::Unknown));
    let mut chart = snapshot(|_| {});
    chart.chart = Some(ChartRelease { chart: "ess-stack".into(), version: "2.28.0".into() });
    assert_eq!(blocked(&chart, Purpose::Prepare), ["release-too-old"]);
}

#[test]
fn conditions_that_are_not_true_block_the_first_write() {
    let available = snapshot(|o| o["status"]["conditions"][0]["status"] = json!("False"));
    assert_eq!(blocked(&available, Purpose::DryRun), ["available"]);
    let absent = snapshot(|o| {
        o["status"]["conditions"].as_array_mut().unwrap().remove(0);
    });
    assert_eq!(severity_of(&absent, Purpose::DryRun, "available"), Some(Severity::Unknown));
    let failing = json!({"conditions": [
        {"type": "Available", "status": "True"},
        {"type": "Failure", "status": "True", "reason": "Failed", "message": "boom", "ansibleResult": {"completion": "f"}},
        {"type": "Running", "status": "True", "reason": "Running"}, {"type": "Successful", "status": "False"}]});
    let fails = snapshot(|o| o["status"] = failing.clone());
    assert_eq!(blocked(&fails, Purpose::DryRun), ["successful"]);
    let never = snapshot(|o| o["status"] = json!({"conditions": [{"type": "Available", "status": "True"}]}));
    assert_eq!(blocked(&never, Purpose::DryRun), ["successful"]);
    assert!(blocked(&fails, Purpose::Abort).is_empty(), "a failing reconcile doesn't block a rollback");
    let again = snapshot(|o| {
        o["status"] = failing.clone();
        o["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": false}});
    });
    assert!(blocked(&again, Purpose::DryRun).is_empty(), "a failed dry run can be repeated");
    assert!(blocked(&again, Purpose::Activate).contains(&"successful"));
}

#[test]
fn a_complete_migration_blocks_abort_only() {
    let done = snapshot(|o| {
        o["status"]["mas_active"] = json!(true);
        o["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": true}});
    });
    assert_eq!(blocked(&done, Purpose::Abort), ["already-migrated"]);
    assert!(blocked(&done, Purpose::Activate).is_empty());
}

#[test]
fn active_true_blocks_every_step_except_activate_and_abort() {
    let migrating =
        snapshot(|o| o["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": true}}));
    assert!(blocked(&migrating, Purpose::DryRun).contains(&"migration-under-way"));
    assert!(blocked(&migrating, Purpose::Prepare).contains(&"migration-under-way"));
    assert!(!blocked(&migrating, Purpose::Activate).contains(&"migration-under-way"));
    assert!(blocked(&migrating, Purpose::Abort).is_empty());
}

#[test]
fn long_names_and_deletion_are_blockers() {
    let long = snapshot(|o| o["metadata"]["name"] = json!("a".repeat(26)));
    assert_eq!(blocked(&long, Purpose::Prepare), ["name-too-long"]);
    let fits = snapshot(|o| o["metadata"]["name"] = json!("a".repeat(25)));
    assert!(blocked(&fits, Purpose::Prepare).is_empty());
    let deleted = snapshot(|o| o["metadata"]["deletionTimestamp"] = json!("2026-11-23T00:00:00Z"));
    assert_eq!(blocked(&deleted, Purpose::Prepare), ["being-deleted"]);
}

#[test]
fn logins_that_cannot_be_migrated_are_blockers() {
    let with = |key: &str, value: Value| {
        snapshot(|o| o["spec"]["components"]["synapse"]["config"]["delegatedAuth"] = json!({ key: value }))
    };
    assert_eq!(blocked(&with("saml", json!({"metadata": "x"})), Purpose::Prepare), ["saml-not-supported"]);
    assert!(blocked(&with("saml", json!({})), Purpose::Prepare).is_empty());
    let mut ldap = with("ldap", json!({"uri": "ldap://x"}));
    assert_eq!(severity_of(&ldap, Purpose::Prepare, "ldap-needs-release"), Some(Severity::Unknown));
    ldap.chart = Some(ChartRelease { chart: "ess-stack".into(), version: "2.28.1".into() });
    assert_eq!(blocked(&ldap, Purpose::Prepare), ["ldap-needs-release"]);
    ldap.chart = Some(ChartRelease { chart: "ess-stack".into(), version: "2.29.0".into() });
    assert!(blocked(&ldap, Purpose::Prepare).is_empty());
    let sync = snapshot(|o| o["spec"]["components"]["groupSync"] = json!({}));
    assert_eq!(blocked(&sync, Purpose::Prepare), ["group-sync-not-supported"]);
}

#[test]
fn identity_providers_need_ids_that_mas_keeps() {
    let with = |ids: Value| {
        snapshot(|o| o["spec"]["components"]["synapse"]["config"]["delegatedAuth"] = json!({ "oidc": ids }))
    };
    let good = with(json!([{"idpId": "01JABCDEFGHJKMNPQRSTVWXYZ0"}]));
    assert!(run(&good, Purpose::Prepare).iter().all(|f| f.severity == Severity::Ok));
    assert_eq!(blocked(&with(json!([{"issuer": "x"}])), Purpose::Prepare), ["idp-id-missing"]);
    let twice = with(json!([{"idpId": "01JABCDEFGHJKMNPQRSTVWXYZ0"}, {"idpId": "01jabcdefghjkmnpqrstvwxyz0"}]));
    assert_eq!(blocked(&twice, Purpose::Prepare), ["idp-id-duplicate"]);
    let named = with(json!([{"idpId": "keycloak"}]));
    assert_eq!(severity_of(&named, Purpose::Prepare, "idp-id-not-ulid"), Some(Severity::Warning));
}

#[test]
fn settings_that_collide_with_synapse_are_blockers() {
    let with = |settings: MasSettings| Snapshot { settings: Some(settings), ..snapshot(|_| {}) };
    assert!(blocked(&with(settings("auth.example.com", "db", "mas")), Purpose::Prepare).is_empty());
    assert_eq!(blocked(&with(settings("matrix.example.com", "db", "mas")), Purpose::Prepare), ["mas-host-taken"]);
    assert_eq!(
        blocked(&with(settings("auth.example.com", "DB", "synapse")), Purpose::Prepare),
        ["mas-database-is-synapses"]
    );
    let full = settings("auth.example.com", "db.n.svc.cluster.local", "synapse");
    assert_eq!(blocked(&with(full), Purpose::Prepare), ["mas-database-is-synapses"]);
    let odd = MasSettings { tls: Tls::External, ..settings("auth.example.com", "db", "mas") };
    assert_eq!(blocked(&with(odd), Purpose::Prepare), ["mas-settings"], "the schema of this test has no tls.mode");
}

#[test]
fn a_missing_secret_is_a_blocker_and_an_unreadable_one_is_unknown() {
    let with =
        |secret| Snapshot { settings: Some(settings("auth.example.com", "db", "mas")), secret, ..snapshot(|_| {}) };
    assert_eq!(blocked(&with(Known::Known(None)), Purpose::DryRun), ["mas-secret"]);
    assert!(blocked(&with(Known::Known(None)), Purpose::Prepare).is_empty(), "prepare creates it");
    let hidden = with(Known::Unreadable("forbidden".into()));
    assert_eq!(severity_of(&hidden, Purpose::DryRun, "mas-secret"), Some(Severity::Unknown));
}

#[test]
fn an_activation_without_a_dry_run_is_blocked() {
    let ready =
        snapshot(|o| o["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": false}}));
    assert_eq!(blocked(&ready, Purpose::Activate), ["rehearsal"]);
    assert!(DryRunPassed::check(&ready).is_none());
}

#[test]
fn owners_are_reported_and_those_that_revert_block() {
    let helm = snapshot(|o| {
        o["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "ess"});
        o["metadata"]["managedFields"] = json!([{"manager": "helm", "operation": "Apply"}]);
    });
    let finding = run(&helm, Purpose::Activate).into_iter().find(|f| f.code == "manifest-owned-by-helm").unwrap();
    assert!(
        finding.message.contains("Helm 4") && finding.message.contains("fails with a conflict"),
        "{}",
        finding.message
    );
    assert_eq!(
        severity_of(&helm, Purpose::Prepare, "manifest-owned-by-helm"),
        None,
        "prepare doesn't write the manifest"
    );
    let argo = snapshot(|o| o["metadata"]["labels"] = json!({"argocd.argoproj.io/instance": "chat"}));
    assert_eq!(blocked(&argo, Purpose::DryRun), ["manifest-owned-by-gitops"]);
    assert_eq!(
        severity_of(&argo, Purpose::Abort, "manifest-owned-by-gitops"),
        Some(Severity::Warning),
        "users are locked out"
    );
    let installer = snapshot(|o| o["metadata"]["annotations"] = json!({"ui.element.io/layer": "x"}));
    assert_eq!(severity_of(&installer, Purpose::DryRun, "manifest-owned-by-installer"), Some(Severity::Warning));
}

#[test]
fn every_row_of_the_table_is_used_and_every_placeholder_has_a_value() {
    let sources = [
        include_str!("appservices.rs"),
        include_str!("authentication.rs"),
        include_str!("backup/mod.rs"),
        include_str!("certificate.rs"),
        include_str!("compatibility.rs"),
        include_str!("component_secrets.rs"),
        include_str!("manifest.rs"),
        include_str!("permissions.rs"),
        include_str!("dry_run.rs"),
        include_str!("secret.rs"),
        include_str!("settings/database.rs"),
        include_str!("settings/mod.rs"),
        include_str!("state.rs"),
        include_str!("synapse/mod.rs"),
        include_str!("tls.rs"),
        include_str!("../commands/tls.rs"),
        include_str!("../session/certificate.rs"),
        include_str!("../session/endpoints/ask.rs"),
        include_str!("../session/endpoints/through.rs"),
    ];
    assert_complete(&finding::TABLE, &sources);
}

/// Fails unless the sources use every row and every placeholder of a table, and only its rows.
pub(super) fn assert_complete(table: &finding::Table, sources: &[&str]) {
    let used = |name: &str| sources.iter().any(|source| source.contains(&format!("\"{name}\"")));
    for (name, row) in &table.0 {
        assert!(used(name), "{name}");
        let texts = [Some(&row.message), row.remedy.as_ref()];
        for part in texts.into_iter().flatten().flat_map(|text| text.split('{').skip(1)) {
            let (placeholder, _) = part.split_once('}').expect(name);
            assert!(used(placeholder), "{name}: {placeholder}");
        }
    }
    let called = |call: &'static str| sources.iter().flat_map(move |source| source.split(call).skip(1));
    let named = called("finding(\"").chain(called("Finding::of(\""));
    for name in named.filter_map(|rest| rest.split('"').next()) {
        assert!(table.0.contains_key(name), "{name}");
    }
}

/// Fails unless the document lists the finding's severity.
pub(super) fn assert_explained(finding: &Finding) {
    let explained = explain::explanation(finding.code).is_some_and(|one| one.severities.contains(&finding.severity));
    assert!(explained, "docs/findings.md doesn't list the severity of {finding:?}");
}
