//! `activate --backup-file`: what a dump looks like, before anything is asked of the cluster.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;

use crate::checks::backup::BackupFile;
use crate::checks::backup::recognise::{Dump, DumpFormat, recognise};
use crate::connection_failure::plain;
use crate::error::Failure;

/// So much of a file's end is looked at: where SQL says that it is complete.
const TAIL: u64 = 4096;

/// `--backup-file`: opens a dump that was named, and looks into it as far as it takes. One that is not there, or is no file, is
/// a mistake in what was typed.
pub fn look_into(name: &str) -> Result<BackupFile, Failure> {
    let path = Path::new(name);
    let usage = |error: &io::Error| {
        let why = plain(error);
        Failure::usage(format!("--backup-file: {name} cannot be looked at: {why}; nothing was changed"))
    };
    let about = fs::metadata(path).map_err(|error| usage(&error))?;
    if !about.is_file() && !about.is_dir() {
        // Reading a pipe would take away what is in it.
        return Err(Failure::usage(format!(
            "--backup-file: {name} is neither a file nor a folder; nothing was changed"
        )));
    }
    let written = |about: &fs::Metadata| about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    if about.is_dir() {
        return Ok(folder(name, path, written(&about)));
    }
    let mut file = File::open(path).map_err(|error| usage(&error))?;
    let dump = in_file(&mut file, about.len()).map_err(|error| error.to_string());
    Ok(BackupFile { name: name.to_owned(), written: written(&about), dump })
}

fn in_file(file: &mut File, length: u64) -> io::Result<Dump> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    recognise(file, Some(&tail))
}

/// A dump in directory format, or a server's files.
fn folder(name: &str, path: &Path, written: Option<Timestamp>) -> BackupFile {
    let dump = match File::open(path.join("toc.dat")) {
        // Its table of contents is written as that of a tar archive.
        Ok(mut file) => recognise(&mut file, None).map(|dump| match dump.kind {
            DumpFormat::Archive => dump,
            _ => Dump::only(DumpFormat::None("its toc.dat is no table of contents of pg_dump".to_owned())),
        }),
        Err(_)
            if path.join("PG_VERSION").exists()
                || path.join("base.tar").exists()
                || path.join("base.tar.gz").exists() =>
        {
            Ok(Dump::only(DumpFormat::Sealed))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Dump::only(DumpFormat::None("it is a folder without toc.dat, which pg_dump writes last".to_owned())))
        }
        Err(error) => Err(error),
    };
    BackupFile { name: name.to_owned(), written, dump: dump.map_err(|error| error.to_string()) }
}
