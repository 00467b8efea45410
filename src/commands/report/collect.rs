//! Reads everything that goes into the report, within a minute. Nothing here can fail the command: what was not read is
//! noted with its reason.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::check;
use super::operators::{self, Operators};
use super::secrets::{self, Secrets};
use super::{Missing, operators::BESIDE};
use crate::checks::{Finding, Known, Snapshot};
use crate::cluster::{LogEnd, Survey};
use crate::diagnosis::around::{self, Around, Container, Role};
use crate::migration;
use crate::redact::Redactor;
use crate::session::Session;
use crate::session::related_objects::{self, Depth};
use crate::session::status::Status;
use crate::terminal::progress::{Progress, Waiting};

/// For everything but the deployment itself, its record and its findings.
const SURVEY: Duration = Duration::from_secs(40);
/// For those; each read has limits of its own as well.
const OWN: Duration = Duration::from_secs(20);
/// Logs at most, and how much of each.
const LOGS: usize = 40;
const LINES: u32 = 2000;
const LONGEST_LOG: usize = 256 << 10;
/// Of the operators, which tell of every component.
const OPERATOR_LINES: u32 = 6000;
const LONGEST_OPERATOR_LOG: usize = 1 << 20;
/// Failure records at most, the latest.
const RECORDS: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Operator,
    Deployment(Role),
}

/// The end of one log, not yet free of secrets.
pub struct Log {
    pub container: Container,
    pub source: Source,
    pub end: LogEnd,
}

pub struct Collected {
    /// The deployment and what the checks look at; `None` if that took too long.
    pub snapshot: Option<Snapshot>,
    /// `status -o json`.
    pub status: Option<Value>,
    /// `check`.
    pub findings: Vec<Finding>,
    pub secrets: Secrets,
    pub around: Around,
    pub operators: Operators,
    pub logs: Vec<Log>,
    pub server: Option<Value>,
    /// Names and contents of the local failure records.
    pub records: Vec<(String, Value)>,
    pub missing: Vec<Missing>,
    pub redactor: Redactor,
}

pub async fn collect(session: &Session) -> Collected {
    let progress = session.ui().progress();
    let mut missing = Vec::new();
    step(session, &progress, "reading the deployment, its record and its findings");
    let own = timeout(OWN, Box::pin(own(session))).await;
    let (snapshot, status, findings) = if let Ok((snapshot, status, findings)) = own {
        (Some(snapshot), Some(status), findings)
    } else {
        missing.push(Missing::new("status.json, findings.json, record.json", "the API server took too long"));
        (None, None, Vec::new())
    };
    if let Some(Known::Unreadable(why)) = snapshot.as_ref().map(|snapshot| &snapshot.record) {
        missing.push(Missing::new("record.json", why.clone()));
    }
    let survey = Survey::new(&session.cluster, SURVEY);
    let target = &session.target;
    step(session, &progress, "reading what is around it");
    let settled = snapshot.as_ref().and_then(|snapshot| snapshot.settings.as_ref()).map(|one| one.secret_name.as_str());
    let (mut secrets, found, mut operators, server) = Box::pin(async {
        tokio::join!(
            secrets::read(&survey, &session.deployment, settled),
            related_objects::read(&survey, &target.namespace, &target.name, Depth { whole: true, most: 1000 }),
            operators::find(&survey, &target.namespace),
            survey.server_version()
        )
    })
    .await;
    missing.extend(std::mem::take(&mut secrets.missing));
    missing.extend(found.unread.into_iter().map(Missing::from));
    missing.extend(std::mem::take(&mut operators.unread).into_iter().map(Missing::from));
    if operators.deployments.is_empty() {
        missing.push(Missing::new("logs of the updater and the operator", "no deployment of theirs was found"));
    }
    let server = server.map_err(|unread| missing.push(unread.into())).ok();
    step(session, &progress, "reading logs");
    let (logs, unread) = Box::pin(read_logs(&survey, &found.around, &operators)).await;
    missing.extend(unread);
    let known = snapshot.iter().flat_map(migration::known).chain(&secrets.values);
    let redactor = Redactor::knowing(known);
    let records = records(session, &mut missing);
    let count = |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
    let around = &found.around;
    let counted = [
        count(around.children.len(), "child", "children"),
        count(around.pods.len(), "pod", "pods"),
        count(around.jobs.len(), "job", "jobs"),
        count(around.events.len(), "event", "events"),
        count(logs.len(), "log", "logs"),
    ];
    progress.done(format!("read {}", counted.join(", ")));
    missing.sort();
    missing.dedup();
    Collected {
        snapshot,
        status,
        findings,
        secrets,
        around: found.around,
        operators,
        logs,
        server,
        records,
        missing,
        redactor,
    }
}

