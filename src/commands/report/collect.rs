//! Reads the contents of the report within a minute. Failed reads don't fail the command; the report lists them with their
//! reasons.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::shared::output::{check_report, gather};
use super::contents::{Contents, Missing};
use super::{logs, operators, secrets};
use crate::checks::Known;
use crate::cluster::Survey;
use crate::deployment::ChartRelease;
use crate::diagnosis::around::essentials;
use crate::migration;
use crate::redact::Redactor;
use crate::session::Session;
use crate::session::related_objects::{self, Depth};
use crate::session::status::{Status, StatusList};
use crate::terminal::progress::Waiting;

/// Limit for everything except the deployment, its record and its findings.
const SURVEY: Duration = Duration::from_secs(40);
/// Limit for these; each read also has its own limit.
const OWN: Duration = Duration::from_secs(20);
const RECORDS: usize = 10;

pub async fn collect(session: &Session) -> Contents {
    let target = &session.target;
    let progress = session.ui().progress();
    let step = |what: &str| progress.waiting(Waiting::new(what, session.now()));
    step("reading the deployment, its record and its findings");
    let own = timeout(OWN, Box::pin(gather(session))).await.ok();
    let snapshot = own.as_ref().map(|(snapshot, _)| snapshot);
    step("reading related objects");
    let survey = Survey::new(&session.cluster, SURVEY);
    let settled = snapshot.and_then(|snapshot| snapshot.settings.as_ref()).map(|one| one.secret_name.as_str());
    let (secrets, found, mut operators, server) = Box::pin(async {
        tokio::join!(
            secrets::read(&survey, &session.deployment, settled),
            related_objects::read(&survey, &target.namespace, &target.name, Depth { whole: true, most: 1000 }),
            operators::find(&survey, &target.namespace),
            survey.document::<Value>("/version")
        )
    })
    .await;
    let around = found.around;
    let known = snapshot.into_iter().flat_map(migration::known).chain(&secrets.values);
    let mut contents = Contents::new(Redactor::knowing(known));
    if let Some((snapshot, findings)) = &own {
        let status = StatusList::of(vec![Status::of(snapshot, |command| session.command(command))]);
        contents.tree("status.json", "the state of the migration: output of `status -o json`", &json!(status));
        let findings = check_report(Some(target), &json!(findings));
        contents.tree("findings.json", "all findings: output of `check -o json`", &json!(findings));
        if let Known::Unreadable(why) = &snapshot.record {
            contents.missing.push(Missing::new("record.json", why.clone()));
        }
    } else {
        let what = "status.json, findings.json, record.json";
        contents.missing.push(Missing::new(what, "the API server didn't respond in time"));
    }
    let chart = snapshot.and_then(|snapshot| snapshot.chart.as_ref());
    let versions = json!({
        "kubectl-ess-mas": env!("CARGO_PKG_VERSION"),
        "apiServer": server.as_ref().ok().map(|server| &server["gitVersion"]),
        "apiVersion": session.deployment.api_version(),
        "chart": chart, "ess": chart.and_then(ChartRelease::ess),
        "operators": operators.deployments.iter().map(release).collect::<Vec<_>>(),
    });
    contents.tree("versions.json", "versions of the program, the API server, the chart and the operators", &versions);
    let object = session.deployment.object();
    contents.tree("elementdeployment.yaml", "the ElementDeployment, spec and status", object);
    if let Some(record) = snapshot.and_then(|snapshot| snapshot.recorded()) {
        contents.tree("record.json", "the record: what kubectl ess-mas has stored in the cluster", &json!(record));
    }
    let mut events: Vec<Value> = around.events.iter().map(essentials).collect();
    events.sort_by_key(|event| event["last"].to_string());
    let of_operators = [&operators.deployments[..], &operators.pods[..]].concat();
    let workloads = "Deployments, StatefulSets and ReplicaSets: images and status";
    for (path, about, objects) in [
        ("children.yaml", "the components' own resources: metadata and status", &around.children),
        ("workloads.yaml", workloads, &around.workloads),
        ("jobs.yaml", "jobs: images and status", &around.jobs),
        ("pods.yaml", "pods: images and status", &around.pods),
        ("operators.yaml", "the updater and the operator: images and status", &of_operators),
    ] {
        contents.tree(path, about, &objects.iter().map(essentials).collect());
    }
    contents.tree("events.yaml", "events, the latest at the end", &json!(events));
    contents.secrets("secrets.yaml", "Secrets: names and lengths of their keys, no values", &secrets.shown);
    let about = "subjects, names and validity of the certificates in Secrets";
    contents.tree("certificates.yaml", about, &json!(secrets.certificates));
    failure_records(session, &mut contents);
    if operators.deployments.is_empty() {
        contents.missing.push(Missing::new("logs of the updater and the operator", "their Deployments were not found"));
    }
    contents.missing.extend(secrets.missing);
    let unread = found.unread.into_iter().chain(std::mem::take(&mut operators.unread)).chain(server.err());
    contents.missing.extend(unread.map(Missing::from));
    step("reading logs");
    Box::pin(logs::add(&survey, &around, &operators, &mut contents)).await;
    progress.done("read the deployment, its surroundings and its logs");
    contents
}

fn release(deployment: &Value) -> Value {
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
    let images: Vec<&str> = containers.filter_map(|one| one["image"].as_str()).collect();
    let metadata = &deployment["metadata"];
    json!({"name": metadata["name"], "namespace": metadata["namespace"], "images": images})
}

/// The failure records of this deployment on this machine, the latest first.
fn failure_records(session: &Session, contents: &mut Contents) {
    let target = &session.target;
    let beginning = format!("{}-{}-", target.namespace, target.name);
    // A missing folder has no records.
    let entries = session.state_folders().into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let named = entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let mut found: Vec<_> = named
        .filter(|(name, path)| name.starts_with(&beginning) && path.extension() == Some("json".as_ref()))
        .collect();
    found.sort_by(|one, other| other.0.cmp(&one.0));
    for (name, path) in found.into_iter().take(RECORDS) {
        let read = std::fs::read(&path).map_err(|error| error.to_string());
        let read =
            read.and_then(|text| serde_json::from_slice::<Value>(&text).map_err(|_| "the file is not JSON".to_owned()));
        match read {
            // Another deployment's name may start with this name and a hyphen.
            Ok(record) if record["namespace"] == *target.namespace && record["name"] == *target.name => {
                let about = "failure file that a command saved on this machine";
                contents.tree(&format!("failures/{name}"), about, &record);
            }
            Ok(_) => {}
            Err(why) => contents.missing.push(Missing::new(format!("failure record {}", path.display()), why)),
        }
    }
}
