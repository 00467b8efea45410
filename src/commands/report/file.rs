//! The report's file. Overwrites nothing, and leaves no incomplete file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::TempPath;

use crate::error::Failure;
use crate::record::{self, Archive};
use crate::session::Session;

/// An empty file that reserves the path. Dropped before [`write`](Self::write), also at an interrupt, it is removed.
pub struct ReportFile {
    path: TempPath,
    open: File,
    folder: String,
}

impl ReportFile {
    /// Creates `wanted`, or a file in the folder `wanted`, else in the working folder.
    pub fn reserve(session: &Session, wanted: Option<&Path>, now: Timestamp) -> Result<Self, Failure> {
        let target = &session.target;
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        let name = format!("ess-mas-report-{}-{}-{stamp}", target.namespace, target.name);
        let is_folder =
            |path: &Path| path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        let (shown, made) = match wanted {
            Some(path) if !is_folder(path) => {
                (path.to_owned(), record::private(path).map(|open| (path.to_owned(), open)))
            }
            folder => {
                let folder = folder.unwrap_or(Path::new(""));
                (folder.join(format!("{name}.tar.gz")), record::private_anew(folder, &name, "tar.gz"))
            }
        };
        let made = made.and_then(|(path, open)| Ok((TempPath::try_from_path(path)?, open)));
        let (path, open) = made.map_err(|error| refused(&shown, &error))?;
        Ok(Self { path, open, folder: name })
    }

    pub fn write(self, archive: &Archive, now: Timestamp) -> Result<(PathBuf, u64), Failure> {
        let path = self.path.to_path_buf();
        self.write_and_keep(archive, now).map_err(|error| refused(&path, &error))
    }

    fn write_and_keep(self, archive: &Archive, now: Timestamp) -> io::Result<(PathBuf, u64)> {
        let mut buffered = BufWriter::new(&self.open);
        archive.write(&self.folder, now, &mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        self.open.sync_all()?;
        let size = self.open.metadata()?.len();
        Ok((std::path::absolute(self.path.keep()?)?, size))
    }
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    let text = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{path} already exists; nothing was overwritten, and no report was created. Pass another --file")
        }
        io::ErrorKind::NotFound => {
            format!("can't write {path}, because its folder doesn't exist; no report was created")
        }
        _ => format!("can't write {path}: {error}; no report was created"),
    };
    Failure::failed(text)
}
