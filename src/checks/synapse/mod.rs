//! Settings of Synapse that syn2mas or Synapse refuse, in typed fields, free-form settings and the rendered configuration.
//! Synapse refuses most of them only after MAS is active, when all users are locked out.

pub(super) mod oidc;
pub(super) mod scan;
mod settings;
mod tree;

pub use scan::{Match, Process, Scan, SynapseConfig, scan};

use serde_json::Value;

use super::finding::{Finding, Severity};
use super::snapshot::Snapshot;
use crate::answers::Known;
pub(super) use settings::rule;
use settings::{Rule, TypedField};

const ADDITIONAL: &str = "spec.components.synapse.config.additional";

pub(super) fn check(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    if snapshot.deployment.component("synapse").is_none() {
        return;
    }
    let before = findings.len();
    let config = snapshot.deployment.synapse_config();
    let rendered = &snapshot.components.rendered;
    let all = free_form(config);
    for one in &all {
        findings.extend(one.scan.hits.iter().map(|hit| hit.finding(&one.place)));
    }
    let of_fields = typed_fields(config, rendered);
    let hits: Vec<&Match> = all.iter().flat_map(|one| &one.scan.hits).collect();
    findings.extend(only_rendered(rendered.known().map(Vec::as_slice).unwrap_or_default(), &hits, &of_fields));
    findings.extend(of_fields);
    if findings.len() == before {
        let values = [("sources", &*sources(&all, rendered))];
        findings.push(Finding::of("synapse-settings", "spec.components.synapse.config", &values));
    }
}

/// Findings about the rendered configuration that neither the free-form settings nor a typed field explain.
fn only_rendered(all: &[SynapseConfig], free_form: &[&Match], reported: &[Finding]) -> Vec<Finding> {
    let mut seen: Vec<&Match> = Vec::new();
    let mut findings = Vec::new();
    for (one, hit) in all.iter().flat_map(|one| one.scan.hits.iter().map(move |hit| (one, hit))) {
        let same =
            |other: &&Match| other.setting == hit.setting && other.detail == hit.detail && other.path == hit.path;
        if free_form.iter().any(same) || seen.iter().any(same) {
            continue;
        }
        let found = settings::rule(hit.setting).in_rendered(hit.finding(&one.place));
        if let Some(finding) = found.filter(|finding| reported.iter().all(|other| other.code != finding.code)) {
            seen.push(hit);
            findings.push(finding);
        }
    }
    findings
}

/// Whether Synapse's free-form or rendered settings configure e-mail.
pub(super) fn sends_email(snapshot: &Snapshot) -> bool {
    let config = snapshot.deployment.synapse_config();
    let rendered = snapshot.components.rendered.known();
    mentions(config, "email") && free_form(config).iter().any(|one| one.scan.email)
        || rendered.into_iter().flatten().any(|one| one.scan.email)
}

pub(super) fn names_appservices(config: &Value) -> bool {
    mentions(config, "app_service_config_files") && free_form(config).iter().any(|one| one.scan.appservices)
}

/// Whether free-form settings contain OpenID Connect providers.
pub(super) fn free_form_oidc(config: &Value) -> bool {
    let oidc = |one: &SynapseConfig| one.scan.hits.iter().any(|hit| hit.setting == "oidc");
    mentions(config, "oidc") && free_form(config).iter().any(oidc)
}

/// Whether free-form settings contain a word; cheaper than parsing them.
fn mentions(config: &Value, word: &str) -> bool {
    [&config["additional"], &config["workers"]].iter().any(|part| part.to_string().contains(word))
}

/// All free-form texts, the main one first.
fn free_form(config: &Value) -> Vec<SynapseConfig> {
    let mut all = Vec::new();
    all.extend(read(&config["additional"], ADDITIONAL.to_owned(), Process::Main));
    let workers = &config["workers"];
    for (index, worker) in workers.as_array().into_iter().flatten().enumerate() {
        let kind = worker["type"].as_str().map_or_else(String::new, |kind| format!(" ({kind})"));
        let place = format!("spec.components.synapse.config.workers[{index}].additional{kind}");
        all.extend(read(&worker["additional"], place, Process::Worker));
    }
    for (name, worker) in workers.as_object().into_iter().flatten() {
        let place = format!("spec.components.synapse.config.workers.{name}.additional");
        all.extend(read(&worker["additional"], place, Process::Worker));
    }
    all
}

fn read(value: &Value, place: String, process: Process) -> Option<SynapseConfig> {
    let scan = match value {
        Value::String(text) => scan(text, process),
        // Some releases take a mapping instead of a text. JSON is YAML, but its line numbers mean nothing to users.
        Value::Object(fields) if !fields.is_empty() => {
            let mut scan = scan(&value.to_string(), process);
            scan.hits.iter_mut().for_each(|hit| hit.line = None);
            scan
        }
        _ => return None,
    };
    Some(SynapseConfig { place, scan })
}

fn sources(all: &[SynapseConfig], rendered: &Known<Vec<SynapseConfig>>) -> String {
    let of_text = match all.iter().map(|one| one.scan.keys).sum() {
        0_usize => "no free-form settings".to_owned(),
        1 => "1 free-form setting".to_owned(),
        keys => format!("{keys} free-form settings"),
    };
    let of_operator = match rendered {
        Known::Known(configs) if configs.is_empty() => "no rendered configuration found".to_owned(),
        Known::Known(configs) => configs.iter().map(|one| one.place.as_str()).collect::<Vec<_>>().join("; "),
        Known::Unreadable(_) => "the rendered configuration couldn't be read".to_owned(),
    };
    format!("{of_text}, {of_operator}")
}

/// The documented fields of `spec.components.synapse.config` that the operator may translate into a setting that Synapse or
/// syn2mas refuses.
fn typed_fields(config: &Value, rendered: &Known<Vec<SynapseConfig>>) -> Vec<Finding> {
    let is_on = |path: &str| oidc::field(config, &path.split('.').collect::<Vec<_>>()).is_some_and(oidc::is_set);
    let set = settings::fields().filter(|(_, field)| is_on(&field.path));
    set.filter_map(|(rule, field)| of_typed_field(rule, field, rendered)).collect()
}

/// The rendered configuration decides; the message says so if it is missing or unreadable.
fn of_typed_field(rule: &'static Rule, field: &TypedField, rendered: &Known<Vec<SynapseConfig>>) -> Option<Finding> {
    let TypedField { path, becomes, means, remedy } = field;
    let message = match rendered {
        Known::Known(all) if all.is_empty() => {
            format!("the operator may translate it to Synapse's `{becomes}`; {means}")
        }
        Known::Known(all) => {
            let has_it = |one: &&SynapseConfig| one.scan.hits.iter().any(|hit| hit.setting == rule.setting);
            let place = &all.iter().find(has_it)?.place;
            format!("the operator translates it to `{becomes}` ({place}); {means}")
        }
        Known::Unreadable(why) => {
            format!("the operator may translate it to Synapse's `{becomes}`, which couldn't be read ({why}); {means}")
        }
    };
    let path: Vec<String> = path.split('.').map(oidc::camel).collect();
    let path = format!("spec.components.synapse.config.{}", path.join("."));
    Some(Finding::new(&rule.code, Severity::Warning, path, message).remedy(remedy))
}

#[cfg(test)]
mod tests;
