//! Damaged and huge objects, made from those of the corpus: checks must neither panic nor hang.

use std::time::{Duration, Instant};

use ess_mas::checks::synapse::SynapseConfig;
use ess_mas::checks::{self, Known, Purpose, secrets_to_look_at};
use ess_mas::deployment::{Deployment, Features};
use ess_mas::plan::MasSettings;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, snapshot};

/// Any JSON, of moderate size.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "enabled",
            "01JABCDEFGHJKMNPQRSTVWXYZ0",
            "session_lifetime: 1h\n",
            "&a [*a, *a]",
            "certfile",
            "::",
            "."
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof![
            ".{0,8}".prop_map(String::from),
            prop::sample::select(vec![
                "synapse",
                "config",
                "additional",
                "delegatedAuth",
                "oidc",
                "ldap",
                "k8s",
                "ingress",
                "tls",
                "certificate",
                "fqdn",
                "xSecretKey",
                "secretName",
                "postgresql",
                "host",
                "workers",
                "externalAppservices",
                "enabled",
            ])
            .prop_map(str::to_owned),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// The JSON pointers of all values.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_to_an_object_makes_a_check_panic(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
        rendered in ".{0,200}",
    ) {
        let bases: Vec<_> = cases().iter().filter(|case| case.is_base).collect();
        let case = which.get(&bases);
        let mut object = case.whole["deployment"].clone();
        for (place, value) in damage {
            let mut all = Vec::new();
            places(&object["spec"], "/spec", &mut all);
            *object.pointer_mut(place.get::<String>(&all)).unwrap() = value;
        }
        let Ok(deployment) = Deployment::from_value(object) else { return Ok(()) };
        let mut snapshot = snapshot(case);
        let _ = secrets_to_look_at(&deployment);
        snapshot.settings = MasSettings::of(&deployment).or(snapshot.settings);
        snapshot.deployment = deployment;
        let text = format!("server_name: x\n{rendered}");
        snapshot.components.rendered = Known::Known(SynapseConfig::read("x".into(), &text).into_iter().collect());
        for step in [Purpose::Check, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            let _ = checks::run(&snapshot, step);
        }
    }

    #[test]
    fn no_schema_makes_the_reader_panic(schema in any_json()) {
        let _ = Features::read(&schema);
        let whole = json!({"properties": {"spec": {"properties": {"components": {"properties": {"matrixAuthenticationService": schema}}}}}});
        let _ = Features::read(&whole);
    }
}

#[test]
fn the_largest_object_is_checked_quickly() {
    let case = cases().iter().find(|case| case.is_base).unwrap();
    // etcd's limit of a request, with the most expensive content.
    let workers: Vec<Value> = (0..500)
        .map(|_| json!({"type": "generic", "additional": "a: &a [x, x]\nb: &b [*a, *a]\nmodules: [*b, *b]\n".repeat(40)}))
        .collect();
    let providers: Vec<Value> = (0..3000).map(|index| json!({"idpId": format!("{index}")})).collect();
    let mut object = case.whole["deployment"].clone();
    object["spec"]["components"]["synapse"]["config"]["workers"] = Value::from(workers);
    object["spec"]["components"]["synapse"]["config"]["delegatedAuth"]["oidc"] = Value::from(providers);
    let mut snapshot = snapshot(case);
    snapshot.deployment = Deployment::from_value(object).unwrap();
    let begun = Instant::now();
    let findings = checks::run(&snapshot, Purpose::Check);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?} for {} findings", begun.elapsed(), findings.len());
}
