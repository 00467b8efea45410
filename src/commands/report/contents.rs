//! From what was read to files: everything goes through the redactor here, and nowhere else.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::Missing;
use super::collect::{Collected, Log, Source};
use crate::deployment::ChartRelease;
use crate::diagnosis::around::{Role, essentials};
use crate::record::Archive;
use crate::redact::{People, Redactor};
use crate::session::Session;
use crate::terminal::OutputFormat;
use crate::terminal::data;

/// A file, and what it is, for the index.
struct Part {
    path: String,
    about: String,
    text: String,
}

/// Puts the report together. Returns it with everything that is not in it.
pub fn archive(session: &Session, collected: Collected, now: Timestamp) -> (Archive, Vec<Missing>) {
    let mut missing = collected.missing.clone();
    let parts = parts(session, &collected);
    // The index comes first and has to tell what did not fit, so the parts are measured before.
    let mut trial = Archive::default();
    let (mut kept, mut too_large) = (Vec::new(), Vec::new());
    for part in parts {
        if trial.add(&part.path, part.text.clone()) { kept.push(part) } else { too_large.push(part.path) }
    }
    missing.extend(too_large.into_iter().map(|path| Missing::new(path, "the report would have become too large")));
    let clean = |one: &Missing| Missing::new(collected.redactor.text(&one.part), collected.redactor.text(&one.reason));
    let missing: Vec<Missing> = missing.iter().map(clean).collect();
    let mut archive = Archive::of_at_most(usize::MAX);
    archive.add("INDEX.txt", index(session, &kept, &missing, now));
    for part in kept {
        archive.add(&part.path, part.text);
    }
    (archive, missing)
}

fn parts(session: &Session, collected: &Collected) -> Vec<Part> {
    let redactor = &collected.redactor;
    let target = &session.target;
    let mut parts = Vec::new();
    let mut add = |path: &str, about: &str, text: Option<String>| {
        parts.extend(text.map(|text| Part { path: path.to_owned(), about: about.to_owned(), text }));
    };
    let status = collected
        .status
        .as_ref()
        .map(|status| json!({"apiVersion": "ess-mas/v1", "kind": "StatusList", "items": [redactor.tree(status)]}));
    add("status.json", "where the migration stands, as `status -o json` shows it", status.as_ref().and_then(json_text));
    let findings = collected.snapshot.is_some().then(|| {
        let findings = redactor.tree(&json!(collected.findings));
        json!({"apiVersion": "ess-mas/v1", "kind": "CheckReport", "namespace": target.namespace, "name": target.name, "findings": findings})
    });
    add("findings.json", "every finding, as `check -o json` shows it", findings.as_ref().and_then(json_text));
    add("versions.json", "releases of everything", json_text(&redactor.tree(&versions(session, collected))));
    let object = redactor.object(session.deployment.object());
    add("elementdeployment.yaml", "the ElementDeployment, spec and status", yaml_text(&object));
    let record = collected.snapshot.as_ref().and_then(|snapshot| snapshot.recorded());
    let record = record.map(|record| redactor.tree(&json!(record)));
    add("record.json", "what kubectl ess-mas has noted in the cluster", record.as_ref().and_then(json_text));
    let list = |objects: &[Value]| -> Option<String> {
        let kept: Vec<Value> = objects.iter().map(|object| redactor.tree(&essentials(object))).collect();
        (!kept.is_empty()).then(|| yaml_text(&kept)).flatten()
    };
    let around = &collected.around;
    add("children.yaml", "the components' own resources: metadata and status", list(&around.children));
    add("workloads.yaml", "Deployments, StatefulSets and ReplicaSets: images and status", list(&around.workloads));
    add("jobs.yaml", "jobs: images and status", list(&around.jobs));
    add("pods.yaml", "pods: images and status", list(&around.pods));
    let mut events: Vec<Value> =
        around.events.iter().map(|event| redactor.tree(&essentials(&with_kind(event)))).collect();
    events.sort_by_key(|event| event["last"].to_string());
    add("events.yaml", "events, the latest last", (!events.is_empty()).then(|| yaml_text(&events)).flatten());
    let operators = [&collected.operators.deployments[..], &collected.operators.pods[..]].concat();
    add("operators.yaml", "the updater and the operator: images and status", list(&operators));
    let secrets = &collected.secrets;
    let shown: Vec<Value> = secrets.shown.iter().map(|secret| without_values(redactor, secret)).collect();
    add("secrets.yaml", "Secrets: names and lengths of their keys, no values", list_of(&shown));
    let certificates: Vec<Value> = secrets.certificates.iter().map(|one| redactor.tree(one)).collect();
    add("certificates.yaml", "what the certificates in them say", list_of(&certificates));
    for (name, record) in &collected.records {
        let text = json_text(&redactor.tree(record));
        add(&format!("failures/{name}"), "what was saved on this machine when a command failed", text);
    }
    let mut people = People::default();
    for log in &collected.logs {
        let path = log_path(log);
        add(&path, &log_about(log), Some(log_text(redactor, &mut people, log)));
    }
    parts
}

