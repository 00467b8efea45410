//! The ends of the most relevant logs.

use super::contents::{Contents, Missing};
use super::operators::Operators;
use crate::cluster::Survey;
use crate::diagnosis::around::{self, Around, Container, Role};
use crate::session::related_objects::{LogLimit, logs};

/// Maximum number of logs of the deployment, and the limit of each.
const LOGS: usize = 40;
const LIMIT: LogLimit = LogLimit { lines: 2000, bytes: 256 << 10 };
/// Limit of the operators' logs, which cover all components.
const OPERATOR_LIMIT: LogLimit = LogLimit { lines: 6000, bytes: 1 << 20 };
/// A proxy for the operators' metrics, whose log is not relevant.
const METRICS_PROXY: &str = "kube-rbac-proxy";

/// Adds all logs of the operators, and those of jobs, MAS, Synapse and failing components of the deployment.
pub async fn add(survey: &Survey, around: &Around, operators: &Operators, contents: &mut Contents) {
    let mut of_operators = around::containers(&operators.pods);
    of_operators.retain(|one| one.container != METRICS_PROXY);
    let mut of_deployment = around::containers(&around.pods);
    // Operators in the deployment's namespace are in both lists.
    of_deployment.retain(|one| {
        let twice = operators.pods.iter().map(|pod| &pod["metadata"]);
        let mut twice =
            twice.filter(|pod| pod["name"] == one.pod.as_str() && pod["namespace"] == one.namespace.as_str());
        (one.unwell || one.role != Role::Other) && twice.next().is_none()
    });
    for one in of_deployment.iter().skip(LOGS) {
        let part = format!("log of {}, container {}", one.pod, one.container);
        contents.missing.push(Missing::new(part, format!("the report has at most {LOGS} logs")));
    }
    of_deployment.truncate(LOGS);
    let (theirs, ours) = tokio::join!(logs(survey, of_operators, OPERATOR_LIMIT), logs(survey, of_deployment, LIMIT));
    for ((logs, unread), of_operator) in [(theirs, true), (ours, false)] {
        contents.missing.extend(unread.into_iter().map(Missing::from));
        for (Container { namespace, pod, container, previous, role, .. }, end) in logs {
            let before = if previous { ".before" } else { "" };
            let cut = if end.cut { "the end of the log" } else { "the complete log" };
            let whose = match role {
                _ if of_operator => "of the updater or operator",
                Role::Job => "of a job",
                Role::Mas => "of MAS",
                Role::Synapse => "of Synapse",
                Role::Other => "of a failing component",
            };
            let mut text = end.text;
            if !of_operator && role == Role::Synapse {
                // Synapse's request lines have many user IDs and explain nothing.
                text = text.split_inclusive('\n').filter(|line| !line.contains("Processed request:")).collect();
            }
            let path = format!("logs/{namespace}/{pod}/{container}{before}.log");
            contents.log(path, format!("{cut} {whose}"), &text, !of_operator && role != Role::Job);
        }
    }
}
