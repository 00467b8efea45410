//! Writes files of keys and certificates, and overwrites existing files only with `--force`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::connection_failure::plain;
use crate::error::Failure;

pub struct NewFile<'a> {
    pub path: PathBuf,
    pub contents: &'a [u8],
    #[cfg_attr(not(unix), expect(dead_code))]
    pub private: bool,
}

/// The path of a file in the directory `--out`; without `./` for the current directory.
pub fn path_in(folder: &str, name: &str) -> PathBuf {
    if folder == "." { PathBuf::from(name) } else { Path::new(folder).join(name) }
}

/// Writes all files; prepares all of them before it places the first. Keys are created with mode 0600, certificates with 0644
/// (minus the umask).
pub fn write_all(files: &[NewFile<'_>], force: bool) -> Result<(), Failure> {
    let existing = files.iter().filter(|file| file.path.symlink_metadata().is_ok());
    let existing: Vec<String> = existing.map(|file| file.path.display().to_string()).collect();
    if !force && !existing.is_empty() {
        let paths = existing.join(", ");
        return Err(Failure::usage(format!("{paths} already exists; nothing was written. To overwrite, pass --force")));
    }
    // Renaming would remove a device such as /dev/stdout.
    if let Some(other) = files.iter().find(|file| file.path.metadata().is_ok_and(|there| !there.is_file())) {
        return Err(refused(&other.path, &io::Error::other("it is not a file"), "no file was changed"));
    }
    let stage = |file| stage(file).map_err(|error| refused(&file.path, &error, "no file was changed"));
    let staged = files.iter().map(stage).collect::<Result<Vec<_>, _>>()?;
    for (file, staged) in files.iter().zip(staged) {
        let placed = if force { staged.persist(&file.path) } else { staged.persist_noclobber(&file.path) };
        placed.map_err(|error| refused(&file.path, &error.error, "the files before it were written"))?;
    }
    Ok(())
}

fn refused(path: &Path, error: &io::Error, others: &str) -> Failure {
    Failure::failed(format!("can't write {}: {}; {others}", path.display(), plain(error)))
}

/// A temporary file in the directory of the file, removed on drop.
fn stage(file: &NewFile<'_>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".new");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(if file.private { 0o600 } else { 0o644 }));
    }
    let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut staged = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    staged.write_all(file.contents)?;
    staged.as_file().sync_all()?;
    Ok(staged)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::Exit;

    fn file<'a>(folder: &Path, name: &str, contents: &'a str, private: bool) -> NewFile<'a> {
        NewFile { path: folder.join(name), contents: contents.as_bytes(), private }
    }

    /// Names and contents of all entries of a directory.
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
    fn only_the_owner_can_read_a_key_and_no_temporary_file_is_left() {
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
    fn without_force_one_existing_file_prevents_all_writes() {
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
    fn force_overwrites_existing_files() {
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
    fn an_unwritable_second_file_leaves_the_first_unchanged() {
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
    fn an_error_names_the_missing_directory() {
        let folder = tempfile::tempdir().unwrap();
        let failure = write_all(&[file(&folder.path().join("none"), "a.key", "KEY", true)], false).unwrap_err();
        assert!(failure.message().unwrap().contains("none"));
        assert_eq!(path_in(".", "a"), PathBuf::from("a"));
        assert_eq!(path_in("x", "a"), Path::new("x").join("a"));
    }
}
