//! `report`: everything that support needs, in one file, without secrets. Writes nothing to the cluster.

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
    // First of all: a place that cannot be written is told before anybody waits.
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
    tell(&session, files, size, &missing);
    ui.print(path)?;
    Ok(Exit::Done)
}

fn tell(session: &Session, files: usize, size: u64, missing: &[Missing]) {
    const SHOWN: usize = 12;
    let ui = session.ui();
    if !missing.is_empty() {
        ui.status("Not in it:");
        for one in missing.iter().take(SHOWN) {
            ui.status(Line::new().text("  ").text(&one.part).text(": ").text(&one.reason));
        }
        if missing.len() > SHOWN {
            ui.status(format!("  and {} more; INDEX.txt in the report lists all of them", missing.len() - SHOWN));
        }
        if missing.iter().any(|one| one.reason == Why::NotAllowed.to_string()) {
            ui.status("What is not allowed needs more rights; the report is of use without them.");
        }
    }
    ui.status(format!("Report on {}: {files} files, {} KiB.", session.place(), size.div_ceil(1024)));
    ui.status(
        "Secrets are left out: of Secrets only the names and lengths of keys are in it; values that were read, keys, tokens, \
         password hashes and long codes were looked for in every text and replaced by [redacted]. In the logs of Synapse and \
         MAS user ids are numbered. Host names, names of objects and what the operator reports stay.",
    );
    ui.next(&Next::new("It was made by a program: look through it before you hand it on. It is here:"));
}
