//! `report`: one file for support, without secrets. Writes nothing to the cluster.

mod collect;
mod contents;
mod logs;
mod operators;
mod secrets;

use std::io::{self, BufWriter};
use std::path::{Path, is_separator};

use serde_json::json;
use tempfile::NamedTempFile;

use crate::cli::ReportArgs;
use crate::cluster::Reason;
use crate::error::{Exit, Failure};
use crate::session::{Context, Document, Session};
use crate::terminal::{Line, Next};
use contents::Missing;

pub async fn exec(context: &Context, args: &ReportArgs) -> Result<Exit, Failure> {
    let session = Session::open(context, args.name.as_deref()).await?;
    let now = session.now();
    let target = &session.target;
    let folder = format!("ess-mas-report-{}-{}-{}", target.namespace, target.name, now.strftime("%Y%m%dT%H%M%SZ"));
    let mut path = args.file.clone().unwrap_or_default();
    if path.as_os_str().is_empty() || path.is_dir() || path.to_string_lossy().ends_with(is_separator) {
        path.push(format!("{folder}.tar.gz"));
    }
    let refused = |error: io::Error| refused(&path, &error);
    // An unwritable path fails before the reads. Dropping the file removes it, also at an interrupt.
    if path.symlink_metadata().is_ok() {
        return Err(refused(io::ErrorKind::AlreadyExists.into()));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = NamedTempFile::new_in(parent).map_err(refused)?;
    let (archive, missing) = collect::collect(&session).await.archive(&session, now);
    archive.write(&folder, now, BufWriter::new(&file)).map_err(refused)?;
    file.as_file().sync_all().map_err(refused)?;
    let size = file.as_file().metadata().map_err(refused)?.len();
    file.persist_noclobber(&path).map_err(|error| refused(error.error))?;
    let path = std::path::absolute(&path).map_err(refused)?;
    let (ui, path) = (session.ui(), path.display().to_string());
    if args.output.format.is_data() {
        let contents = json!({"namespace": target.namespace, "name": target.name, "file": path, "missing": missing});
        ui.data(args.output.format, &Document::new("Report", contents))?;
        return Ok(Exit::Done);
    }
    print_summary(&session, archive.files.len(), size, &missing);
    ui.print(path)?;
    Ok(Exit::Done)
}

fn print_summary(session: &Session, files: usize, size: u64, missing: &[Missing]) {
    const SHOWN: usize = 12;
    let ui = session.ui();
    if !missing.is_empty() {
        ui.status("Not in the report:");
        for one in missing.iter().take(SHOWN) {
            ui.status(Line::new().text("  ").text(&one.part).text(": ").text(&one.reason));
        }
        if missing.len() > SHOWN {
            ui.status(format!("  and {} more, listed in INDEX.txt", missing.len() - SHOWN));
        }
        if missing.iter().any(|one| one.reason == Reason::NotAllowed.to_string()) {
            ui.status("Reading these parts needs more permissions. The report is useful without them.");
        }
    }
    ui.status(format!("Report on {}: {files} files, {} KiB.", session.place(), size.div_ceil(1024)));
    ui.status(
        "Secrets are redacted: the report has only the names and lengths of their keys. Known values, keys, tokens, password \
         hashes and long codes are replaced by [redacted] in every text. The logs of Synapse and MAS have numbers instead of \
         user IDs. Host names, object names and the operator's messages remain.",
    );
    ui.next(&Next::new("The redaction is automatic: review the report before you share it. The file is:"));
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::failed(match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{path} already exists; nothing was overwritten, and no report was created. Pass another --file")
        }
        io::ErrorKind::NotFound => {
            format!("can't write {path}, because its folder doesn't exist; no report was created")
        }
        _ => format!("can't write {path}: {error}; no report was created"),
    })
}
