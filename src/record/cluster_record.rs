//! The record: a ConfigMap that the ElementDeployment owns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pending::{Pending, Step};
use crate::deployment::{ChartRelease, Deployment, Outline, lenient_outline};
use crate::plan::MasSettings;

const KEY: &str = "record.json";
const VERSION: u32 = 1;
/// The number of history entries to keep; a ConfigMap is limited to 1 MiB.
const HISTORY: usize = 50;

pub fn record_name(deployment: &str) -> String {
    format!("{deployment}-kubectl-ess-mas")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DryRunResult {
    Passed,
    Failed,
}

/// A dry run of a spec and the contents of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    pub state: DryRunResult,
    /// Digest of the spec without `active`.
    pub spec_digest: String,
    /// Outline of the spec, to report changed fields. `None` if another release wrote it in another format.
    #[serde(default, deserialize_with = "lenient_outline")]
    pub spec_outline: Option<Outline>,
    pub release: Option<ChartRelease>,
    /// Keyed digest of the Secret's contents.
    pub secret_digest: String,
    /// Fingerprints of the Secret's keys, to report changed keys.
    #[serde(default)]
    pub secret_fingerprints: BTreeMap<String, String>,
    pub completion: Option<String>,
    /// When it ended, by the local clock; for display.
    pub at: jiff::Timestamp,
    /// Seconds from the write to the verdict.
    pub seconds: u64,
    pub message: Option<String>,
    /// The message of a later failed reconcile, for example of an activation. It invalidates the dry run.
    pub failed_since: Option<String>,
}

impl DryRun {
    /// Adds the outline of the spec, if the spec is the one of the dry run.
    #[must_use]
    pub fn of_spec(mut self, deployment: &Deployment) -> Self {
        self.spec_outline =
            (deployment.dry_run_digest() == self.spec_digest).then(|| Outline::of(&deployment.dry_run_spec()));
        self
    }
}

/// The statement of where the backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    pub statement: String,
    pub at: jiff::Timestamp,
    pub by: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub at: jiff::Timestamp,
    pub by: Option<String>,
    pub what: String,
}

impl HistoryEntry {
    /// `alice, 5 s ago: prepare: …`, for display.
    pub fn words(&self, now: jiff::Timestamp) -> String {
        let by = self.by.as_deref().unwrap_or("another user");
        let seconds = now.duration_since(self.at).as_secs().max(0);
        format!("{by}, {seconds} s ago: {}", self.what)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    version: u32,
    /// The uid of the deployment; a recreated deployment starts with an empty record.
    deployment_uid: String,
    pub settings: Option<MasSettings>,
    /// The installed chart at the last step.
    pub chart: Option<ChartRelease>,
    #[serde(rename = "rehearsal")]
    pub dry_run: Option<DryRun>,
    pub backup: Option<Backup>,
    pub pending: Option<Pending>,
    /// Oldest first.
    #[serde(default)]
    pub history: Vec<HistoryEntry>,
    /// resourceVersion of the ConfigMap; `None` before it exists.
    #[serde(skip)]
    resource_version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("ConfigMap {0} is not a record of kubectl ess-mas: {1}")]
    Unreadable(String, String),
    #[error("ConfigMap {0} was written by a newer release of kubectl ess-mas (version {1})")]
    Newer(String, u32),
}

impl Record {
    /// Removes the followed write. Another user's pending write stays.
    pub fn take_pending(&mut self, step: Step, deployment: &Deployment) -> Option<Pending> {
        self.pending.take_if(|pending| pending.is_of(step, deployment))
    }

    pub fn new(deployment: &Deployment) -> Self {
        Self { version: VERSION, deployment_uid: deployment.uid().to_owned(), ..Self::default() }
    }

