//! The conditions that the operator writes, and what they say about its runs.
//!
//! The operator is an ansible-operator: it publishes no `observedGeneration`, `Running` stays `True` after a healthy
//! run, and the order of the list changes with every write. What each field means was recorded from the real one.

use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Available`, `Successful`, `Running`, `Failure`, or one this program does not know.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word for programs; may be empty.
    pub reason: String,
    /// Text for people; may be empty.
    pub message: String,
    /// When `status` last changed, as the server wrote it.
    pub last_transition_time: Option<String>,
    /// `ansibleResult.completion`: when the run that wrote this ended, as the server wrote it. The only value that
    /// moves at every end. Compared as text, never with a clock.
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

/// What the operator is doing, as far as its conditions tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    Never,
    /// A run is under way (or was, when the operator died).
    Running,
    Succeeded,
    /// The last run ended in a failure; the operator tries again by itself.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FailureReport {
    /// The operator's words, possibly several lines.
    pub message: String,
    /// The run it belongs to. `None` for trouble inside the operator that says nothing about the run.
    pub completion: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    all: Vec<Condition>,
}

impl Conditions {
    /// Reads `status`, leaving out entries without a `type`.
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

    /// Whether `Available` is True; `None` if it is not there. It is a custom condition that older releases do not
    /// write, but where it stands, `Unknown` is as little a yes as `False` is.
    pub fn available(&self) -> Option<bool> {
        self.get("Available").map(Condition::is_true)
    }

    pub fn successful(&self) -> Option<bool> {
        self.get("Successful").and_then(Condition::truth)
    }

    /// What the operator is doing. `Running`'s status alone does not tell: it is `True` after every healthy run, so
    /// its reason decides.
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

    /// The failure that is standing, also while the operator already tries again.
    pub fn failure(&self) -> Option<FailureReport> {
        self.get("Failure")
            .filter(|failure| failure.is_true())
            .map(|failure| FailureReport { message: failure.message.clone(), completion: failure.completion.clone() })
    }

    /// Completion of the last run that ended well; gone while a run is under way.
    pub fn success_completion(&self) -> Option<&str> {
        self.get("Running").filter(|c| c.reason == "Successful")?.completion.as_deref()
    }

    /// When `Successful` last became true; it keeps this time until the next good end after a change.
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
    fn running_true_after_a_healthy_run_is_not_a_run() {
        let c = conditions(json!([
            {"type": "Running", "status": "True", "reason": "Successful", "ansibleResult": {"completion": "c1"}},
            {"type": "Successful", "status": "True", "reason": "Successful"},
            {"type": "Failure", "status": "False", "reason": ""}]));
        assert_eq!(c.run(), Run::Succeeded);
        assert_eq!(c.success_completion(), Some("c1"));
        assert_eq!(c.failure(), None);
    }

    #[test]
    fn a_retry_after_a_failure_is_a_run_that_still_shows_the_old_failure() {
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
    fn an_available_that_is_unknown_is_not_available() {
        let with = |status: &str| conditions(json!([{"type": "Available", "status": status}])).available();
        assert_eq!([with("True"), with("False"), with("Unknown")], [Some(true), Some(false), Some(false)]);
        assert_eq!(conditions(json!([])).available(), None);
    }

    #[test]
    fn odd_entries_are_passed_over() {
        let c = conditions(json!([null, 7, {"status": "True"}, {"type": "Paused", "status": 3}]));
        assert_eq!(c.iter().count(), 1);
        assert_eq!(c.run(), Run::Never);
        assert_eq!(Conditions::read(&json!({"conditions": "none"})), Conditions::default());
    }
}
