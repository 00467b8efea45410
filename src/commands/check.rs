//! `check`: every finding; writes nothing.

use serde::Serialize;

use super::exit::{BLOCKED, DONE, Failure, WARNINGS};
use super::findings;
use super::gather::Extent;
use super::session::{Context, Session};
use crate::checks::{self, Finding, Step};
use crate::cli::CheckArgs;
use crate::terminal::OutputFormat;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    findings: &'a [Finding],
}

/// Runs it.
pub async fn exec(context: &Context, args: &CheckArgs) -> Result<u8, Failure> {
    let session = Session::open(context, args.name.as_deref()).await?;
    let snapshot = session.gather(Extent::Step).await;
    let findings = checks::run(&snapshot, Step::Look);
    let format = args.output.format();
    if format.is_data() {
        let report = Report {
            api_version: "ess-mas/v1",
            kind: "CheckReport",
            namespace: &session.target.namespace,
            name: &session.target.name,
            findings: &findings,
        };
        context.ui.data(format, &report)?;
    } else {
        findings::table(&context.ui, &findings, format == OutputFormat::Wide)?;
    }
    Ok(if findings.iter().any(Finding::blocks) {
        BLOCKED
    } else if findings.iter().any(Finding::needs_accepting) {
        WARNINGS
    } else {
        DONE
    })
}
