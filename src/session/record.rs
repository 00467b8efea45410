//! Keeping the record: read, change, compare-and-set.

use std::path::PathBuf;

use k8s_openapi::api::core::v1::ConfigMap;

use super::connect::Session;
use crate::checks::{Known, Snapshot};
use crate::cluster::{Write, WriteOutcome, resource};
use crate::error::Failure;
use crate::record::{Record, record_name, saved};

/// How often a record that somebody else keeps changing is tried again.
const TRIES: usize = 5;

#[derive(Debug)]
pub struct ChangedMeanwhile;

impl Session {
    /// Writes the record as it was changed, only if nobody else changed it since it was read.
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

    /// The write that stores a record: a new ConfigMap, or one in place of the one that was read.
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
                    return Err(Failure::failed(format!("the record cannot be read: {why}"))
                        .advise("Once that is mended, run the command again; what is done stays done."));
                }
            };
            change(&mut record);
            if self.write_record(&mut record).await?.is_ok() {
                return Ok(());
            }
        }
        let name = record_name(&self.target.name);
        Err(Failure::failed(format!("ConfigMap {name} is being changed by somebody else again and again")))
    }

    /// Where failure files go: the state folder of the XDG specification, else the working folder, else the temporary one.
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

    /// The file of the last failure that the record knows of, if it is on this machine.
    pub fn failure_file(&self, snapshot: &Snapshot) -> Option<PathBuf> {
        let folders = self.state_folders();
        let mut latest = snapshot.recorded()?.history.iter().rev();
        latest.find_map(|entry| saved(&snapshot.deployment, entry.at, &folders))
    }

    /// Says so where the record does not have what it should.
    pub fn warn_unrecorded(&self, noted: Result<(), Failure>) {
        if let Err(failure) = noted {
            let why = failure.message().unwrap_or_default();
            self.ui().warning(format!("this could not be noted in the record: {why}"));
        }
    }
}
