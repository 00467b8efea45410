//! `report`: one file for support, without secrets. Writes nothing to the cluster.

mod collect;
mod contents;
mod file;
mod logs;
mod operators;
mod secrets;

use serde_json::json;

use crate::cli::ReportArgs;
use crate::cluster::Why;
use crate::error::{Exit, Failure};
use crate::session::{Context, Document, Session};
use crate::terminal::{Line, Next};
use contents::Missing;
use file::ReportFile;

pub async fn exec(context: &Context, args: &ReportArgs) -> Result<Exit, Failure> {
    let session = Session::open(context, args.name.as_deref()).await?;
    let now = session.now();
    // An unwritable path fails before the reads.
    let file = ReportFile::reserve(&session, args.file.as_deref(), now)?;
    let contents = collect::collect(&session).await;
    let (archive, missing) = contents.archive(&session, now);
    let files = archive.files().count();
    let (path, size) = file.write(&archive, now)?;
    let (ui, path) = (session.ui(), path.display().to_string());
    if args.output.format.is_data() {
        let (namespace, name) = (&session.target.namespace, &session.target.name);
        let contents = json!({"namespace": namespace, "name": name, "file": path, "missing": missing});
        ui.data(args.output.format, &Document::new("Report", contents))?;
        return Ok(Exit::Done);
    }
    print_summary(&session, files, size, &missing);
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
        if missing.iter().any(|one| one.reason == Why::NotAllowed.to_string()) {
            ui.status("Reading these parts needs more permissions. The report is useful without them.");
        }
    }
    ui.status(format!("Report on {}: {files} files, {} KiB.", session.place(), size.div_ceil(1024)));
    ui.status(
        "Secrets are redacted: the report has only the names and lengths of their keys. Known values, keys, tokens, password \
         hashes and long codes are replaced by [redacted] in every text. The logs of Synapse and MAS have numbers instead of \
         user IDs. Host names, object names and the operator's messages stay.",
    );
    ui.next(&Next::new("The redaction is automatic: review the report before you share it. The file is:"));
}