    /// Parses the ConfigMap. Returns an empty record if the deployment has another uid.
    pub fn read(config_map: &Value, deployment: &Deployment) -> Result<Self, RecordError> {
        let name = || config_map["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let unreadable = |why: &str| RecordError::Unreadable(name(), why.to_owned());
        let text = config_map["data"][KEY].as_str().ok_or_else(|| unreadable("it has no key record.json"))?;
        let json: Value = serde_json::from_str(text).map_err(|_| unreadable("record.json is not JSON"))?;
        match json["version"].as_u64() {
            Some(1) => {}
            Some(newer @ 2..) => return Err(RecordError::Newer(name(), u32::try_from(newer).unwrap_or(u32::MAX))),
            _ => return Err(unreadable("record.json has no version")),
        }
        let mut record: Self = serde_json::from_value(json).map_err(|error| unreadable(&error.to_string()))?;
        if record.deployment_uid != deployment.uid() {
            record = Self::new(deployment);
        }
        record.resource_version = config_map["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        Ok(record)
    }

    pub fn written(&mut self, answer: &Value) {
        self.resource_version = answer["metadata"]["resourceVersion"].as_str().map(str::to_owned);
    }

    pub fn failed_since(&mut self, message: &str) {
        if let Some(dry_run) = &mut self.dry_run {
            dry_run.failed_since = Some(message.to_owned());
        }
    }

    pub fn note(&mut self, at: jiff::Timestamp, by: Option<&str>, what: impl Into<String>) {
        self.history.push(HistoryEntry { at, by: by.map(str::to_owned), what: what.into() });
        let excess = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..excess);
    }

    /// The ConfigMap to create or to replace. The deployment owns it, so both are deleted together. It must not have the
    /// operator's label, because the operator deletes objects with that label that it doesn't know.
    pub fn config_map(&self, deployment: &Deployment) -> Value {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let mut metadata = json!({
            "name": record_name(deployment.name()),
            "namespace": deployment.namespace(),
            "labels": {"app.kubernetes.io/managed-by": "kubectl-ess-mas"},
            "ownerReferences": [{
                "apiVersion": deployment.api_version(), "kind": "ElementDeployment",
                "name": deployment.name(), "uid": deployment.uid(),
            }],
        });
        if let Some(version) = &self.resource_version {
            metadata["resourceVersion"] = json!(version);
        }
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: text}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(uid: &str) -> Deployment {
        Deployment::from_value(json!({"apiVersion": "matrix.element.io/v1alpha2",
            "metadata": {"name": "a", "namespace": "n", "uid": uid, "resourceVersion": "1"}, "spec": {}}))
        .unwrap()
    }

    fn stored(record: &Record, version: &str) -> Value {
        let mut map = record.config_map(&deployment("u"));
        map["metadata"]["resourceVersion"] = json!(version);
        map
    }

    #[test]
    fn record_is_read_as_it_was_written() {
        let mut record = Record::new(&deployment("u"));
        record.note(jiff::Timestamp::UNIX_EPOCH, Some("admin"), "prepared");
        let read = Record::read(&stored(&record, "5"), &deployment("u")).unwrap();
        assert_eq!(read.history, record.history);
        assert_eq!(read.config_map(&deployment("u"))["metadata"]["resourceVersion"], "5");
    }

    #[test]
    fn dry_runs_in_the_form_of_another_release_are_read() {
        let dry_run = |more: Value| {
            let mut dry_run = json!({"state": "passed", "specDigest": "d", "secretDigest": "s", "completion": null,
                                       "at": "2026-11-23T00:00:00Z", "seconds": 1});
            dry_run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let record = json!({"version": 1, "deploymentUid": "u", "rehearsal": dry_run});
            let map = json!({"metadata": {"name": "x"}, "data": {"record.json": record.to_string()}});
            Record::read(&map, &deployment("u")).unwrap().dry_run.unwrap()
        };
        // An earlier release kept no outline; a later one may keep more.
        assert_eq!(dry_run(json!({})).spec_outline, None);
        assert_eq!(dry_run(json!({"specOutline": {"form": 2}, "more": 1})).spec_outline, None);
    }

    #[test]
    fn outline_is_kept_only_of_the_spec_of_the_dry_run() {
        let of = |digest: String| {
            let dry_run = DryRun {
                state: DryRunResult::Passed,
                spec_digest: digest,
                spec_outline: None,
                release: None,
                secret_digest: String::new(),
                secret_fingerprints: BTreeMap::new(),
                completion: None,
                at: jiff::Timestamp::UNIX_EPOCH,
                seconds: 0,
                message: None,
                failed_since: None,
            };
            dry_run.of_spec(&deployment("u")).spec_outline
        };
        assert!(of(deployment("u").dry_run_digest()).is_some());
        assert!(of("another".to_owned()).is_none());
    }

    #[test]
    fn recreated_deployment_starts_with_an_empty_record_and_replaces_the_old_one() {
        let mut record = Record::new(&deployment("u"));
        record.note(jiff::Timestamp::UNIX_EPOCH, None, "prepared");
        let read = Record::read(&stored(&record, "5"), &deployment("other")).unwrap();
        assert!(read.history.is_empty());
        assert!(read.resource_version.is_some());
    }

    #[test]
    fn what_is_not_a_record_is_refused() {
        let map = |text: &str| json!({"metadata": {"name": "x"}, "data": {"record.json": text}});
        let read = |map: Value| Record::read(&map, &deployment("u"));
        assert!(matches!(read(map("{")), Err(RecordError::Unreadable(..))));
        assert!(matches!(read(map("{\"version\": 7}")), Err(RecordError::Newer(_, 7))));
        assert!(matches!(read(json!({"data": {}})), Err(RecordError::Unreadable(..))));
    }

    #[test]
    fn the_operator_does_not_take_it_for_its_own() {
        let map = Record::new(&deployment("u")).config_map(&deployment("u"));
        assert_eq!(map["metadata"]["labels"], json!({"app.kubernetes.io/managed-by": "kubectl-ess-mas"}));
        assert_eq!(map["metadata"]["ownerReferences"][0]["uid"], "u");
    }

    #[test]
    fn the_history_is_bounded() {
        let mut record = Record::new(&deployment("u"));
        for n in 0..200 {
            record.note(jiff::Timestamp::UNIX_EPOCH, None, n.to_string());
        }
        assert_eq!(record.history.len(), HISTORY);
        assert_eq!(record.history.last().map(|entry| entry.what.as_str()), Some("199"));
    }
}
