//! Findings about each owner of the manifest.

use serde_json::{Value, json};

use super::*;
use crate::checks::{Severity, run, tests};

fn of(metadata: Value) -> Snapshot {
    tests::snapshot(|object| {
        object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    })
}

fn done(mut snapshot: Snapshot) -> Snapshot {
    let mut object = snapshot.deployment.object().clone();
    object["status"]["mas_active"] = json!(true);
    object["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": true}});
    snapshot.deployment = crate::deployment::Deployment::from_value(object).unwrap();
    snapshot
}

fn wrote(manager: &str, operation: &str, time: &str, names: OwnedFields) -> Value {
    let mas = match names {
        OwnedFields::Nothing => json!({}),
        OwnedFields::Mas => json!({"f:matrixAuthenticationService": {"f:secretName": {}}}),
        OwnedFields::Active => json!({"f:matrixAuthenticationService": {"f:config": {"f:active": {}}}}),
    };
    json!({"manager": manager, "operation": operation, "time": time, "fieldsV1": {"f:spec": {"f:components": mas}}})
}

fn found_for(snapshot: &Snapshot, purpose: Purpose) -> Vec<Finding> {
    run(snapshot, purpose).into_iter().filter(|one| crate::checks::codes::OWNERS.contains(&one.code)).collect()
}

fn helm_of(operation: &str, names: OwnedFields) -> Snapshot {
    of(
        json!({"annotations": {"meta.helm.sh/release-name": "ess"}, "managedFields": [wrote("helm", operation, "1", names)]}),
    )
}

#[test]
fn consequence_depends_on_helms_version_and_on_its_values() {
    for (operation, names, says) in [
        ("Update", OwnedFields::Nothing, "keeps the change, but the values differ from it until you update them"),
        ("Update", OwnedFields::Active, "keeps the change, but the values differ from it until you update them"),
        ("Apply", OwnedFields::Nothing, "keeps the change while the values don't name MAS"),
        ("Apply", OwnedFields::Mas, "Every later `helm upgrade` fails with a conflict until its values match"),
        ("Apply", OwnedFields::Active, "Every later `helm upgrade` fails with a conflict until its values match"),
    ] {
        let snapshot = helm_of(operation, names);
        for purpose in [Purpose::DryRun, Purpose::Activate, Purpose::Check, Purpose::Abort] {
            let found = &found_for(&snapshot, purpose)[0];
            assert_eq!((found.code, found.severity), ("manifest-owned-by-helm", Severity::Warning));
            assert!(found.message.contains(says), "{operation} {names:?}: {}", found.message);
            let off = found.message.contains("would switch MAS off");
            assert_eq!(off, matches!(purpose, Purpose::Activate | Purpose::Check), "{purpose:?}: {}", found.message);
        }
    }
    assert!(
        found_for(&helm_of("Apply", OwnedFields::Nothing), Purpose::Prepare).is_empty(),
        "prepare doesn't write it"
    );
}

#[test]
fn after_the_migration_an_owner_without_the_switch_is_a_warning() {
    let ours = wrote(crate::field_manager::FIELD_MANAGER, "Update", "2", OwnedFields::Active);
    let owners = [
        (json!({"annotations": {"meta.helm.sh/release-name": "ess"}}), "helm"),
        (json!({"labels": {"argocd.argoproj.io/instance": "chat"}}), "argocd-controller"),
        (json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "chat"}}), "kustomize-controller"),
        (json!({"annotations": {"ui.element.io/layer": "x"}}), "OpenAPI-Generator"),
    ];
    for (owner, tool) in owners {
        let with = |fields: Value| {
            let mut metadata = owner.clone();
            metadata["managedFields"] = fields;
            done(of(metadata))
        };
        let found = found_for(&with(json!([ours])), Purpose::Check).remove(0);
        assert_eq!(found.severity, Severity::Warning, "{found:?}");
        assert!(found.message.contains("switch MAS off"), "{found:?}");
        assert!(found.remedy.unwrap().contains("config.active: true"));
        // Without managedFields the last writer is unknown.
        assert_eq!(found_for(&with(json!(null)), Purpose::Check)[0].severity, Severity::Warning);
        let last = |manager| with(json!([ours, wrote(manager, "Apply", "3", OwnedFields::Active)]));
        assert_eq!(found_for(&last(tool), Purpose::Check)[0].severity, Severity::Ok);
        // A user's edit in the cluster is not in the owner's manifest.
        assert_eq!(found_for(&last("kubectl-edit"), Purpose::Check)[0].severity, Severity::Warning);
    }
}

