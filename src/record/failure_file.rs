//! The failure file. The vendor's guide requires the details of the errors to be saved before `active` is set back to false.

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
    pub deployment: &'a Deployment,
    pub failure: &'a FailureReport,
    pub timeline: &'a [TimelineEntry],
    pub go_back: &'a str,
    /// Additional fields, without secrets.
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
}

fn name(deployment: &Deployment, at: jiff::Timestamp) -> String {
    format!("{}-{}-{}", deployment.namespace(), deployment.name(), at.strftime("%Y%m%dT%H%M%SZ"))
}

/// The existing file of the failure at this time, if one of the folders has it.
pub fn saved(deployment: &Deployment, at: jiff::Timestamp, folders: &[PathBuf]) -> Option<PathBuf> {
    let name = name(deployment, at) + ".json";
    folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Writes the file with mode 0600 into the first writable folder, and returns its path. Doesn't overwrite files. Returns the
/// error of the last folder if none is writable.
pub fn save(file: &FailureFile<'_>, folders: &[PathBuf]) -> io::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no folder to write to");
    for folder in folders {
        let opened = builder.create(folder).and_then(|()| private_anew(folder, &name(file.deployment, file.at)));
        match opened.and_then(|(path, open)| file.write(&open).map(|()| path)) {
            Ok(path) => return Ok(path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Replaces a file of [`save`] atomically, with additional fields.
pub fn amend(file: &FailureFile<'_>, path: &Path) -> io::Result<()> {
    // Has mode 0600, and is deleted if it is not persisted.
    let temporary = NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write(temporary.as_file())?;
    temporary.persist(path)?;
    Ok(())
}

/// Creates a file with mode 0600: the first of `name.json`, `name-1.json`, … that doesn't exist.
fn private_anew(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for attempt in 0..100 {
        let suffix = if attempt == 0 { String::new() } else { format!("-{attempt}") };
        let path = folder.join(format!("{name}{suffix}.json"));
        match options.open(&path) {
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
            deployment: &deployment,
            failure: &failure,
            timeline: &[],
            go_back: "kubectl ess-mas abort a -n n",
            more: Vec::new(),
        };
        save(&file, folders)
    }

    #[test]
    fn amended_file_has_the_new_fields_and_no_temporary_file_remains() {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(&[folder.path().to_owned()]).unwrap();
        let deployment = Deployment::from_value(json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "3"}, "spec": {}}))
        .unwrap();
        let failure = FailureReport { message: "m".into(), completion: None };
        let file = FailureFile {
            command: "activate",
            at: "2026-11-23T02:03:40Z".parse().unwrap(),
            deployment: &deployment,
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
    fn file_is_private_and_overwrites_nothing() {
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
    fn next_folder_is_used_if_one_is_not_writable() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        std::fs::write(&taken, "").unwrap();
        let path = saved(&[taken.join("below"), folder.path().to_owned()]).unwrap();
        assert_eq!(path.parent(), Some(folder.path()));
        assert!(saved(&[taken.join("below")]).is_err());
    }
}
