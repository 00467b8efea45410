//! `check`: every finding; writes nothing.

mod databases;
mod explain;
mod rbac;

use serde::Serialize;

use crate::checks::tls::Offered;
use crate::checks::{self, Finding, Purpose, Snapshot};
use crate::cli::CheckArgs;
use crate::cluster::Target;
use crate::error::{Exit, Failure};
use crate::session::certificate;
use crate::session::endpoints;
use crate::session::findings;
use crate::session::reading::Extent;
use crate::session::{Context, Session};
use crate::terminal::{Next, OutputFormat, Ui};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    findings: &'a [Finding],
}

pub async fn exec(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let format = args.output.format();
    if let Some(code) = &args.explain {
        return explain::exec(&context.ui, code, format);
    }
    if args.rbac {
        return rbac::exec(context, args).await;
    }
    // What was typed is read before anybody is asked.
    let ways = args.ask.databases.then(|| databases::ways(&args.ask)).transpose()?;
    let session = Session::open(context, args.name.as_deref()).await?;
    let (snapshot, mut findings) = look(&session).await;
    if let Some(ways) = ways {
        findings.extend(databases::look(&session, &snapshot, &ways).await);
        findings.sort_by_key(|finding| finding.severity);
    }
    if !format.is_data() {
        findings::count(&context.ui, &session.place(), &findings);
    }
    let code = conclude(&context.ui, format, Some(&session.target), &findings)?;
    if code != Exit::Done && !format.is_data() {
        context.ui.next(&Next::new("More about a code:").command("kubectl ess-mas check --explain CODE"));
    }
    Ok(code)
}

/// What there is, and every finding; `report` takes them along.
pub async fn look(session: &Session) -> (Snapshot, Vec<Finding>) {
    let not_migrated = session.deployment.mas_active() != Some(true);
    // The certificate is looked at beside the rest, not after it.
    let (snapshot, (certificate, network)) = session
        .gather_with(Extent::Look, async |snapshot| {
            tokio::join!(
                async {
                    match snapshot.settings.as_ref().filter(|_| not_migrated) {
                        Some(settings) => certificate::look(session, snapshot, settings, Offered::default()).await,
                        None => Vec::new(),
                    }
                },
                endpoints::for_check(session, snapshot)
            )
        })
        .await;
    let mut findings = checks::run(&snapshot, Purpose::Look);
    findings.extend(certificate);
    findings.extend(network);
    findings.sort_by_key(|finding| finding.severity);
    findings::name_commands(session, &mut findings);
    (snapshot, findings)
}

/// Prints the findings; the exit code says how bad they are. `target` is the deployment that they are about, if they are
/// about one.
pub fn conclude(ui: &Ui, format: OutputFormat, target: Option<&Target>, findings: &[Finding]) -> Result<Exit, Failure> {
    if format.is_data() {
        let report = Report {
            api_version: "ess-mas/v1",
            kind: "CheckReport",
            namespace: target.map(|target| target.namespace.as_str()),
            name: target.map(|target| target.name.as_str()),
            findings,
        };
        ui.data(format, &report)?;
    } else {
        findings::table(ui, findings, format == OutputFormat::Wide)?;
    }
    Ok(if findings.iter().any(Finding::blocks) {
        Exit::Blocked
    } else if findings.iter().any(Finding::needs_accepting) {
        Exit::Warnings
    } else {
        Exit::Done
    })
}
