//! Findings as the output of a command: collected, printed, and mapped to its exit code. Tables of identity providers.

use serde_json::{Value, json};

use crate::checks::tls::Offered;
use crate::checks::{self, Finding, Purpose, Severity, Snapshot, contradict, last_failure};
use crate::cluster::Target;
use crate::deployment::mas_redirect_uri;
use crate::diagnosis;
use crate::error::{Exit, Failure};
use crate::session::reading::Extent;
use crate::session::status::ProviderPart;
use crate::session::{Document, Session};
use crate::session::{certificate, endpoints, findings};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, OutputError, OutputFormat, Stream, Style, Ui, Verbosity};

pub async fn gather(session: &Session) -> (Snapshot, Vec<Finding>) {
    let not_migrated = session.deployment.mas_active() != Some(true);
    // The certificate is checked concurrently with the other reads.
    let (snapshot, (certificate, network)) = session
        .gather_with(Extent::Check, async |snapshot| {
            tokio::join!(
                async {
                    match snapshot.settings.as_ref().filter(|_| not_migrated) {
                        Some(settings) => certificate::check(session, snapshot, settings, Offered::default()).await,
                        None => Vec::new(),
                    }
                },
                endpoints::for_check(session, snapshot)
            )
        })
        .await;
    let mut found = checks::run(&snapshot, Purpose::Check);
    found.extend(certificate);
    found.extend(network);
    if let Some(message) = last_failure(&snapshot) {
        let causes = diagnosis::understand(message);
        contradict(causes.iter().map(|cause| (cause.code, cause.meaning.as_str())), &mut found);
    }
    found.sort_by_key(|finding| finding.severity);
    session.complete_findings(&mut found);
    (snapshot, found)
}

/// The findings as data; `target` is their deployment, if any.
pub fn check_report(target: Option<&Target>, findings: &Value) -> Document<Value> {
    let (namespace, name) = target.map(|target| (&target.namespace, &target.name)).unzip();
    Document::new("CheckReport", json!({"namespace": namespace, "name": name, "findings": findings}))
}

pub fn conclude(ui: &Ui, format: OutputFormat, target: Option<&Target>, findings: &[Finding]) -> Result<Exit, Failure> {
    if format.is_data() {
        ui.data(format, &check_report(target, &json!(findings)))?;
    } else {
        let quiet = ui.verbosity == Verbosity::Quiet;
        let shown: Vec<Finding> =
            findings.iter().filter(|finding| !quiet || finding.severity != Severity::Ok).cloned().collect();
        if !shown.is_empty() {
            findings::table(ui, &shown, format == OutputFormat::Wide)?;
        }
    }
    Ok(if findings.iter().any(Finding::blocks) {
        Exit::Blocked
    } else if findings.iter().any(Finding::needs_accepting) {
        Exit::Warnings
    } else {
        Exit::Done
    })
}

/// Prints the identity providers as a table, or below each other in a narrow terminal; URIs are never truncated or wrapped.
/// `done` means that the migration is complete, so that MAS's URIs are in use.
pub fn providers(ui: &Ui, providers: &[ProviderPart], done: bool) -> Result<(), OutputError> {
    let options = ui.render_options(Stream::Out);
    let piped = options.columns.is_none();
    let mut table = Table::new([Column::new("Identity provider"), Column::new("Use"), Column::new("Redirect URI")]);
    for provider in providers {
        let name = name(provider);
        // A terminal shows the name once; in a pipe each row is complete.
        let again = if piped { name } else { "" };
        for (name, (usage, uri)) in [name, again].into_iter().zip(uris(provider, done)) {
            table.row([Cell::from(name), Cell::from(usage), Cell::copyable(uri)]);
        }
    }
    if table.fits(options) {
        return ui.table(&table, false);
    }
    for provider in providers {
        ui.page(Line::new().text("Identity provider ").styled(Style::Heading, name(provider)))?;
        for (usage, uri) in uris(provider, done) {
            ui.print(format!("  {usage}   {uri}"))?;
        }
    }
    Ok(())
}

fn name(provider: &ProviderPart) -> &str {
    provider.name.as_deref().or(provider.issuer.as_deref()).unwrap_or(&provider.idp_id)
}

fn uris(provider: &ProviderPart, done: bool) -> [(&'static str, String); 2] {
    let (synapse, mas) = if done { ("old", "now") } else { ("now", "add") };
    let present = provider.current_redirect_uri.as_deref().unwrap_or("unknown: the spec has no host for Synapse");
    let template = || mas_redirect_uri("<host of MAS>", &provider.idp_id);
    [(synapse, present.to_owned()), (mas, provider.mas_redirect_uri.clone().unwrap_or_else(template))]
}

#[cfg(test)]
mod tests {
    #[test]
    fn seen_by_lists_known_causes_and_checks_with_remedies() {
        for line in include_str!("../../checks/seen_by.txt").lines() {
            let (cause, rest) = line.split_once(' ').unwrap();
            let (check, remedy) = rest.split_once(": ").unwrap();
            assert!(crate::diagnosis::codes().any(|code| code == cause), "{cause}");
            assert!(crate::checks::explain::explanation(check).is_some() && !remedy.is_empty(), "{check}");
        }
    }
}
