//! The `status` that an ansible-operator writes: the conditions, their fields and their order.
//!
//! The test at the end replays every recorded write of the real operator and compares `status.conditions` with the recording.

use serde_json::{Value, json};

/// One entry of `status.conditions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) since: String,
    /// The complete `ansibleResult`; only its `completion` matters.
    pub(crate) result: Option<Value>,
}

/// `status.mas_active`, whose type depends on Ansible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MasActive {
    Absent,
    Bool(bool),
    Text(bool),
}

impl MasActive {
    pub(crate) fn is_true(self) -> bool {
        matches!(self, Self::Bool(true) | Self::Text(true))
    }
}

/// The complete status of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) mas_active: MasActive,
}

impl Status {
    /// The status of an object that was never reconciled.
    pub(crate) fn empty() -> Self {
        Self { conditions: Vec::new(), mas_active: MasActive::Absent }
    }

    pub(crate) fn get(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    fn is(&self, kind: &str, status: &str, reason: &str) -> bool {
        self.get(kind).is_some_and(|c| c.status == status && c.reason == reason)
    }

    /// Whether a reconcile is in progress, or was when the operator lost it.
    pub(crate) fn shows_running(&self) -> bool {
        self.is("Running", "True", "Running")
    }

    /// Whether the last reported reconcile succeeded, and none has started since.
    pub(crate) fn shows_success(&self) -> bool {
        self.is("Running", "True", "Successful")
            && self.is("Successful", "True", "Successful")
            && self.get("Failure").is_none_or(|failure| failure.status != "True")
    }

    /// Absent counts as True; nothing else does.
    pub(crate) fn available_is_absent_or_true(&self) -> bool {
        self.get("Available").is_none_or(|available| available.status == "True")
    }

    /// The condition moves to the end of the list; its time changes only with `status`.
    fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str, result: Option<&Value>, now: &str) {
        let since = match self.get(kind) {
            Some(old) if old.status == status => old.since.clone(),
            _ => now.to_owned(),
        };
        self.put(Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            since,
            result: result.cloned(),
        });
    }

    fn put(&mut self, condition: Condition) {
        self.conditions.retain(|other| other.kind != condition.kind);
        self.conditions.push(condition);
    }

    /// The previous entry with `status` False and everything else unchanged, including the time.
    fn turn_false(&mut self, kind: &str) {
        if let Some(old) = self.get(kind).filter(|old| old.status != "False") {
            let turned = Condition { status: "False".to_owned(), ..old.clone() };
            self.put(turned);
        }
    }

    /// A reconcile starts. Does nothing if the status already shows one in progress.
    pub(crate) fn mark_running(&mut self, now: &str) {
        self.turn_false("Successful");
        if !self.shows_running() {
            self.set("Running", "True", "Running", "Running reconciliation", None, now);
        }
    }

    /// A reconcile succeeded.
    pub(crate) fn mark_done(&mut self, result: &Value, now: &str) {
        self.set("Running", "True", "Successful", "Awaiting next reconciliation", Some(result), now);
        self.set("Successful", "True", "Successful", "Last reconciliation succeeded", None, now);
        self.set("Failure", "False", "", "", None, now);
    }

    /// A reconcile failed.
    pub(crate) fn mark_failed(&mut self, message: &str, result: &Value, now: &str) {
        self.turn_false("Running");
        self.set("Failure", "True", "Failed", message, Some(result), now);
        if !self.is("Successful", "False", "") {
            self.set("Successful", "False", "", "", None, now);
        }
    }

    /// An internal error of the operator: no result.
    pub(crate) fn mark_error(&mut self, message: &str, now: &str) {
        self.turn_false("Running");
        self.turn_false("Successful");
        self.set("Failure", "True", "Failed", message, None, now);
    }

    /// A custom condition of a playbook or another client; `None` removes it.
    pub(crate) fn set_custom(&mut self, kind: &str, status: Option<&str>, now: &str) {
        match status {
            Some(status) => self.set(kind, status, "Custom", "", None, now),
            None => self.conditions.retain(|condition| condition.kind != kind),
        }
    }

    /// `status` as the API server sends it, with the conditions rotated by `rotation`.
    pub(crate) fn to_json(&self, rotation: usize) -> Value {
        let mut conditions: Vec<Value> = self.conditions.iter().map(Condition::to_json).collect();
        if !conditions.is_empty() {
            let by = rotation % conditions.len();
            conditions.rotate_left(by);
        }
        // `json!` would copy the whole tree again, and this takes most of the tests' time.
        let mut status = json!({});
        status["conditions"] = Value::Array(conditions);
        match self.mas_active {
            MasActive::Absent => {}
            MasActive::Bool(active) => status["mas_active"] = json!(active),
            MasActive::Text(active) => status["mas_active"] = json!(if active { "True" } else { "False" }),
        }
        status
    }
}

