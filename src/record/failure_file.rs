//! The failure file. The guide: "it is safe to change active back to false after saving the details of the errors", so
//! the details are saved before anything else is offered.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::deployment::{Deployment, FailureReport};

#[derive(Debug, Clone, Serialize)]
pub struct TimelineEntry {
    pub at: jiff::Timestamp,
    pub what: String,
}

#[derive(Debug)]
pub struct FailureFile<'a> {
    /// `dry-run`, `activate` or `abort`.
    pub command: &'a str,
    pub at: jiff::Timestamp,
    pub deployment: Deployment,
    pub failure: &'a FailureReport,
    pub timeline: &'a [TimelineEntry],
    pub go_back: &'a str,
    /// What is known or was found out beside it, by names; free of secrets.
    pub more: Vec<(&'static str, Value)>,
}

impl FailureFile<'_> {
    fn contents(&self) -> Value {
        let mut contents = json!({
            "apiVersion": "ess-mas/v1",
            "kind": "FailureRecord",
            "at": self.at,
            "command": self.command,
            "namespace": self.deployment.namespace(),
            "name": self.deployment.name(),
            "resourceVersion": self.deployment.resource_version(),
            "generation": self.deployment.generation(),
            "active": self.deployment.active(),
            "message": self.failure.message,
            "completion": self.failure.completion,
            "status": self.deployment.object()["status"],
            "timeline": self.timeline,
            "goBack": self.go_back,
        });
        for (name, value) in &self.more {
            contents[*name] = value.clone();
        }
        contents
    }

    fn write(&self, mut open: &File) -> io::Result<()> {
        open.write_all(&serde_json::to_vec_pretty(&self.contents())?)?;
        open.write_all(b"\n")?;
        open.sync_all()
    }

    fn name(&self) -> String {
        name(&self.deployment, self.at)
    }
}

fn name(deployment: &Deployment, at: jiff::Timestamp) -> String {
    format!("{}-{}-{}", deployment.namespace(), deployment.name(), at.strftime("%Y%m%dT%H%M%SZ"))
}

/// The file of a failure that ended then, if it is in one of these folders.
pub fn saved(deployment: &Deployment, at: jiff::Timestamp, folders: &[PathBuf]) -> Option<PathBuf> {
    let name = name(deployment, at) + ".json";
    folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Writes the file, readable by its owner alone, into the first of `folders` that takes it, and returns its path.
/// Nothing is overwritten.
/// The error is the last folder's, if none takes it.
pub fn save(file: &FailureFile<'_>, folders: &[PathBuf]) -> io::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no folder to write to");
    for folder in folders {
        let opened = builder.create(folder).and_then(|()| private_anew(folder, &file.name(), "json"));
        match opened.and_then(|(path, open)| file.write(&open).map(|()| path)) {
            Ok(path) => return Ok(path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Writes a file that [`save`] has written anew, with what was found out since: whole or not at all.
pub fn amend(file: &FailureFile<'_>, path: &Path) -> io::Result<()> {
    // Readable by its owner alone, and gone if it is not persisted.
    let beside = NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write(beside.as_file())?;
    beside.persist(path)?;
    Ok(())
}

/// Creates a file that only its owner may read. It must not be there yet.
pub fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The same for the first of `name.ending`, `name-1.ending`, … that is not there yet.
pub fn private_anew(folder: &Path, name: &str, ending: &str) -> io::Result<(PathBuf, File)> {
    for attempt in 0..100 {
        let suffix = if attempt == 0 { String::new() } else { format!("-{attempt}") };
        let path = folder.join(format!("{name}{suffix}.{ending}"));
        match private(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|open| (path, open)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a hundred files with that name exist already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(folders: &[PathBuf]) -> io::Result<PathBuf> {
        let deployment = Deployment::from_value(json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "3"}, "spec": {},
            "status": {"conditions": [{"type": "Failure", "status": "True", "message": "m"}]}}))
        .unwrap();
        let failure = FailureReport { message: "m".into(), completion: Some("c".into()) };
        let file = FailureFile {
            command: "activate",
            at: "2026-11-23T02:03:40Z".parse().unwrap(),
            deployment: deployment.clone(),
            failure: &failure,
            timeline: &[],
            go_back: "kubectl ess-mas abort a -n n",
            more: Vec::new(),
        };
        save(&file, folders)
    }

    #[test]
    fn what_was_found_out_later_is_added_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(&[folder.path().to_owned()]).unwrap();
        let deployment = Deployment::from_value(json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "3"}, "spec": {}}))
        .unwrap();
        let failure = FailureReport { message: "m".into(), completion: None };
        let file = FailureFile {
            command: "activate",
            at: "2026-11-23T02:03:40Z".parse().unwrap(),
            deployment: deployment.clone(),
            failure: &failure,
            timeline: &[],
            go_back: "back",
            more: vec![("around", json!({"troubles": 1}))],
        };
        amend(&file, &path).unwrap();
        let read: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(read["around"]["troubles"], 1);
        assert_eq!(read["message"], "m");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(amend(&file, &folder.path().join("no/such/place.json")).is_err());
    }

    #[test]
    fn it_is_for_its_owner_alone_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().join("state")];
        let first = saved(&folders).unwrap();
        let second = saved(&folders).unwrap();
        assert_eq!(first.file_name().unwrap(), "n-a-20261123T020340Z.json");
        assert_ne!(first, second);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let read: Value = serde_json::from_slice(&std::fs::read(first).unwrap()).unwrap();
        assert_eq!(read["status"]["conditions"][0]["message"], "m");
        assert_eq!(read["goBack"], "kubectl ess-mas abort a -n n");
    }

    #[test]
    fn a_folder_that_cannot_be_made_gives_way_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        std::fs::write(&taken, "").unwrap();
        let path = saved(&[taken.join("below"), folder.path().to_owned()]).unwrap();
        assert_eq!(path.parent(), Some(folder.path()));
        assert!(saved(&[taken.join("below")]).is_err());
    }
}
