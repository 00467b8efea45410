//! Updates the record: read, change, compare-and-set.

use std::path::PathBuf;

use k8s_openapi::api::core::v1::ConfigMap;

use super::connect::Session;
use crate::checks::{Known, Snapshot};
use crate::cluster::{Write, WriteOutcome, resource};
use crate::error::Failure;
use crate::record::{Record, record_name, saved};

const TRIES: usize = 5;

#[derive(Debug)]
pub struct ChangedMeanwhile;

impl Session {
    /// Writes the changed record unless somebody else changed it since it was read.
    pub async fn write_record(&self, record: &mut Record) -> Result<Result<(), ChangedMeanwhile>, Failure> {
        let write = self.record_request(record);
        let map = &write.body;
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
        Write::replace(resource::<ConfigMap>(), &self.target.namespace, &name, map)
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

    /// The folders for failure files, in order: the user's state folder, the working folder, the temporary folder.
    pub fn state_folders(&self) -> Vec<PathBuf> {
        let own = |parent: PathBuf| parent.join("kubectl-ess-mas");
        let state = state_folder(|name| self.ui().terminal.env(name)).map(own);
        state.into_iter().chain([PathBuf::from("."), own(std::env::temp_dir())]).collect()
    }

    /// The file of the last recorded failure, if it is on this machine.
    pub fn failure_file(&self, snapshot: &Snapshot) -> Option<PathBuf> {
        let folders = self.state_folders();
        let mut latest = snapshot.recorded()?.history.iter().rev();
        latest.find_map(|entry| saved(&snapshot.deployment, entry.at, &folders))
    }

    /// Warns once: every attempt of a rollback may fail to write the record.
    pub fn warn_unrecorded(&self, noted: Result<(), Failure>) {
        if let Err(failure) = noted
            && self.unrecorded.set(()).is_ok()
        {
            let why = failure.message().unwrap_or_default();
            self.ui().warning(format!("can't update the record: {why}"));
        }
    }
}

/// The state folder of the XDG specification; on Windows, where `HOME` is not set, the folder for data that stays on the machine.
fn state_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .or_else(|| folder("LOCALAPPDATA"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_folder_is_that_of_the_system_and_absolute() {
        let with = |known: &[(&str, &str)]| {
            let value = |name: &str| known.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            state_folder(value)
        };
        let root = if cfg!(windows) { "C:\\" } else { "/" };
        let path = |text: &str| format!("{root}{text}");
        let (state, home, local) = (path("state"), path("home"), path("local"));
        let all = [("XDG_STATE_HOME", state.as_str()), ("HOME", &home), ("LOCALAPPDATA", &local)];
        assert_eq!(with(&all), Some(PathBuf::from(&state)));
        assert_eq!(with(&all[1..]), Some(PathBuf::from(&home).join(".local/state")));
        assert_eq!(with(&all[2..]), Some(PathBuf::from(&local)));
        assert_eq!(with(&[("XDG_STATE_HOME", "state"), ("HOME", "")]), None);
    }
}
