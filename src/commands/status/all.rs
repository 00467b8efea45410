//! `status -A`: every deployment in every namespace.
//!
//! Reads and prints page by page, so that memory grows only with the rows of a table.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::ObjectList;

use crate::cluster::{ApiVersion, Cluster, ClusterError, ErrorKind, Pages, Selection, Trimmed, resource};
use crate::deployment::{Deployment, Phase};
use crate::error::{Exit, Failure};
use crate::record::{Record, record_name};
use crate::session::snapshot::unread;
use crate::session::status::{Status, StatusList};
use crate::session::{Context, Document, command_line, not_one};
use crate::terminal::data::Listing;
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{OutputFormat, Style, Ui};

/// Deployments per request: with 15 KB each, a page is 3 MB.
const PAGE: u32 = 200;

pub async fn exec(context: &Context, format: OutputFormat) -> Result<Exit, Failure> {
    let passing = context.asking();
    let cluster = Cluster::connect(&context.flags).await?;
    let (records, first) = tokio::join!(read_records(&cluster), first_page(&cluster));
    let Some((mut pages, mut page)) = first? else {
        // The common error, which also detects other editions of ESS.
        return Err(not_one(cluster.choose(None).await?, &cluster));
    };
    drop(passing);
    let records = records.unwrap_or_else(|error| {
        context.ui.warning(format!("can't read the records, so the results of dry runs are not shown: {error}"));
        Records::new()
    });
    let mut output = Output::new(format)?;
    loop {
        // The server prepares the next page meanwhile.
        let (next, worked) = tokio::join!(pages.next(), async { output.page(context, page, &records) });
        worked?;
        page = match next {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => return Err(output.cut(error)),
        };
    }
    output.end(&context.ui, format)?;
    Ok(Exit::Done)
}

/// The first page in the served version; `None` without the CRD.
async fn first_page(cluster: &Cluster) -> Result<Option<(Pages<Trimmed>, ObjectList<Trimmed>)>, ClusterError> {
    for version in ApiVersion::ALL {
        let mut pages = cluster.list::<Trimmed>(&version.resource(), None, Selection::default(), PAGE);
        match pages.next().await {
            Ok(page) => return Ok(page.map(|page| (pages, page))),
            Err(error) if *error.kind() == ErrorKind::NoSuchApi => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Records by namespace and name of their ConfigMaps.
type Records = HashMap<(String, String), Trimmed>;

/// All records. Without them only the dry runs are unknown.
async fn read_records(cluster: &Cluster) -> Result<Records, ClusterError> {
    let labels = Some("app.kubernetes.io/managed-by=kubectl-ess-mas".to_owned());
    let all =
        cluster.list::<Trimmed>(&resource::<ConfigMap>(), None, Selection { labels, fields: None }, 500).all().await?;
    let key = |map: &Trimmed| {
        let text = |key: &str| map.0["metadata"][key].as_str().unwrap_or_default().to_owned();
        (text("namespace"), text("name"))
    };
    Ok(all.into_iter().map(|map| (key(&map), map)).collect())
}

fn record_of(deployment: &Deployment, records: &Records) -> Option<Record> {
    let key = (deployment.namespace().to_owned(), record_name(deployment.name()));
    Record::read(&records.get(&key)?.0, deployment).ok()
}

enum Output {
    Data(Listing),
    Table(Table),
}

impl Output {
    fn new(format: OutputFormat) -> Result<Self, Failure> {
        Ok(if format.is_data() {
            Self::Data(Listing::new(
                format,
                &Document::new(StatusList::KIND, serde_json::json!({})),
                StatusList::ITEMS,
            )?)
        } else {
            Self::Table(table())
        })
    }

    fn page(&mut self, context: &Context, page: ObjectList<Trimmed>, records: &Records) -> Result<(), Failure> {
        let mut text = String::new();
        for Trimmed(object) in page.items {
            let Ok(deployment) = Deployment::from_value(object) else { continue };
            // Secrets are not read for a list.
            let record = record_of(&deployment, records);
            let snapshot = unread(deployment, record);
            let status = Status::of(&snapshot, |command| {
                command_line(&context.flags, command, snapshot.deployment.namespace(), snapshot.deployment.name())
            });
            match self {
                Self::Data(listing) => text.push_str(&listing.element(&status)?),
                Self::Table(table) => {
                    table.row(row(&status));
                }
            }
        }
        // A table is printed at the end.
        if !text.is_empty() {
            context.ui.raw_out(&text)?;
        }
        Ok(())
    }

    fn end(self, ui: &Ui, format: OutputFormat) -> Result<(), Failure> {
        match self {
            Self::Data(listing) => ui.raw_out(&listing.end())?,
            Self::Table(table) if table.is_empty() => ui.status("There is no ElementDeployment in any namespace."),
            Self::Table(table) => ui.table(&table, format == OutputFormat::Wide)?,
        }
        Ok(())
    }

    /// The error of an incomplete list. The printed part is no valid document.
    fn cut(self, error: ClusterError) -> Failure {
        let failure = Failure::from(error);
        match (self, &failure.error) {
            (Self::Data(listing), Some(error)) if listing.is_begun() => {
                let text = format!("the list above is incomplete and not valid JSON: {error}");
                Failure { next: failure.next, ..Failure::failed(text) }
            }
            _ => failure,
        }
    }
}

pub fn table() -> Table {
    Table::new([
        Column::new("Namespace"),
        Column::new("Name"),
        Column::new("Phase"),
        Column::new("MAS active").droppable(),
        Column::new("Operator").droppable(),
        Column::new("Available").droppable(),
        Column::new("Successful").droppable(),
        Column::new("Host").only_wide(),
    ])
}

pub fn row(status: &Status) -> [Cell; 8] {
    let truth = |value: Option<bool>| value.map_or("-", |value| if value { "True" } else { "False" });
    let step = Phase::STEPS[status.phase.step()];
    let phase = match status.phase {
        Phase::DryRunFailed | Phase::MigrationFailed => Cell::styled(Style::Bad, format!("{step} (failed)")),
        Phase::Complete => Cell::styled(Style::Good, step),
        _ => Cell::from(step),
    };
    [
        Cell::from(&status.namespace),
        Cell::from(&status.name),
        phase,
        Cell::from(status.status.mas_active.map_or("-", |active| if active { "true" } else { "false" })),
        Cell::from(status.status.run.word()),
        Cell::from(truth(status.status.available)),
        Cell::from(truth(status.status.successful)),
        Cell::copyable(status.spec.host.as_deref().unwrap_or("-")),
    ]
}
