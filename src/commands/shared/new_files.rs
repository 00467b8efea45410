//! Writing keys and certificates: all of them or none, and never over a file that is there unless that was asked for.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::connection_failure::plain;
use crate::error::Failure;

pub struct NewFile<'a> {
    pub path: PathBuf,
    pub contents: &'a [u8],
    pub private: bool,
}

/// The path of a file in the folder `--out`; one in the current folder is named without it.
pub fn path_in(folder: &str, name: &str) -> PathBuf {
    if folder == "." { PathBuf::from(name) } else { Path::new(folder).join(name) }
}

/// Writes all files, or leaves everything as it was. A reader sees an old file or a new one, never half of one. Keys have mode
/// 0600 from their first byte on, certificates 0644 (less what the umask takes).
pub fn write_all(files: &[NewFile<'_>], force: bool) -> Result<(), Failure> {
    if !force {
        let there: Vec<String> =
            files.iter().filter(|file| file.path.symlink_metadata().is_ok()).map(|file| shown(&file.path)).collect();
        if !there.is_empty() {
            return Err(exists(&there.join(", ")));
        }
    }
    let stage = |file| stage(file).map_err(|error| refused(&file.path, &error));
    let staged = files.iter().map(stage).collect::<Result<Vec<_>, _>>()?;
    // Dropping it takes back whatever was done, unless it is told that all is well.
    let mut batch = Batch::default();
    for (file, staged) in files.iter().zip(staged) {
        batch.put(staged, &file.path, force).map_err(|error| match error.kind() {
            // Made by somebody else since it was looked for.
            io::ErrorKind::AlreadyExists if !force => exists(&shown(&file.path)),
            _ => refused(&file.path, &error),
        })?;
    }
    batch.placed.clear();
    Ok(())
}

fn exists(paths: &str) -> Failure {
    Failure::usage(format!("{paths}: already there; nothing was written. To replace what is there, pass --force"))
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    // The system's words, without the path that tempfile adds.
    let reason = plain(error);
    Failure::failed(format!("{} cannot be written: {reason}; no file was changed", shown(path)))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A file beside `path` that is removed unless it gets another name.
fn beside(path: &Path, private: bool) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".new");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(if private { 0o600 } else { 0o644 }));
    }
    #[cfg(not(unix))]
    let _ = private;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

fn stage(file: &NewFile<'_>) -> io::Result<NamedTempFile> {
    let mut staged = beside(&file.path, file.private)?;
    staged.write_all(file.contents)?;
    staged.as_file().sync_all()?;
    Ok(staged)
}

/// Files in their places: where, and under which name the file that was there is kept until all are.
#[derive(Default)]
struct Batch {
    placed: Vec<(PathBuf, Option<TempPath>)>,
}

impl Batch {
    fn put(&mut self, staged: NamedTempFile, path: &Path, force: bool) -> io::Result<()> {
        if !force {
            staged.persist_noclobber(path)?;
            self.placed.push((path.to_owned(), None));
            return Ok(());
        }
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        // A name such as /dev/stdout would be taken away from everybody.
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("it is not a file"));
        }
        let kept = beside(path, true)?.into_temp_path();
        let old = match fs::rename(path, &kept) {
            Ok(()) => Some(kept),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        self.placed.push((path.to_owned(), old));
        staged.persist(path)?;
        Ok(())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        for (path, old) in self.placed.drain(..).rev() {
            match old {
                Some(old) => drop(old.persist(path)),
                None => drop(fs::remove_file(path)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    fn file<'a>(folder: &Path, name: &str, contents: &'a str, private: bool) -> NewFile<'a> {
        NewFile { path: folder.join(name), contents: contents.as_bytes(), private }
    }

    /// Names and contents of everything in a folder.
    fn all(folder: &Path) -> Vec<(String, String)> {
        let mut all: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let contents = fs::read_to_string(entry.path()).unwrap_or_else(|_| "(folder)".to_owned());
                (entry.file_name().into_string().unwrap(), contents)
            })
            .collect();
        all.sort();
        all
    }

    fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
        wanted.iter().map(|(name, contents)| ((*name).to_owned(), (*contents).to_owned())).collect()
    }

    #[test]
    fn a_key_is_for_its_owner_alone_and_nothing_else_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write_all(&[file(at, "a.key", "KEY", true), file(at, "a.crt", "CRT", false)], false).unwrap();
        assert_eq!(all(at), pairs(&[("a.crt", "CRT"), ("a.key", "KEY")]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |name: &str| fs::metadata(at.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode("a.key"), 0o600);
            assert_eq!(mode("a.crt") & 0o700, 0o600);
            assert_ne!(mode("a.crt"), 0o600);
        }
    }

    #[test]
    fn without_force_one_file_that_is_there_stops_all() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::write(at.join("a.crt"), "OLD").unwrap();
        let failure = write_all(&[file(at, "a.key", "KEY", true), file(at, "a.crt", "CRT", false)], false).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        let message = failure.message().unwrap();
        assert!(message.contains("a.crt") && !message.contains("a.key") && message.contains("--force"), "{message}");
        assert_eq!(all(at), pairs(&[("a.crt", "OLD")]));
    }

    #[test]
    fn force_replaces_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::write(at.join("a.key"), "OLD").unwrap();
        write_all(&[file(at, "a.key", "KEY", true), file(at, "a.crt", "CRT", false)], true).unwrap();
        assert_eq!(all(at), pairs(&[("a.crt", "CRT"), ("a.key", "KEY")]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(at.join("a.key")).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn when_the_second_file_fails_the_first_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::write(at.join("a.key"), "OLD").unwrap();
        fs::create_dir(at.join("a.crt")).unwrap();
        let failure = write_all(&[file(at, "a.key", "KEY", true), file(at, "a.crt", "CRT", false)], true).unwrap_err();
        assert!(failure.message().unwrap().contains("no file was changed"));
        assert_eq!(all(at), pairs(&[("a.crt", "(folder)"), ("a.key", "OLD")]));
        fs::remove_file(at.join("a.key")).unwrap();
        write_all(&[file(at, "a.key", "KEY", true), file(at, "a.crt", "CRT", false)], true).unwrap_err();
        assert_eq!(all(at), pairs(&[("a.crt", "(folder)")]));
    }

    #[test]
    fn a_file_that_appeared_after_the_look_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let mut batch = Batch::default();
        let staged = stage(&file(at, "a.key", "KEY", true)).unwrap();
        fs::write(at.join("a.key"), "THEIRS").unwrap();
        assert_eq!(batch.put(staged, &at.join("a.key"), false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(batch);
        assert_eq!(all(at), pairs(&[("a.key", "THEIRS")]));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let failure = write_all(&[file(&folder.path().join("none"), "a.key", "KEY", true)], false).unwrap_err();
        assert!(failure.message().unwrap().contains("none"));
        assert_eq!(path_in(".", "a"), PathBuf::from("a"));
        assert_eq!(path_in("x", "a"), Path::new("x").join("a"));
    }
}