/// Lengths stand under names that speak of secrets, and are none themselves.
fn without_values(redactor: &Redactor, secret: &Value) -> Value {
    let mut clean = redactor.tree(secret);
    if let Some(keys) = secret["keys"].as_object() {
        clean["keys"] = keys.iter().map(|(key, length)| (redactor.text(key), length.clone())).collect();
    }
    clean
}

fn with_kind(event: &Value) -> Value {
    let mut event = event.clone();
    event["kind"] = json!("Event");
    event
}

fn list_of(values: &[Value]) -> Option<String> {
    (!values.is_empty()).then(|| yaml_text(&values)).flatten()
}

fn json_text(value: &Value) -> Option<String> {
    data::render(OutputFormat::Json, value).ok()
}

fn yaml_text<T: Serialize>(value: &T) -> Option<String> {
    data::render(OutputFormat::Yaml, value).ok()
}

fn versions(session: &Session, collected: &Collected) -> Value {
    let image = |object: &Value| {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
        containers.filter_map(|one| one["image"].as_str()).map(str::to_owned).collect::<Vec<_>>()
    };
    let operators: Vec<Value> = collected
        .operators
        .deployments
        .iter()
        .map(|one| json!({"name": one["metadata"]["name"], "namespace": one["metadata"]["namespace"], "images": image(one)}))
        .collect();
    let chart = collected.snapshot.as_ref().and_then(|snapshot| snapshot.chart.as_ref());
    json!({
        "kubectl-ess-mas": env!("CARGO_PKG_VERSION"),
        "apiServer": collected.server.as_ref().map(|server| &server["gitVersion"]),
        "apiVersion": session.deployment.api_version(),
        "chart": chart, "ess": chart.and_then(ChartRelease::ess).map(|ess| ess.to_string()),
        "operators": operators,
    })
}

fn log_path(log: &Log) -> String {
    let of = &log.container;
    let before = if of.previous { ".before" } else { "" };
    format!("logs/{}/{}/{}{before}.log", of.namespace, of.pod, of.container)
}

fn log_about(log: &Log) -> String {
    let cut = if log.end.cut { "the end of the log" } else { "the whole log" };
    let whose = match log.source {
        Source::Operator => "of the updater or operator",
        Source::Deployment(Role::Job) => "of a job",
        Source::Deployment(Role::Mas) => "of MAS",
        Source::Deployment(Role::Synapse) => "of Synapse",
        Source::Deployment(Role::Other) => "of a component in trouble",
    };
    format!("{cut} {whose}")
}

fn log_text(redactor: &Redactor, people: &mut People, log: &Log) -> String {
    let text = match log.source {
        // Synapse's log of requests names everybody and explains nothing.
        Source::Deployment(Role::Synapse) => without_requests(&log.end.text),
        _ => log.end.text.clone(),
    };
    let clean = redactor.text(&crate::terminal::text::harmless(&text));
    match log.source {
        Source::Operator | Source::Deployment(Role::Job) => clean,
        Source::Deployment(_) => people.hide(&clean),
    }
}

fn without_requests(text: &str) -> String {
    let kept: Vec<&str> = text.split_inclusive('\n').filter(|line| !line.contains("Processed request:")).collect();
    let left_out = text.split_inclusive('\n').count() - kept.len();
    let mut out = kept.concat();
    if left_out > 0 {
        let _ = writeln!(out, "[{left_out} lines about requests are left out]");
    }
    out
}

fn index(session: &Session, parts: &[Part], missing: &[Missing], now: Timestamp) -> String {
    let target = &session.target;
    let mut text = format!(
        "Report on ElementDeployment {} in namespace {}\nmade {now} by kubectl ess-mas {}\n\nWhat is in it\n",
        target.name,
        target.namespace,
        env!("CARGO_PKG_VERSION")
    );
    let width = parts.iter().map(|part| part.path.len()).max().unwrap_or(0).min(60);
    for part in parts {
        let _ = writeln!(text, "  {:width$}  {}", part.path, part.about);
    }
    text.push_str("\nWhat could not be read, and why\n");
    if missing.is_empty() {
        text.push_str("  nothing; everything that was looked for is there\n");
    }
    for one in missing {
        let _ = writeln!(text, "  {}: {}", one.part, one.reason);
    }
    text.push_str(LEFT_OUT);
    text
}

const LEFT_OUT: &str = "
What was left out on purpose
  Of Secrets only the names and lengths of keys are here. Values that were read from them were looked for in every text,
  also in base64, hexadecimal, JSON and URL form, and replaced by [redacted]. So were private keys and certificates in PEM,
  tokens, password hashes, passwords in URLs and under names that speak of one, authorization headers, and long
  hexadecimal or base64 codes, whether they were known or not.
  Of pods and workloads only names, images, resources and status are here: no environment, no arguments, no volumes.
  Of the components' own resources only metadata and status are here.
  In the logs of Synapse, MAS and other servers user ids are numbered (@user-1:example.com, the same number for the same
  person throughout) and e-mail addresses are left out; Synapse's lines about single requests are left out. The operator's
  messages, its logs and those of jobs keep user ids, because a failure may be about one of them.
  What stays: host names, names of objects, server name, identity providers, error texts, times.
";