impl Condition {
    fn to_json(&self) -> Value {
        let mut entry = json!({
            "type": self.kind, "status": self.status, "reason": self.reason, "message": self.message,
            "lastTransitionTime": self.since,
        });
        if let Some(result) = &self.result {
            entry["ansibleResult"] = result.clone();
        }
        entry
    }
}

#[cfg(test)]
mod recordings {
    use super::*;

    fn read(status: &Value) -> Status {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let condition = |entry: &Value| Condition {
            kind: text(&entry["type"]),
            status: text(&entry["status"]),
            reason: text(&entry["reason"]),
            message: text(&entry["message"]),
            since: text(&entry["lastTransitionTime"]),
            result: entry.get("ansibleResult").cloned(),
        };
        let mas_active = status["mas_active"].as_bool().map_or(MasActive::Absent, MasActive::Bool);
        Status { conditions: status["conditions"].as_array().unwrap().iter().map(condition).collect(), mas_active }
    }

    /// Repeats the single write from `before` to `after` with the model.
    fn redo(before: &Status, after: &Status) -> Status {
        let mut redone = before.clone();
        // The operator's clock is not recorded. If the write used it, it is the latest time in the object.
        let now = after.conditions.iter().map(|condition| &condition.since).max().unwrap().clone();
        let result = |kind: &str| after.get(kind).unwrap().result.clone().unwrap();
        if after.conditions == before.conditions {
            redone.mas_active = after.mas_active;
        } else if after.shows_running() {
            redone.mark_running(&now);
        } else if after.shows_success() {
            redone.mark_done(&result("Running"), &now);
        } else {
            redone.mark_failed(&after.get("Failure").unwrap().message, &result("Failure"), &now);
        }
        redone
    }

    #[test]
    fn the_model_writes_what_the_real_operator_wrote() {
        let files = [
            include_str!("../../traces/activation-succeeds.jsonl"),
            include_str!("../../traces/dry-run-fails-retries-then-fixed.jsonl"),
            include_str!("../../traces/dry-run-succeeds.jsonl"),
            include_str!("../../traces/failure-message-censored.jsonl"),
            include_str!("../../traces/operator-down-at-patch.jsonl"),
            include_str!("../../traces/switch-back.jsonl"),
        ];
        let mut compared = 0;
        for file in files {
            let lines = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let recorded: Vec<Value> =
                lines.filter(|line| line["type"].is_string()).map(|l| l["status"].clone()).collect();
            for pair in recorded.windows(2) {
                let redone = redo(&read(&pair[0]), &read(&pair[1]));
                assert_eq!(redone.to_json(0), pair[1], "after {}", pair[0]);
                compared += 1;
            }
        }
        assert_eq!(compared, 46, "every recorded write");
    }

    #[test]
    fn start_does_not_change_a_status_that_is_already_running() {
        let mut status = Status::empty();
        status.mark_running("t1");
        let before = status.clone();
        status.mark_running("t2");
        assert_eq!(status, before);
    }
}