fn step(session: &Session, progress: &Progress, what: &str) {
    progress.waiting(Waiting::new(what, session.ui().terminal().now()));
}

/// What `status` and `check` show.
async fn own(session: &Session) -> (Snapshot, Value, Vec<Finding>) {
    let (snapshot, findings) = check::look(session).await;
    let status = Status::of(&snapshot, |command| session.command(command));
    (snapshot, json!(status), findings)
}

/// Of the deployment: jobs, MAS, Synapse, and whatever is in trouble. Of the operators: everything.
async fn read_logs(survey: &Survey, around: &Around, operators: &Operators) -> (Vec<Log>, Vec<Missing>) {
    use futures::StreamExt as _;
    let of_operators = around::containers(&operators.pods).into_iter().filter(|one| one.container != BESIDE);
    let telling = |one: &Container| one.unwell || one.role != Role::Other;
    let of_deployment = around::containers(&around.pods).into_iter().filter(telling);
    let mut wanted: Vec<(Container, Source)> = of_operators.map(|one| (one, Source::Operator)).collect();
    // Where the operators run in the deployment's namespace, their pods may have been found twice.
    let twice = |one: &Container| {
        operators.pods.iter().any(|pod| {
            pod["metadata"]["name"] == one.pod.as_str() && pod["metadata"]["namespace"] == one.namespace.as_str()
        })
    };
    wanted.extend(of_deployment.filter(|one| !twice(one)).map(|one| {
        let source = Source::Deployment(one.role);
        (one, source)
    }));
    let mut missing = Vec::new();
    for (container, _) in wanted.iter().skip(LOGS) {
        let part = format!("log of {}, container {}", container.pod, container.container);
        missing.push(Missing::new(part, format!("only {LOGS} logs are read, the most telling ones")));
    }
    wanted.truncate(LOGS);
    let read = wanted.into_iter().map(|(container, source)| async move {
        let (lines, longest) = match source {
            Source::Operator => (OPERATOR_LINES, LONGEST_OPERATOR_LOG),
            Source::Deployment(_) => (LINES, LONGEST_LOG),
        };
        let end = survey.log(&related_objects::log_of(&container), lines, longest).await;
        (container, source, end)
    });
    let read: Vec<_> = futures::stream::iter(read).buffered(4).collect().await;
    let mut logs = Vec::new();
    for (container, source, end) in read {
        match end {
            Ok(end) => logs.push(Log { container, source, end }),
            Err(unread) => missing.push(unread.into()),
        }
    }
    (logs, missing)
}

/// The failure records of this deployment on this machine, the latest first.
fn records(session: &Session, missing: &mut Vec<Missing>) -> Vec<(String, Value)> {
    let target = &session.target;
    let beginning = format!("{}-{}-", target.namespace, target.name);
    let mut found = Vec::new();
    for folder in session.state_folders() {
        // A folder that is not there holds no records.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_record = Path::new(&name).extension().is_some_and(|ending| ending == "json");
            if is_record && name.starts_with(&beginning) {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort_by(|one, other| other.0.cmp(&one.0));
    found.dedup_by(|one, other| one.0 == other.0);
    let mut records = Vec::new();
    for (name, path) in found.into_iter().take(RECORDS) {
        match read_record(&path) {
            // Names with hyphens may begin alike.
            Ok(record) if record["namespace"] == json!(target.namespace) && record["name"] == json!(target.name) => {
                records.push((name, record));
            }
            Ok(_) => {}
            Err(why) => missing.push(Missing::new(format!("failure record {}", path.display()), why)),
        }
    }
    records
}

fn read_record(path: &Path) -> Result<Value, String> {
    const LARGEST: u64 = 4 << 20;
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LARGEST {
        return Err("it is larger than a failure record is".to_owned());
    }
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|_| "it is not JSON".to_owned())
}
