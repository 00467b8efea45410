//! `status -A`: every deployment in every namespace.
//!
//! There may be very many, so they are read page by page, and of each page only rows or printed text are left: memory does not
//! grow with their number but for a table's rows.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::ObjectList;

use super::overview;
use crate::checks::Components;
use crate::checks::{Environment, Known, Snapshot};
use crate::cluster::{ApiVersion, Cluster, ClusterError, ErrorKind, Pages, Selection, Trimmed, resource};
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::record::{Record, record_name};
use crate::session::status::{Status, StatusList};
use crate::session::{Context, command_line, not_one};
use crate::terminal::data::Listing;
use crate::terminal::table::Table;
use crate::terminal::{OutputFormat, Ui};

/// Deployments per request: with 15 KB each, a page is 3 MB.
const PAGE: u32 = 200;

pub async fn exec(context: &Context, format: OutputFormat) -> Result<Exit, Failure> {
    let passing = context.asking();
    let cluster = Cluster::connect(&context.flags).await?;
    let (records, first) = tokio::join!(Records::read(&cluster), first_page(&cluster));
    let Some((mut pages, mut page)) = first? else {
        // Said in the same words as everywhere, with a look for another edition of ESS.
        return Err(not_one(cluster.choose(None).await?, &cluster));
    };
    drop(passing);
    if let Some(error) = &records.unread {
        context.ui.warning(format!("no rehearsal is shown, because the records could not be read: {error}"));
    }
    let mut output = Output::new(&context.ui, format)?;
    loop {
        // The server makes the next page while this one is worked on.
        let (next, worked) = tokio::join!(pages.next(), async { output.page(context, page, &records) });
        worked?;
        page = match next {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => return Err(output.cut(error)),
        };
    }
    output.end()?;
    Ok(Exit::Done)
}

/// The first page in the version that is served; `None` where there is none.
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

/// All records by namespace and name, where they may be read; without them only the rehearsals are not known.
struct Records {
    all: HashMap<(String, String), Trimmed>,
    unread: Option<ClusterError>,
}

impl Records {
    async fn read(cluster: &Cluster) -> Self {
        let labels = Some("app.kubernetes.io/managed-by=kubectl-ess-mas".to_owned());
        let selection = Selection { labels, fields: None };
        let (all, unread) = match cluster.list::<Trimmed>(&resource::<ConfigMap>(), None, selection, 500).all().await {
            Ok(all) => (all, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let key = |map: &Trimmed| {
            let text = |key: &str| map.0["metadata"][key].as_str().unwrap_or_default().to_owned();
            (text("namespace"), text("name"))
        };
        Self { all: all.into_iter().map(|map| (key(&map), map)).collect(), unread }
    }

    fn of(&self, deployment: &Deployment) -> Option<Record> {
        let key = (deployment.namespace().to_owned(), record_name(deployment.name()));
        Record::read(&self.all.get(&key)?.0, deployment).ok()
    }
}

/// Where the deployments go as they come.
enum Output<'a> {
    Data(&'a Ui, Listing),
    Table(&'a Ui, Table, OutputFormat),
}

impl<'a> Output<'a> {
    fn new(ui: &'a Ui, format: OutputFormat) -> Result<Self, Failure> {
        Ok(if format.is_data() {
            Self::Data(ui, Listing::new(format, &StatusList::head(), StatusList::ITEMS)?)
        } else {
            Self::Table(ui, overview::table(), format)
        })
    }

    fn page(&mut self, context: &Context, page: ObjectList<Trimmed>, records: &Records) -> Result<(), Failure> {
        let mut text = String::new();
        for Trimmed(object) in page.items {
            let Ok(deployment) = Deployment::from_value(object) else { continue };
            let record = records.of(&deployment);
            let snapshot = without_secret(deployment, record);
            let status = Status::of(&snapshot, |command| {
                command_line(&context.flags, command, snapshot.deployment.namespace(), snapshot.deployment.name())
            });
            match self {
                Self::Data(_, listing) => text.push_str(&listing.element(&status)?),
                Self::Table(_, table, _) => overview::row(table, &status),
            }
        }
        match self {
            Self::Data(ui, _) if !text.is_empty() => Ok(ui.raw_out(&text)?),
            _ => Ok(()),
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self {
            Self::Data(ui, listing) => ui.raw_out(&listing.end())?,
            Self::Table(ui, table, _) if table.is_empty() => {
                ui.status("There is no ElementDeployment in any namespace.");
            }
            Self::Table(ui, table, format) => ui.table(&table, format == OutputFormat::Wide)?,
        }
        Ok(())
    }

    /// The list ends early. What is printed of it is no document, so that nobody takes it for the whole.
    fn cut(self, error: ClusterError) -> Failure {
        let mut failure = Failure::from(error);
        if let (Self::Data(_, listing), Some(error)) = (self, &failure.error)
            && listing.is_begun()
        {
            failure = Failure {
                next: failure.next,
                ..Failure::new(Exit::Failed, format!("the list above is not complete, and no valid JSON: {error}"))
            };
        }
        failure
    }
}

/// Many deployments are judged without reading all their Secrets.
fn without_secret(deployment: Deployment, record: Option<Record>) -> Snapshot {
    let settings = crate::plan::MasSettings::of(&deployment).or_else(|| record.as_ref()?.settings.clone());
    Snapshot {
        deployment,
        features: Known::Unreadable("it was not read".to_owned()),
        secret: Known::Unreadable("it was not read".to_owned()),
        record: Known::Known(record),
        settings,
        chart: None,
        environment: Environment::default(),
        components: Components::default(),
    }
}
