//! The status that the operator writes during a reconcile. Pure; tested against recordings of a real ansible-operator.

use jiff::Timestamp;

use super::condition::{AnsibleResult, Condition, Status, seconds};

pub(crate) const RUNNING: &str = "Running";
pub(crate) const SUCCESSFUL: &str = "Successful";
pub(crate) const FAILURE: &str = "Failure";
pub(crate) const AVAILABLE: &str = "Available";

/// The start of a reconcile: the previous success becomes False but keeps its reason, message and time.
pub(crate) fn started(status: &mut Status, now: Timestamp) {
    take_back(status, SUCCESSFUL);
    status.set(condition(RUNNING, "True", "Running", "Running reconciliation", now));
}

/// The end of a reconcile without failures.
pub(crate) fn succeeded(status: &mut Status, result: AnsibleResult, now: Timestamp) {
    let mut running = condition(RUNNING, "True", "Successful", "Awaiting next reconciliation", now);
    running.ansible_result = Some(result);
    status.set(running);
    status.set(condition(SUCCESSFUL, "True", "Successful", "Last reconciliation succeeded", now));
    status.set(condition(FAILURE, "False", "", "", now));
}

/// The end of a reconcile with a failed task.
pub(crate) fn failed(status: &mut Status, result: AnsibleResult, message: &str, now: Timestamp) {
    take_back(status, RUNNING);
    let mut failure = condition(FAILURE, "True", "Failed", message, now);
    failure.ansible_result = Some(result);
    status.set(failure);
    status.set(condition(SUCCESSFUL, "False", "", "", now));
}

/// A reconcile without a result of Ansible, as after a kill of the operator.
pub(crate) fn broke_down(status: &mut Status, message: &str, now: Timestamp) {
    take_back(status, RUNNING);
    take_back(status, SUCCESSFUL);
    status.set(condition(FAILURE, "True", "Failed", message, now));
}

/// The playbook's own condition. Its time changes only with its status.
pub(crate) fn available(status: &mut Status, state: bool, now: Timestamp) {
    let (state, reason, message) = if state {
        ("True", "Available", "All components are available")
    } else {
        ("False", "Unavailable", "Some components are not available")
    };
    let mut new = condition(AVAILABLE, state, reason, message, now);
    match status.conditions.iter_mut().find(|one| one.kind == AVAILABLE) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time.clone_from(&old.last_transition_time);
            }
            *old = new;
        }
        None => status.conditions.push(new),
    }
}

/// The condition with another status and the same time.
fn take_back(status: &mut Status, kind: &str) {
    if let Some(old) = status.get(kind) {
        let mut new = old.clone();
        "False".clone_into(&mut new.status);
        status.set(new);
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        last_transition_time: seconds(now),
        ansible_result: None,
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}
