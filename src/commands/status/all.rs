//! `status -A`: every deployment in every namespace.
//!
//! Reads and prints page by page, so that memory grows only with the rows of a table. Incomplete YAML is valid, so it is
//! printed at the end; incomplete JSON is not, and can't be mistaken for the whole document.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::ObjectList;

use crate::cluster::{ApiVersion, Cluster, ClusterError, ErrorKind, Pages, Selection, Trimmed, resource};
use crate::deployment::{Deployment, Phase};
use crate::error::{Exit, Failure};
use crate::record::{Record, record_name};
use crate::session::command_line::CommandLine;
use crate::session::snapshot::unread;
use crate::session::status::{Status, StatusList};
use crate::session::{Context, not_one};
use crate::terminal::data::{OutputError, render};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{OutputFormat, Style};

/// Deployments per request: with 15 KB each, a page is 3 MB.
const PAGE: u32 = 200;
/// The end of a list in JSON.
const END: &str = "\n    ]\n}\n";

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
    let (mut table, mut items, mut begun) = (table(), Vec::new(), false);
    loop {
        // The server prepares the next page meanwhile.
        let (next, printed) = tokio::join!(pages.next(), async {
            for status in page.items.into_iter().filter_map(|item| status(context, item, &records)) {
                if format.is_data() {
                    items.push(status);
                } else {
                    table.row(row(&status));
                }
            }
            if format == OutputFormat::Json && !items.is_empty() {
                let text = render(format, &StatusList::of(std::mem::take(&mut items)))?;
                context.ui.raw_out(&continued(&text, begun))?;
                begun = true;
            }
            Ok::<_, OutputError>(())
        });
        printed?;
        page = match next {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) if begun => {
                let failure = Failure::from(error);
                let why = failure.error.as_ref().map(ToString::to_string).unwrap_or_default();
                let text = format!("the list above is incomplete and not valid JSON: {why}");
                return Err(Failure { next: failure.next, ..Failure::failed(text) });
            }
            Err(error) => return Err(error.into()),
        };
    }
    if begun {
        context.ui.raw_out(END)?;
    } else if format.is_data() {
        context.ui.data(format, &StatusList::of(items))?;
    } else if table.is_empty() {
        context.ui.status("There is no ElementDeployment in any namespace.");
    } else {
        context.ui.table(&table, format == OutputFormat::Wide)?;
    }
    Ok(Exit::Done)
}

/// A page of the list in JSON without its end, and without its beginning after the first one.
fn continued(page: &str, begun: bool) -> String {
    let page = page.strip_suffix(END).unwrap_or(page);
    if begun { format!(",{}", page.split_once('[').map_or(page, |(_, items)| items)) } else { page.to_owned() }
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

/// The status of a deployment; Secrets are not read for a list.
fn status(context: &Context, Trimmed(object): Trimmed, records: &Records) -> Option<Status> {
    let deployment = Deployment::from_value(object).ok()?;
    let key = (deployment.namespace().to_owned(), record_name(deployment.name()));
    let record = records.get(&key).and_then(|map| Record::read(&map.0, &deployment).ok());
    let snapshot = unread(deployment, record);
    let (namespace, name) = (snapshot.deployment.namespace(), snapshot.deployment.name());
    let line = CommandLine { flags: &context.flags, namespace, name };
    Some(Status::of(&snapshot, |command| line.of(command)))
}

pub fn table() -> Table {
    let droppable = |head| Column { droppable: true, ..Column::new(head) };
    Table::new([
        Column::new("Namespace"),
        Column::new("Name"),
        Column::new("Phase"),
        droppable("MAS active"),
        droppable("Operator"),
        droppable("Available"),
        droppable("Successful"),
        Column { only_wide: true, ..Column::new("Host") },
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
