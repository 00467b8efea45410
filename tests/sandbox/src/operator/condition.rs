//! `status` as ansible-operator reads and writes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One entry of `status.conditions`. The operator keeps only these fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) last_transition_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ansible_result: Option<AnsibleResult>,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// Ansible's counters of a complete run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnsibleResult {
    pub(crate) ok: u32,
    pub(crate) changed: u32,
    pub(crate) skipped: u32,
    pub(crate) failures: u32,
    pub(crate) completion: String,
}

/// The status: the conditions in their order, and the other fields, which the operator does not change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) other: Map<String, Value>,
}

impl Status {
    /// Reads the status of an object. A condition without a valid time gets the current one.
    pub(crate) fn read(object: &Value, now: Timestamp) -> Self {
        let mut other = object.get("status").and_then(Value::as_object).cloned().unwrap_or_default();
        let conditions = other.remove("conditions");
        let mut conditions: Vec<Condition> = conditions
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|one| serde_json::from_value(one.clone()).ok())
            .collect();
        for condition in &mut conditions {
            if !condition.last_transition_time.ends_with('Z') {
                condition.last_transition_time = seconds(now);
            }
        }
        Self { conditions, other }
    }

    /// The status as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let mut all = self.other.clone();
        all.insert("conditions".to_owned(), serde_json::to_value(&self.conditions).unwrap_or_default());
        Value::Object(all)
    }

    pub(crate) fn get(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|one| one.kind == kind)
    }

    /// Replaces the condition of the same type, at the end of the list.
    ///
    /// Does nothing if status and reason are unchanged, except for `Failure`, whose message may be new. The time changes only with
    /// the status.
    pub(crate) fn set(&mut self, mut condition: Condition) {
        if let Some(old) = self.get(&condition.kind) {
            let same = old.status == condition.status;
            if same && old.reason == condition.reason && condition.kind != super::status::FAILURE {
                return;
            }
            if same {
                condition.last_transition_time.clone_from(&old.last_transition_time);
            }
        }
        self.conditions.retain(|one| one.kind != condition.kind);
        self.conditions.push(condition);
    }
}

/// A time in the format of conditions.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time in the format of `ansibleResult.completion`: microseconds without trailing zeros, and a numeric offset.
pub(crate) fn completion(time: Timestamp) -> String {
    let micros = time.subsec_nanosecond() / 1000;
    let fraction = format!(".{micros:06}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction}+00:00", time.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_is_written_as_the_recordings_have_it() {
        for (time, text) in [
            ("2026-11-23T09:57:09.55846Z", "2026-11-23T09:57:09.55846+00:00"),
            ("2026-11-23T09:50:13.000762Z", "2026-11-23T09:50:13.000762+00:00"),
            ("2026-11-23T09:50:13Z", "2026-11-23T09:50:13+00:00"),
        ] {
            assert_eq!(completion(time.parse().unwrap()), text);
        }
    }

    #[test]
    fn unknown_keys_stay_and_a_foreign_time_becomes_the_present() {
        let now: Timestamp = "2026-11-23T09:50:13.5Z".parse().unwrap();
        let object = serde_json::json!({"status": {
            "mas_active": true,
            "conditions": [{"type": "Available", "status": "True", "lastTransitionTime": "2026-11-23T09:00:00+00:00"}],
        }});
        let status = Status::read(&object, now);
        assert_eq!(status.to_json()["mas_active"], true);
        assert_eq!(status.conditions[0].last_transition_time, "2026-11-23T09:50:13Z");
    }
}
