//! Login methods, IDs of providers, and settings that are not migrated.

use serde_json::json;

use super::super::finding::Severity;
use super::*;
use crate::answers::Known;
use crate::checks::Components;
use crate::deployment::{Deployment, Features};

fn snapshot(config: Value, components: Value) -> Snapshot {
    let mut object = json!({
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"components": components}});
    object["spec"]["components"]["synapse"]["config"] = config;
    Snapshot {
        deployment: Deployment::from_value(object).unwrap(),
        features: Known::Known(Features::default()),
        secret: Known::Known(None),
        record: Known::Known(None),
        settings: None,
        chart: Some(ChartRelease { chart: "ess-stack".into(), version: "2.29.0".into() }),
        environment: crate::checks::Environment::default(),
        components: Components::default(),
    }
}

fn told(snapshot: &Snapshot, purpose: Purpose) -> Vec<Finding> {
    let mut findings = Vec::new();
    check(snapshot, purpose, &mut findings);
    findings.retain(|finding| finding.severity != Severity::Ok);
    findings
}

/// Codes and severities for a `delegatedAuth`.
fn found(delegated: Value) -> Vec<(&'static str, Severity)> {
    let snapshot = snapshot(json!({ "delegatedAuth": delegated }), json!({}));
    told(&snapshot, Purpose::Check).into_iter().map(|finding| (finding.code, finding.severity)).collect()
}

const ULID: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";

#[test]
fn what_cannot_be_migrated_blocks_in_every_spelling() {
    use Severity::Blocker;
    for (delegated, code) in [
        (json!({"saml": {"metadataUrl": "x"}}), "saml-not-supported"),
        (json!({"saml2": [{"x": "y"}]}), "saml-not-supported"),
        (json!({"cas": {"serverUrl": "x"}}), "cas-not-supported"),
        (json!({"casConfig": {"enabled": true}}), "cas-not-supported"),
        (json!({"jwt": {"secretSecretKey": "x"}}), "jwt-not-supported"),
        (json!({"groupSync": {"source": "x"}}), "group-sync-not-supported"),
        (json!({"group_sync": {"enabled": true}}), "group-sync-not-supported"),
    ] {
        assert_eq!(found(delegated.clone()), [(code, Blocker)], "{delegated}");
    }
    for delegated in [
        json!({}),
        json!({"saml": null, "cas": {}, "jwt": {"enabled": false}, "groupSync": {"enabled": false}}),
        json!({"localPasswordDatabase": {}}),
        json!({"oidc": [{"idpId": ULID}]}),
    ] {
        assert_eq!(found(delegated.clone()), [], "{delegated}");
    }
}

#[test]
fn group_sync_is_found_as_a_component_and_as_a_section() {
    let component = snapshot(json!({}), json!({"groupSync": {}}));
    assert_eq!(told(&component, Purpose::Prepare)[0].subject, "spec.components.groupSync");
    let section = snapshot(json!({"groupSync": {"x": 1}}), json!({}));
    assert_eq!(told(&section, Purpose::Prepare)[0].subject, "spec.components.synapse.config.groupSync");
    let off = snapshot(json!({}), json!({"groupSync": {"enabled": false}}));
    assert_eq!(told(&off, Purpose::Prepare), []);
}

#[test]
fn ldap_is_reported_without_local_accounts_only() {
    use Severity::Warning;
    assert_eq!(found(json!({"ldap": {"uri": "x"}})), [("ldap-only", Warning)]);
    assert_eq!(found(json!({"ldap": [{"uri": "x"}]})), [("ldap-only", Warning)]);
    assert_eq!(
        found(json!({"ldap": {"uri": "x"}, "localPasswordDatabase": {"enabled": false}})),
        [("ldap-only", Warning)]
    );
    assert_eq!(found(json!({"ldap": {"uri": "x"}, "localPasswordDatabase": {}})), []);
    assert_eq!(found(json!({"ldap": {"uri": "x"}, "localPasswordDatabase": {"enableRegistration": false}})), []);
    let mut old = snapshot(json!({"delegatedAuth": {"ldap": {"uri": "x"}, "localPasswordDatabase": {}}}), json!({}));
    old.chart = Some(ChartRelease { chart: "ess-stack".into(), version: "2.28.1".into() });
    assert_eq!(told(&old, Purpose::Prepare)[0].severity, Severity::Blocker);
    old.chart = None;
    assert_eq!(told(&old, Purpose::Prepare)[0].severity, Severity::Unknown);
}

