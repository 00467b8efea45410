//! Settings of Synapse that the migration or Synapse itself refuses: most of them only once MAS is active, when everybody
//! is locked out. Looked for in typed fields, in free-form settings, and in what the operator has made of both.
//!
//! Free-form settings are handed on as they are, so what is refused there stops the step. What the operator writes itself it
//! may well leave out with MAS, so there it is a warning.

mod rendered;
mod scan;
mod tree;
mod typed;
mod value;
mod words;

pub use rendered::RenderedConfig;
pub use scan::{Hit, Process, Scan, Setting, scan};

use serde_json::Value;

use super::finding::{Finding, codes};
use super::snapshot::{Known, Snapshot};
use crate::deployment::Deployment;
use rendered::Seen;
use words::Origin;

/// Path of the free-form settings of the main process.
const ADDITIONAL: &str = "spec.components.synapse.config.additional";

struct FreeForm {
    place: String,
    scan: Scan,
}

pub(super) fn check(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(synapse) = snapshot.deployment.component("synapse") else { return };
    let before = findings.len();
    let all = free_form(synapse);
    for one in &all {
        findings.extend(one.scan.hits.iter().filter_map(|hit| words::finding(hit, &one.place, Origin::FreeForm)));
    }
    let rendered = &snapshot.configured.rendered;
    let mut of_fields = Vec::new();
    typed::check(&synapse["config"], &Seen::of(rendered), &mut of_fields);
    if let Known::Known(configs) = rendered {
        let hits: Vec<Hit> = all.iter().flat_map(|one| one.scan.hits.clone()).collect();
        rendered::check(configs, &hits, &of_fields, findings);
    }
    findings.append(&mut of_fields);
    if findings.len() == before {
        let looked = looked_at(&all, rendered);
        findings.push(Finding::ok(
            codes::SYNAPSE_SETTINGS,
            "spec.components.synapse.config",
            format!("nothing in it that MAS excludes ({looked})"),
        ));
    }
}

/// Whether Synapse's free-form settings, or what the operator made of them, configure e-mail.
pub(super) fn sends_email(snapshot: &Snapshot) -> bool {
    let rendered = snapshot.configured.rendered.known().map(Vec::as_slice).unwrap_or_default();
    let synapse = snapshot.deployment.component("synapse");
    synapse.is_some_and(|synapse| mentions(synapse, "email") && free_form(synapse).iter().any(|one| one.scan.email))
        || rendered.iter().any(|one| one.scan.email)
}

pub(super) fn names_appservices(synapse: &Value) -> bool {
    mentions(synapse, "app_service_config_files") && free_form(synapse).iter().any(|one| one.scan.appservices)
}

/// Whether free-form settings have OpenID Connect providers.
pub(super) fn free_form_oidc(synapse: &Value) -> bool {
    let oidc = |one: &FreeForm| one.scan.hits.iter().any(|hit| hit.setting == Setting::Oidc);
    mentions(synapse, "oidc") && free_form(synapse).iter().any(oidc)
}

/// Spares reading free-form settings that do not even hold a word.
fn mentions(synapse: &Value, word: &str) -> bool {
    let config = &synapse["config"];
    [&config["additional"], &config["workers"]].iter().any(|part| part.to_string().contains(word))
}

/// All free-form texts, the main one first.
fn free_form(synapse: &Value) -> Vec<FreeForm> {
    let mut all = Vec::new();
    let config = &synapse["config"];
    push(&config["additional"], ADDITIONAL.to_owned(), Process::Main, &mut all);
    let workers = &config["workers"];
    for (index, worker) in workers.as_array().into_iter().flatten().enumerate() {
        let kind = worker["type"].as_str().map_or_else(String::new, |kind| format!(" ({kind})"));
        let place = format!("spec.components.synapse.config.workers[{index}].additional{kind}");
        push(&worker["additional"], place, Process::Worker, &mut all);
    }
    for (name, worker) in workers.as_object().into_iter().flatten() {
        let place = format!("spec.components.synapse.config.workers.{name}.additional");
        push(&worker["additional"], place, Process::Worker, &mut all);
    }
    all
}

fn push(value: &Value, place: String, process: Process, all: &mut Vec<FreeForm>) {
    let scan = match value {
        Value::String(text) => scan(text, process),
        // A release that takes a mapping instead of a text: JSON is YAML, but its lines are nobody's.
        Value::Object(fields) if !fields.is_empty() => {
            let mut scan = scan(&value.to_string(), process);
            scan.hits.iter_mut().for_each(|hit| hit.line = None);
            scan
        }
        _ => return,
    };
    all.push(FreeForm { place, scan });
}

fn looked_at(all: &[FreeForm], rendered: &Known<Vec<RenderedConfig>>) -> String {
    let keys: usize = all.iter().map(|one| one.scan.keys).sum();
    let mut parts = vec![match keys {
        0 => "no free-form settings".to_owned(),
        1 => "1 free-form setting".to_owned(),
        keys => format!("{keys} free-form settings"),
    }];
    parts.push(match rendered {
        Known::Known(configs) if configs.is_empty() => "no rendered configuration found".to_owned(),
        Known::Known(configs) => configs.iter().map(|one| one.place.as_str()).collect::<Vec<_>>().join("; "),
        Known::Unreadable(_) => "the rendered configuration could not be looked at".to_owned(),
    });
    parts.join(", ")
}

/// The sections of Synapse that the operator writes from `delegatedAuth`, for the other checks.
pub(super) fn delegated_auth(deployment: &Deployment) -> &Value {
    deployment.component("synapse").map_or(&Value::Null, |synapse| &synapse["config"]["delegatedAuth"])
}

#[cfg(test)]
mod tests;
