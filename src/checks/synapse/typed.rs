//! Fields of `spec.components.synapse.config` that the operator may translate into a setting that Synapse or syn2mas
//! refuses. Only some of the fields' names are known, so they are read by what they are called in Synapse.

use serde_json::Value;

use super::config::SynapseConfig;
use super::settings::of_field;
use crate::answers::Known;
use crate::checks::finding::Finding;
use crate::deployment::squashed;

/// Parts that are looked at elsewhere, or hold free text.
const ELSEWHERE: [&str; 6] = ["additional", "workers", "externalappservices", "postgresql", "oidc", "ldap"];

/// Looks through the typed fields. `rendered` is what the operator made of them.
pub(super) fn check(config: &Value, rendered: &Known<Vec<SynapseConfig>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(config, "spec.components.synapse.config", rendered, &mut findings, 0);
    findings
}

fn walk(value: &Value, path: &str, rendered: &Known<Vec<SynapseConfig>>, findings: &mut Vec<Finding>, depth: usize) {
    // The API server limits the depth of what it stores far above this.
    if depth > 8 {
        return;
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let plain = squashed(name);
        if ELSEWHERE.contains(&plain.as_str()) {
            continue;
        }
        let path = format!("{path}.{name}");
        if of_field(&plain).is_none() {
            walk(value, &path, rendered, findings, depth + 1);
        } else if is_on(value) {
            findings.extend(finding(&plain, &path, rendered));
        }
    }
}

fn is_on(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(fields) => {
            !fields.is_empty() && ["enabled", "enable"].iter().all(|key| fields.get(*key) != Some(&Value::Bool(false)))
        }
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}

/// What the operator is seen to make of it settles the matter; where that cannot be seen, it is said.
fn finding(name: &str, path: &str, rendered: &Known<Vec<SynapseConfig>>) -> Option<Finding> {
    let (rule, field) = of_field(name)?;
    let (becomes, means) = (&field.becomes, &field.means);
    let message = match rendered {
        Known::Known(all) if all.is_empty() => format!("the operator may make it `{becomes}` of Synapse's; {means}"),
        Known::Known(all) => {
            let has_it = |one: &&SynapseConfig| one.scan.hits.iter().any(|hit| hit.setting == rule.setting);
            let place = &all.iter().find(has_it)?.place;
            format!("the operator makes it `{becomes}` ({place}); {means}")
        }
        Known::Unreadable(why) => {
            format!("the operator may make it `{becomes}` of Synapse's, which could not be looked at ({why}); {means}")
        }
    };
    Some(Finding::warning(&rule.code, path, message).remedy(field.remedy.as_str()))
}
