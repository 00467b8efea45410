//! The ends of the logs that tell most.

use std::fmt::Write as _;

use futures::StreamExt as _;

use super::contents::{Contents, Missing};
use super::operators::Operators;
use crate::cluster::{LogEnd, Survey};
use crate::diagnosis::around::{self, Around, Container, Role};
use crate::session::related_objects::log_of;

/// Logs at most, and how much of each.
const LOGS: usize = 40;
const LINES: u32 = 2000;
const LONGEST_LOG: usize = 256 << 10;
/// Of the operators, which tell of every component.
const OPERATOR_LINES: u32 = 6000;
const LONGEST_OPERATOR_LOG: usize = 1 << 20;
/// A proxy in front of the operators' metrics, which has nothing to tell.
const METRICS_PROXY: &str = "kube-rbac-proxy";

/// The end of one log, not yet free of secrets.
pub struct Log {
    container: Container,
    of_operator: bool,
    end: LogEnd,
}

pub struct Logs {
    pub logs: Vec<Log>,
    pub missing: Vec<Missing>,
}

/// Of the deployment: jobs, MAS, Synapse, and whatever is in trouble. Of the operators: everything.
pub async fn read(survey: &Survey, around: &Around, operators: &Operators) -> Logs {
    let of_operators = around::containers(&operators.pods).into_iter().filter(|one| one.container != METRICS_PROXY);
    let mut wanted: Vec<(Container, bool)> = of_operators.map(|one| (one, true)).collect();
    // Where the operators run in the deployment's namespace, their pods may have been found twice.
    let twice = |one: &Container| {
        operators.pods.iter().any(|pod| {
            pod["metadata"]["name"] == one.pod.as_str() && pod["metadata"]["namespace"] == one.namespace.as_str()
        })
    };
    let telling = |one: &Container| (one.unwell || one.role != Role::Other) && !twice(one);
    wanted.extend(around::containers(&around.pods).into_iter().filter(telling).map(|one| (one, false)));
    let mut missing = Vec::new();
    for (container, _) in wanted.iter().skip(LOGS) {
        let part = format!("log of {}, container {}", container.pod, container.container);
        missing.push(Missing::new(part, format!("only {LOGS} logs are read, the most telling ones")));
    }
    wanted.truncate(LOGS);
    let read = wanted.into_iter().map(|(container, of_operator)| async move {
        let (lines, longest) = if of_operator { (OPERATOR_LINES, LONGEST_OPERATOR_LOG) } else { (LINES, LONGEST_LOG) };
        let end = survey.log(&log_of(&container), lines, longest).await;
        end.map(|end| Log { container, of_operator, end })
    });
    let mut logs = Vec::new();
    for log in futures::stream::iter(read).buffered(4).collect::<Vec<_>>().await {
        match log {
            Ok(log) => logs.push(log),
            Err(unread) => missing.push(unread.into()),
        }
    }
    Logs { logs, missing }
}

impl Log {
    pub fn add_to(&self, contents: &mut Contents) {
        let Container { namespace, pod, container, previous, role, .. } = &self.container;
        let before = if *previous { ".before" } else { "" };
        let path = format!("logs/{namespace}/{pod}/{container}{before}.log");
        let cut = if self.end.cut { "the end of the log" } else { "the whole log" };
        let whose = match role {
            _ if self.of_operator => "of the updater or operator",
            Role::Job => "of a job",
            Role::Mas => "of MAS",
            Role::Synapse => "of Synapse",
            Role::Other => "of a component in trouble",
        };
        let about = format!("{cut} {whose}");
        let anonymous = !self.of_operator && *role != Role::Job;
        if !self.of_operator && *role == Role::Synapse {
            // Synapse's log of requests names everybody and explains nothing.
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
        let _ = writeln!(out, "[{left_out} lines about requests are left out]");
    }
    out
}
