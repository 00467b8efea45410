//! The ends of the most relevant logs.

use std::fmt::Write as _;

use super::contents::{Contents, Missing};
use super::operators::Operators;
use crate::cluster::{LogEnd, Survey};
use crate::diagnosis::around::{self, Around, Container, Role};
use crate::session::related_objects::{LogLimit, logs};

/// Maximum number of logs, and the limit of each.
const LOGS: usize = 40;
const LIMIT: LogLimit = LogLimit { lines: 2000, bytes: 256 << 10 };
/// Limit of the operators' logs, which cover all components.
const OPERATOR_LIMIT: LogLimit = LogLimit { lines: 6000, bytes: 1 << 20 };
/// A proxy for the operators' metrics, whose log is not relevant.
const METRICS_PROXY: &str = "kube-rbac-proxy";

/// The end of one log, not redacted yet.
pub struct Log {
    container: Container,
    of_operator: bool,
    end: LogEnd,
}

pub struct Logs {
    pub logs: Vec<Log>,
    pub missing: Vec<Missing>,
}

/// Reads all logs of the operators, and those of jobs, MAS, Synapse and failing components of the deployment.
pub async fn read(survey: &Survey, around: &Around, operators: &Operators) -> Logs {
    let mut of_operators = around::containers(&operators.pods);
    of_operators.retain(|one| one.container != METRICS_PROXY);
    // Operators in the deployment's namespace are in both lists.
    let twice = |one: &Container| {
        operators.pods.iter().any(|pod| {
            pod["metadata"]["name"] == one.pod.as_str() && pod["metadata"]["namespace"] == one.namespace.as_str()
        })
    };
    let relevant = |one: &Container| (one.unwell || one.role != Role::Other) && !twice(one);
    let mut of_deployment = around::containers(&around.pods);
    of_deployment.retain(relevant);
    let room = LOGS.saturating_sub(of_operators.len());
    let left_out = of_operators.iter().skip(LOGS).chain(of_deployment.iter().skip(room));
    let reason = || format!("the report has at most {LOGS} logs");
    let part = |one: &Container| format!("log of {}, container {}", one.pod, one.container);
    let mut missing: Vec<Missing> = left_out.map(|one| Missing::new(part(one), reason())).collect();
    of_operators.truncate(LOGS);
    of_deployment.truncate(room);
    let ((theirs, unread), (ours, also_unread)) =
        tokio::join!(logs(survey, of_operators, OPERATOR_LIMIT), logs(survey, of_deployment, LIMIT));
    missing.extend(unread.into_iter().chain(also_unread).map(Missing::from));
    let log = |of_operator| move |(container, end)| Log { container, of_operator, end };
    Logs { logs: theirs.into_iter().map(log(true)).chain(ours.into_iter().map(log(false))).collect(), missing }
}

impl Log {
    pub fn add_to(&self, contents: &mut Contents) {
        let Container { namespace, pod, container, previous, role, .. } = &self.container;
        let before = if *previous { ".before" } else { "" };
        let path = format!("logs/{namespace}/{pod}/{container}{before}.log");
        let cut = if self.end.cut { "the end of the log" } else { "the complete log" };
        let whose = match role {
            _ if self.of_operator => "of the updater or operator",
            Role::Job => "of a job",
            Role::Mas => "of MAS",
            Role::Synapse => "of Synapse",
            Role::Other => "of a failing component",
        };
        let about = format!("{cut} {whose}");
        let anonymous = !self.of_operator && *role != Role::Job;
        if !self.of_operator && *role == Role::Synapse {
            // Synapse's request lines have many user IDs and explain nothing.
            contents.log(path, about, &without_requests(&self.end.text), anonymous);
        } else {
            contents.log(path, about, &self.end.text, anonymous);
        }
    }
}

fn without_requests(text: &str) -> String {
    let kept: Vec<&str> = text.split_inclusive('\n').filter(|line| !line.contains("Processed request:")).collect();
    let left_out = text.split_inclusive('\n').count() - kept.len();
    let mut out = kept.concat();
    if left_out > 0 {
        let _ = writeln!(out, "[{left_out} lines about requests removed]");
    }
    out
}
