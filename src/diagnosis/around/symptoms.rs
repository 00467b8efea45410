//! Finds failures in the objects around a deployment.

use serde_json::Value;

use super::objects::{Around, brief, event_message, event_object, event_time, title};
use crate::deployment::Conditions;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Symptom {
    /// `Pod chat-mas-0`.
    pub object: String,
    pub says: String,
}

/// Waiting reasons of a normal start.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];
const MOST_EVENTS: usize = 8;

/// The failures of children, then of jobs and pods, then the latest warning events.
pub fn symptoms(around: &Around) -> Vec<Symptom> {
    let mut found = Vec::new();
    for child in &around.children {
        found.extend(of_child(child).map(|says| Symptom { object: title(child, "Object"), says }));
    }
    for job in &around.jobs {
        found.extend(of_job(job).map(|says| Symptom { object: title(job, "Job"), says }));
    }
    for pod in &around.pods {
        found.extend(of_pod(pod).into_iter().map(|says| Symptom { object: title(pod, "Pod"), says }));
    }
    found.extend(of_events(&around.events));
    found
}

fn of_child(child: &Value) -> Option<String> {
    let conditions = Conditions::read(&child["status"]);
    if let Some(failure) = conditions.failure() {
        return Some(format!("Failure: {}", brief(&failure.message)));
    }
    let not_so = |kind: &str| {
        let condition = conditions.get(kind)?;
        (condition.status == "False" && conditions.run() != crate::deployment::Run::Running).then(|| {
            let message = brief(&condition.message);
            if message.is_empty() { format!("{kind} is False") } else { format!("{kind} is False: {message}") }
        })
    };
    ["Available", "Ready", "Successful"].into_iter().find_map(not_so)
}

fn of_job(job: &Value) -> Option<String> {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let failed = conditions.clone().find(|one| one["type"] == "Failed" && one["status"] == "True");
    if let Some(failed) = failed {
        let text = |key: &str| failed[key].as_str().unwrap_or_default();
        let why = brief(&format!("failed: {} {}", text("reason"), text("message")));
        return Some(why + &at(&failed["lastTransitionTime"]));
    }
    let failures = job["status"]["failed"].as_u64().filter(|number| *number > 0)?;
    let complete = conditions.clone().any(|one| one["type"] == "Complete" && one["status"] == "True");
    (!complete).then(|| format!("{failures} of its pods failed"))
}

fn of_pod(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let status = &pod["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    for condition in conditions.filter(|one| one["type"] == "PodScheduled" && one["status"] == "False") {
        found.push(format!("not scheduled: {}", brief(condition["message"].as_str().unwrap_or_default())));
    }
    if let Some(reason) = status["reason"].as_str().filter(|_| status["phase"] == "Failed") {
        found.push(brief(&format!("{reason}: {}", status["message"].as_str().unwrap_or_default())));
    }
    for list in ["initContainerStatuses", "containerStatuses"] {
        for container in status[list].as_array().into_iter().flatten() {
            let name = container["name"].as_str().unwrap_or("?");
            found.extend(of_container(container).map(|says| format!("container {name} {says}")));
        }
    }
    found
}

fn of_container(container: &Value) -> Option<String> {
    let ended = |state: &Value| {
        let code = state["exitCode"].as_i64().filter(|code| *code != 0)?;
        let reason = state["reason"].as_str().filter(|reason| *reason != "Error");
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let message = state["message"].as_str().map_or_else(String::new, |message| format!(": {}", brief(message)));
        Some(format!("ended with exit code {code}{reason}{}{message}", at(&state["finishedAt"])))
    };
    if let Some(says) = ended(&container["state"]["terminated"]) {
        return Some(says);
    }
    let last = ended(&container["lastState"]["terminated"]);
    let waiting = &container["state"]["waiting"];
    match waiting["reason"].as_str().filter(|reason| !STARTING.contains(reason)) {
        Some(reason) => Some(match last {
            Some(last) => format!("is waiting ({reason}); the previous instance {last}"),
            None => brief(&format!("is waiting: {reason}: {}", waiting["message"].as_str().unwrap_or_default())),
        }),
        None => last.map(|last| {
            let restarts = container["restartCount"].as_u64().unwrap_or(0);
            format!("was restarted ({restarts} times); the previous instance {last}")
        }),
    }
}

/// ` at 2026-11-23T10:00:00Z`, to distinguish this try's failures from those of earlier ones.
fn at(time: &Value) -> String {
    time.as_str().map_or_else(String::new, |time| format!(" at {time}"))
}

/// The latest warning events, in order of time. Repeated events count once.
fn of_events(events: &[Value]) -> Vec<Symptom> {
    let mut warnings: Vec<&Value> = events.iter().filter(|event| event["type"] == "Warning").collect();
    warnings.sort_by_key(|event| event_time(event));
    let mut found: Vec<Symptom> = Vec::new();
    for event in warnings {
        let object = event_object(event);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let symptom = Symptom {
            object: format!("{} {}", text(&object["kind"]), text(&object["name"])),
            says: brief(&format!("{} {}: {}", event_time(event), text(&event["reason"]), text(event_message(event)))),
        };
        // Without the time at the beginning.
        let words = |one: &Symptom| one.says.split_once(' ').map(|(_, words)| words.to_owned());
        found.retain(|one| one.object != symptom.object || words(one) != words(&symptom));
        found.push(symptom);
    }
    found.split_off(found.len().saturating_sub(MOST_EVENTS))
}