#[test]
fn self_healing_is_a_blocker_and_manual_sync_a_warning() {
    let mut argo = of(json!({"labels": {"argocd.argoproj.io/instance": "chat"}}));
    for healing in [None, Some(SelfHealing::On)] {
        argo.environment.self_healing = healing;
        assert!(found_for(&argo, Purpose::DryRun)[0].blocks() && found_for(&argo, Purpose::Activate)[0].blocks());
        assert_eq!(found_for(&argo, Purpose::Abort)[0].severity, Severity::Warning, "users are locked out");
    }
    argo.environment.self_healing = Some(SelfHealing::Off("self-healing is off".into()));
    let found = &found_for(&argo, Purpose::Activate)[0];
    assert_eq!(found.severity, Severity::Warning);
    assert!(found.message.contains("self-healing is off") && found.message.contains("switch MAS off"), "{found:?}");
}

#[test]
fn a_file_with_another_value_is_a_warning_and_one_without_a_value_is_ok() {
    let file = |components: Value| {
        let text = json!({"spec": {"components": components}}).to_string();
        of(json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": text}}))
    };
    let says = |active: bool| file(json!({"matrixAuthenticationService": {"config": {"active": active}}}));
    for (snapshot, purpose, severity) in vec![
        (file(json!({})), Purpose::Activate, Severity::Ok),
        (file(json!({"matrixAuthenticationService": {}})), Purpose::Activate, Severity::Ok),
        (says(false), Purpose::DryRun, Severity::Ok),
        (says(false), Purpose::Activate, Severity::Warning),
        (says(false), Purpose::Abort, Severity::Ok),
        (says(true), Purpose::DryRun, Severity::Warning),
        (says(true), Purpose::Abort, Severity::Warning),
        (done(says(false)), Purpose::Check, Severity::Warning),
        (done(says(true)), Purpose::Check, Severity::Ok),
    ] {
        let found = &found_for(&snapshot, purpose)[0];
        assert_eq!((found.code, found.severity), ("manifest-applied", severity), "{purpose:?} {found:?}");
        if severity == Severity::Warning {
            let harm = if purpose == Purpose::DryRun || purpose == Purpose::Abort {
                "start the migration"
            } else {
                "switch MAS off"
            };
            assert!(found.message.contains(harm), "{found:?}");
        }
    }
}

#[test]
fn an_unknown_applier_is_a_warning_if_it_owns_the_changed_field() {
    let by = |operation, names| of(json!({"managedFields": [wrote("terraform", operation, "1", names)]}));
    for (operation, names, purpose, severity) in [
        ("Apply", OwnedFields::Nothing, Purpose::Activate, Severity::Ok),
        ("Apply", OwnedFields::Mas, Purpose::Activate, Severity::Ok),
        ("Apply", OwnedFields::Mas, Purpose::DryRun, Severity::Warning),
        ("Apply", OwnedFields::Active, Purpose::Activate, Severity::Warning),
        ("Apply", OwnedFields::Active, Purpose::Abort, Severity::Warning),
        ("Update", OwnedFields::Active, Purpose::Activate, Severity::Ok),
    ] {
        let found = &found_for(&by(operation, names), purpose)[0];
        assert_eq!(found.severity, severity, "{operation} {names:?} {purpose:?}");
        assert!(found.message.contains("terraform"), "{found:?}");
    }
}

#[test]
fn after_the_migration_an_applier_of_mas_is_a_warning() {
    let ours = wrote(crate::field_manager::FIELD_MANAGER, "Update", "2", OwnedFields::Active);
    let with = |fields| done(of(json!({"managedFields": fields})));
    let theirs = |names| wrote("terraform", "Apply", "1", names);
    let severity = |fields| found_for(&with(fields), Purpose::Check)[0].severity;
    assert_eq!(severity(json!([ours, theirs(OwnedFields::Mas)])), Severity::Warning);
    assert_eq!(severity(json!([ours, theirs(OwnedFields::Nothing)])), Severity::Ok);
    let later = wrote("terraform", "Apply", "3", OwnedFields::Active);
    assert_eq!(severity(json!([ours, later])), Severity::Ok, "it owns the field, so its value is the cluster's");
}