#[test]
fn ids_that_mas_would_change_are_reported_and_kept() {
    let message = |id: &str| {
        let snapshot = snapshot(json!({"delegatedAuth": {"oidc": [{"idpId": id}]}}), json!({}));
        let mut told = told(&snapshot, Purpose::Check);
        assert_eq!(told.len(), 1, "{told:?}");
        let finding = told.remove(0);
        assert_eq!((finding.code, finding.severity), ("idp-id-not-ulid", Severity::Warning));
        assert!(finding.remedy.unwrap().contains("Don't rename it"));
        finding.message
    };
    assert!(message("01jabcdefghjkmnpqrstvwxyz0").contains("lower case"));
    assert!(message("01jabcdefghjkmnpqrstvwxyz0").contains(ULID), "the changed id is shown");
    assert!(message("8ZZZZZZZZZZZZZZZZZZZZZZZZZ").contains("above 7"));
    assert!(message("ZABCDEFGHJKMNPQRSTVWXYZ012").contains("above 7"));
    assert!(message("keycloak").contains("is not a ULID"));
    assert!(message("01JABCDEFGHIKMNPQRSTVWXYZ0").contains("is not a ULID"), "there is no I in it");
    assert!(message("ünïcode").contains("is not a ULID"));
    assert_eq!(found(json!({"oidc": [{"issuer": "x"}]})), [("idp-id-missing", Severity::Blocker)]);
    let twice = json!({"oidc": [{"idpId": ULID}, {"idpId": ULID}]});
    assert_eq!(found(twice), [("idp-id-duplicate", Severity::Blocker)]);
}

#[test]
fn lost_restrictions_are_reported_in_either_spelling() {
    for (field, value, code) in [
        ("attributeRequirements", json!([{"attribute": "a"}]), "oidc-restriction-lost"),
        ("attribute_requirements", json!([{"attribute": "a"}]), "oidc-restriction-lost"),
        ("enableRegistration", json!(false), "oidc-restriction-lost"),
        ("allowRegistration", json!(false), "oidc-restriction-lost"),
        ("userMapping", json!({"module": "our.Mapping"}), "oidc-restriction-lost"),
        ("userMappingProvider", json!({"module": "our.Mapping"}), "oidc-restriction-lost"),
        ("clientSecretJwtKey", json!({"key": "x"}), "oidc-setting-lost"),
        ("idTokenSigningAlgValuesSupported", json!(["ES256"]), "oidc-setting-lost"),
        ("backchannelLogoutEnabled", json!(true), "oidc-setting-lost"),
    ] {
        let delegated = json!({"oidc": [{"idpId": ULID, field: value}]});
        assert_eq!(found(delegated), [(code, Severity::Warning)], "{field}");
    }
    for harmless in [
        json!({"idpId": ULID, "attributeRequirements": [], "enableRegistration": true, "backchannelLogoutEnabled": false}),
        json!({"idpId": ULID, "userMapping": {"localpartTemplate": "{{ user.preferred_username }}"}}),
        json!({"idpId": ULID, "userMappingProvider": {"module": "synapse.handlers.oidc.JinjaOidcMappingProvider"}}),
        json!({"idpId": ULID, "clientSecretSecretKey": "corp", "scopes": ["openid"], "allowExistingUsers": true}),
    ] {
        assert_eq!(found(json!({ "oidc": [harmless] })), []);
    }
}

#[test]
fn a_findings_subject_belongs_to_its_provider() {
    let delegated = json!({"oidc": [{"idpId": ULID, "enableRegistration": false}]});
    let snapshot = snapshot(json!({ "delegatedAuth": delegated }), json!({}));
    let subject = &told(&snapshot, Purpose::Check)[0].subject;
    assert!(subject.contains(".delegatedAuth.oidc[0]."), "`status` shows it with the provider: {subject}");
}

#[test]
fn missing_email_delivery_of_mas_is_reported() {
    let mail = |config: Value, mas: Value, purpose: Purpose| {
        let snapshot = snapshot(config, json!({"matrixAuthenticationService": mas}));
        told(&snapshot, purpose).iter().filter(|finding| finding.code == "mas-email").count()
    };
    let registers = || json!({"delegatedAuth": {"localPasswordDatabase": {"enableRegistration": true}}});
    assert_eq!(mail(registers(), json!({}), Purpose::DryRun), 1);
    assert_eq!(mail(registers(), json!({}), Purpose::Prepare), 0, "it is on the list of `prepare`");
    assert_eq!(mail(registers(), json!({"config": {"email": {"host": "x"}}}), Purpose::DryRun), 0);
    assert_eq!(mail(json!({"delegatedAuth": {"localPasswordDatabase": {}}}), json!({}), Purpose::DryRun), 0);
    let resets = json!({"additional": "email: {smtp_host: mail}\n"});
    assert_eq!(mail(resets.clone(), json!({}), Purpose::Activate), 1, "nothing configured means local accounts");
    let only_oidc = json!({"additional": "email: {smtp_host: mail}\n", "delegatedAuth": {"oidc": [{"idpId": ULID}]}});
    assert_eq!(mail(only_oidc, json!({}), Purpose::Activate), 0, "nobody has a password here");
    let typed = json!({"email": {"host": "mail"}});
    assert_eq!(mail(typed, json!({}), Purpose::Activate), 1);
}
