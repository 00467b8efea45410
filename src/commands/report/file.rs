//! Where the report goes. Nothing is overwritten, and nothing half-written is left.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{Exit, Failure};
use crate::record::{self, Archive};
use crate::session::Session;

/// A file that is there, empty, until the report is written into it.
pub struct ReportFile {
    path: PathBuf,
    folder: String,
    open: Option<File>,
}

impl ReportFile {
    /// Makes the file: the one that was named, or one in the folder that was named, else in the working folder.
    pub fn reserve(session: &Session, wanted: Option<&Path>, now: Timestamp) -> Result<Self, Failure> {
        let target = &session.target;
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        let name = format!("ess-mas-report-{}-{}-{stamp}", target.namespace, target.name);
        let folder = match wanted {
            Some(path) if path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/') => path,
            Some(path) => return Self::at(path.to_owned(), name),
            None => Path::new(""),
        };
        match record::private_anew(folder, &name, "tar.gz") {
            Ok((path, open)) => Ok(Self { path, folder: name, open: Some(open) }),
            Err(error) => Err(refused(&folder.join(format!("{name}.tar.gz")), &error)),
        }
    }

    fn at(path: PathBuf, folder: String) -> Result<Self, Failure> {
        match record::private(&path) {
            Ok(open) => Ok(Self { path, folder, open: Some(open) }),
            Err(error) => Err(refused(&path, &error)),
        }
    }

    /// Writes the report and returns where it is and how large.
    pub fn write(mut self, archive: &Archive, now: Timestamp) -> Result<(PathBuf, u64), Failure> {
        let written = self.write_into(archive, now);
        match written {
            Ok(size) => {
                self.open = None;
                let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
                Ok((path, size))
            }
            Err(error) => Err(refused(&self.path, &error)),
        }
    }

    fn write_into(&mut self, archive: &Archive, now: Timestamp) -> io::Result<u64> {
        let Some(open) = &self.open else { return Err(io::ErrorKind::NotFound.into()) };
        let mut buffered = BufWriter::new(open);
        archive.write(&self.folder, now, &mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        open.sync_all()?;
        Ok(open.metadata()?.len())
    }
}

/// Also when the command is interrupted: half a report is none.
impl Drop for ReportFile {
    fn drop(&mut self) {
        if self.open.take().is_some() {
            // If it cannot be removed either, there is nothing more to be done about it here.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    let text = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{path} is there already; nothing was overwritten, and no report was made")
        }
        io::ErrorKind::NotFound => {
            format!("{path} cannot be written, because its folder is not there; no report was made")
        }
        _ => format!("{path} cannot be written: {error}; no report was made"),
    };
    Failure::new(Exit::Failed, text)
}
