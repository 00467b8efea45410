//! The components that are reported, and those that are not.

use serde_json::json;

use super::super::finding::Severity;
use super::*;
use crate::answers::Known;
use crate::checks::Components;
use crate::deployment::{Deployment, Features};

fn found(components: Value, purpose: Purpose) -> Vec<(&'static str, Severity, String)> {
    let object = json!({
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"components": components}});
    let snapshot = Snapshot {
        deployment: Deployment::from_value(object).unwrap(),
        features: Known::Known(Features::default()),
        secret: Known::Known(None),
        record: Known::Known(None),
        settings: None,
        chart: None,
        environment: crate::checks::Environment::default(),
        components: Components::default(),
    };
    let mut findings = Vec::new();
    check(&snapshot, purpose, &mut findings);
    findings.into_iter().map(|finding| (finding.code, finding.severity, finding.subject)).collect()
}

#[test]
fn bots_bridges_and_tools_are_reported_except_in_prepare() {
    let components = json!({"adminbot": {}, "hookshot": {}, "ircBridges": [{}], "skypeForBusinessBridge": {}, "synapseAdmin": {},
        "synapse": {}, "elementWeb": {}});
    let all = found(components.clone(), Purpose::Activate);
    assert_eq!(
        all,
        [
            (
                "bots-and-bridges",
                Severity::Warning,
                "spec.components: adminbot, hookshot, ircBridges, skypeForBusinessBridge".to_owned()
            ),
            ("admin-tools", Severity::Warning, "spec.components: synapseAdmin".to_owned()),
        ]
    );
    assert_eq!(found(components, Purpose::Prepare), []);
}

#[test]
fn core_components_are_not_reported() {
    let components = json!({"synapse": {"config": {"externalAppservices": {"configMaps": [], "files": {}}}}, "elementWeb": {},
        "wellKnownDelegation": {}, "integrator": {}, "sydent": {}, "sygnal": {}, "matrixContentScanner": {}, "slidingSync": {},
        "coturn": {}, "jitsi": {}, "matrixAuthenticationService": {}, "groupSync": {}, "ircBridges": []});
    assert_eq!(found(components, Purpose::Check), []);
}

#[test]
fn component_with_an_unlisted_name_is_unknown() {
    let unknown = found(json!({"frobnicator": {}}), Purpose::Check);
    assert_eq!(unknown, [("bots-and-bridges", Severity::Unknown, "spec.components: frobnicator".to_owned())]);
}

#[test]
fn appservices_are_reported_by_name() {
    let files = json!({"synapse": {"config": {"externalAppservices": {"configMaps": ["ours"], "files": {"whatsapp": "id: x"}}}}});
    let told = found(files, Purpose::Check);
    assert_eq!(told[0].2, "spec.components.synapse.config.externalAppservices: ours, whatsapp");
    let additional = json!({"synapse": {"config": {"additional": "app_service_config_files: [/x.yaml]\n"}}});
    assert_eq!(found(additional, Purpose::Check)[0].0, "bots-and-bridges");
}
