//! `report`: everything that support needs, in one file, without secrets. Writes nothing to the cluster.

mod collect;
mod contents;
mod file;
mod operators;
mod secrets;

use serde::Serialize;

use crate::cli::ReportArgs;
use crate::error::{Exit, Failure};
use crate::session::{Context, Session};
use crate::terminal::{Line, Next};
use file::ReportFile;

/// Something that is not in the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Missing {
    /// What it is; for a read, verb, resource and place.
    part: String,
    reason: String,
}

impl Missing {
    fn new(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { part: part.into(), reason: reason.into() }
    }
}

impl From<crate::cluster::Unread> for Missing {
    fn from(unread: crate::cluster::Unread) -> Self {
        Self::new(unread.what, unread.why.to_string())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    file: String,
    missing: &'a [Missing],
}

pub async fn exec(context: &Context, args: &ReportArgs) -> Result<Exit, Failure> {
    let session = Session::open(context, args.name.as_deref()).await?;
    let now = session.ui().terminal().now();
    // First of all: a place that cannot be written is told before anybody waits.
    let file = ReportFile::reserve(&session, args.file.as_deref(), now)?;
    let collected = collect::collect(&session).await;
    let (archive, missing) = contents::archive(&session, collected, now);
    let files = archive.files().count();
    let (path, size) = file.write(&archive, now)?;
    let ui = session.ui();
    if args.output.format.is_data() {
        let document = Document {
            api_version: "ess-mas/v1",
            kind: "Report",
            namespace: &session.target.namespace,
            name: &session.target.name,
            file: path.display().to_string(),
            missing: &missing,
        };
        ui.data(args.output.format, &document)?;
        return Ok(Exit::Done);
    }
    tell(&session, files, size, &missing);
    ui.print(path.display().to_string())?;
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
        if missing.iter().any(|one| one.reason == crate::cluster::Why::NotAllowed.to_string()) {
            ui.status("What is not allowed needs more rights; the report is of use without them.");
        }
    }
    ui.status(format!("Report on {}: {files} files, {}.", session.place(), kibibytes(size)));
    ui.status(
        "Secrets are left out: of Secrets only the names and lengths of keys are in it; values that were read, keys, tokens, \
         password hashes and long codes were looked for in every text and replaced by [redacted]. In the logs of Synapse and \
         MAS user ids are numbered. Host names, names of objects and what the operator reports stay.",
    );
    ui.next(&Next::new("It was made by a program: look through it before you hand it on. It is here:"));
}

fn kibibytes(size: u64) -> String {
    format!("{} KiB", size.div_ceil(1024))
}
