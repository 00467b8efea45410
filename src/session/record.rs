//! Updates the record: read, change, compare-and-set.

use std::path::PathBuf;

use k8s_openapi::api::core::v1::ConfigMap;

use super::connect::Session;
use crate::checks::Known;
use crate::cluster::{Write, WriteOutcome, resource};
use crate::error::Failure;
use crate::record::{Record, record_name};

/// Retries after update conflicts.
const TRIES: usize = 5;

#[derive(Debug)]
pub struct ChangedMeanwhile;

impl Session {
    /// Writes the changed record unless somebody else changed it since it was read.
    pub async fn write_record(&self, record: &mut Record) -> Result<Result<(), ChangedMeanwhile>, Failure> {
        let write = self.record_request(record);
        let map = write.body();
        match self.cluster.write(&write, |found| found["data"] == map["data"]).await {
            WriteOutcome::Applied(written) => {
                record.written(&written.object);
                Ok(Ok(()))
            }
            WriteOutcome::Conflict { .. } => Ok(Err(ChangedMeanwhile)),
            // It was deleted.
            WriteOutcome::NotApplied(error) if error.is_not_found() => Ok(Err(ChangedMeanwhile)),
            WriteOutcome::NotApplied(error) | WriteOutcome::Unknown(error) => Err(error.into()),
        }
    }

    /// The write that stores a record: creates the ConfigMap, or replaces the one that was read.
    pub fn record_request(&self, record: &Record) -> Write {
        let name = record_name(&self.target.name);
        let map = record.config_map(&self.deployment);
        let namespace = &self.target.namespace;
        match map["metadata"]["resourceVersion"].as_str().map(str::to_owned) {
            Some(version) => Write::replace(resource::<ConfigMap>(), namespace, &name, &version, map),
            None => Write::create(resource::<ConfigMap>(), namespace, &name, map),
        }
    }

    /// Reads the record afresh, changes it and writes it, again if somebody else was faster.
    pub async fn change_record(&self, change: impl Fn(&mut Record)) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let mut record = match self.read_record().await {
                Known::Known(Some(record)) => record,
                Known::Known(None) => Record::new(&self.deployment),
                Known::Unreadable(why) => {
                    return Err(Failure::failed(format!("can't read the record: {why}"))
                        .advise("After you fix this, run the command again; completed steps are kept."));
                }
            };
            change(&mut record);
            if self.write_record(&mut record).await?.is_ok() {
                return Ok(());
            }
        }
        let name = record_name(&self.target.name);
        Err(Failure::failed(format!("ConfigMap {name}: gave up after repeated update conflicts")))
    }

    /// The folders for failure files, in order: the XDG state folder, the working folder, the temporary folder.
    pub fn state_folders(&self) -> Vec<PathBuf> {
        let terminal = self.ui().terminal();
        let absolute = |path: String| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let state = terminal
            .env("XDG_STATE_HOME")
            .and_then(absolute)
            .or_else(|| terminal.env("HOME").and_then(absolute).map(|home| home.join(".local/state")));
        let mut folders: Vec<PathBuf> = state.into_iter().map(|state| state.join("kubectl-ess-mas")).collect();
        folders.push(PathBuf::from("."));
        folders.push(std::env::temp_dir().join("kubectl-ess-mas"));
        folders
    }

    /// Warns if the record could not be updated.
    pub fn warn_unrecorded(&self, noted: Result<(), Failure>) {
        if let Err(failure) = noted {
            let why = failure.message().unwrap_or_default();
            self.ui().warning(format!("can't update the record: {why}"));
        }
    }
}
