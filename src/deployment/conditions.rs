//! The operator's conditions, and the state of the reconcile that they show.
//!
//! The operator is an ansible-operator: it publishes no `observedGeneration`, `Running` stays `True` after a successful
//! reconcile, and the order of the list changes with every write. Recordings of a real one are the source of these rules.

use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Available`, `Successful`, `Running`, `Failure`, or another one.
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
    pub last_transition_time: Option<String>,
    /// `ansibleResult.completion`: the end of the reconcile that wrote this, in the server's format. The only value that
    /// changes at every end. Compared as text, never with a clock.
    pub completion: Option<String>,
}

impl Condition {
    fn read(entry: &Value) -> Option<Self> {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        Some(Self {
            kind: entry["type"].as_str()?.to_owned(),
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
            last_transition_time: entry["lastTransitionTime"].as_str().map(str::to_owned),
            completion: entry["ansibleResult"]["completion"].as_str().map(str::to_owned),
        })
    }

    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// `status` as a boolean; `Unknown` and anything else is `None`.
    pub fn truth(&self) -> Option<bool> {
        match self.status.as_str() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    Never,
    /// In progress, or interrupted by a crash of the operator.
    Running,
    Succeeded,
    /// The last reconcile failed; the operator retries.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FailureReport {
    pub message: String,
    /// The completion of the failed reconcile. `None` for a failure of the operator itself.
    pub completion: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    all: Vec<Condition>,
}

impl Conditions {
    /// Reads `status`; skips entries without a `type`.
    pub fn read(status: &Value) -> Self {
        let entries = status["conditions"].as_array();
        Self { all: entries.into_iter().flatten().filter_map(Condition::read).collect() }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.all.iter()
    }

    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.all.iter().find(|condition| condition.kind == kind)
    }

    /// Whether condition `Available` is True. `None` if it is absent: older releases do not write it. `Unknown` counts as false.
    pub fn available(&self) -> Option<bool> {
        self.get("Available").map(Condition::is_true)
    }

    pub fn successful(&self) -> Option<bool> {
        self.get("Successful").and_then(Condition::truth)
    }

    /// The state of the reconcile. The reason of `Running` decides, because its status stays `True` after a successful one.
    pub fn run(&self) -> Run {
        let running = self.get("Running");
        if running.is_some_and(|c| c.is_true() && c.reason == "Running") {
            Run::Running
        } else if self.get("Failure").is_some_and(Condition::is_true) {
            Run::Failed
        } else if running.is_some_and(|c| c.is_true() && c.reason == "Successful")
            || self.get("Successful").is_some_and(Condition::is_true)
        {
            Run::Succeeded
        } else {
            Run::Never
        }
    }

    /// Whether the last reconcile succeeded and none is running.
    pub fn at_rest(&self) -> bool {
        self.run() == Run::Succeeded && self.successful() == Some(true)
    }

    pub fn failure(&self) -> Option<FailureReport> {
        self.get("Failure")
            .filter(|failure| failure.is_true())
            .map(|failure| FailureReport { message: failure.message.clone(), completion: failure.completion.clone() })
    }

    /// The completion of the last successful reconcile; `None` while one is in progress.
    pub fn success_completion(&self) -> Option<&str> {
        self.get("Running").filter(|c| c.reason == "Successful")?.completion.as_deref()
    }

    /// The time at which `Successful` last became true.
    pub fn successful_since(&self) -> Option<&str> {
        self.get("Successful")?.last_transition_time.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conditions(entries: Value) -> Conditions {
        Conditions::read(&json!({ "conditions": entries }))
    }

    #[test]
    fn running_true_after_a_successful_reconcile_is_no_reconcile_in_progress() {
        let c = conditions(json!([
            {"type": "Running", "status": "True", "reason": "Successful", "ansibleResult": {"completion": "c1"}},
            {"type": "Successful", "status": "True", "reason": "Successful"},
            {"type": "Failure", "status": "False", "reason": ""}]));
        assert_eq!(c.run(), Run::Succeeded);
        assert_eq!(c.success_completion(), Some("c1"));
        assert_eq!(c.failure(), None);
    }

    #[test]
    fn a_retry_after_a_failure_is_in_progress_and_still_shows_the_old_failure() {
        let c = conditions(json!([
            {"type": "Failure", "status": "True", "reason": "Failed", "message": "m", "ansibleResult": {"completion": "f1"}},
            {"type": "Successful", "status": "False", "reason": ""},
            {"type": "Running", "status": "True", "reason": "Running"}]));
        assert_eq!(c.run(), Run::Running);
        assert_eq!(c.failure(), Some(FailureReport { message: "m".into(), completion: Some("f1".into()) }));
    }

    #[test]
    fn successful_with_reason_successful_but_false_is_not_success() {
        let c = conditions(json!([
            {"type": "Successful", "status": "False", "reason": "Successful"},
            {"type": "Running", "status": "True", "reason": "Running"}]));
        assert_eq!(c.successful(), Some(false));
        assert_eq!(c.run(), Run::Running);
    }

    #[test]
    fn available_unknown_counts_as_not_available() {
        let with = |status: &str| conditions(json!([{"type": "Available", "status": status}])).available();
        assert_eq!([with("True"), with("False"), with("Unknown")], [Some(true), Some(false), Some(false)]);
        assert_eq!(conditions(json!([])).available(), None);
    }

    #[test]
    fn malformed_entries_are_skipped() {
        let c = conditions(json!([null, 7, {"status": "True"}, {"type": "Paused", "status": 3}]));
        assert_eq!(c.iter().count(), 1);
        assert_eq!(c.run(), Run::Never);
        assert_eq!(Conditions::read(&json!({"conditions": "none"})), Conditions::default());
    }
}
