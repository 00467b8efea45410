//! `status`: reads, and writes nothing.

mod document;
mod overview;
mod page;
mod providers;
mod watch;

pub use document::{Status, StatusList, providers as provider_parts};
pub use providers::providers as provider_table;

use serde_json::Value;

use super::exit::{DONE, Failure};
use super::gather::Extent;
use super::session::{Context, Session, command_line, not_one};
use crate::checks::surroundings::Surroundings;
use crate::checks::{Known, Snapshot};
use crate::cli::StatusArgs;
use crate::cluster::{ApiVersion, Cluster, ErrorKind, Selection};
use crate::deployment::Deployment;
use crate::record::Record;
use crate::terminal::OutputFormat;

/// Runs it.
pub async fn exec(context: &Context, args: &StatusArgs) -> Result<u8, Failure> {
    let format = args.output.format();
    if args.all_namespaces {
        return all(context, format).await;
    }
    let mut session = Session::open(context, args.name.as_deref()).await?;
    if args.watch {
        return watch::follow(&mut session, format).await;
    }
    let passing = context.asking();
    let snapshot = session.gather(Extent::Standing).await;
    drop(passing);
    let status = Status::of(&snapshot, |command| session.command(command));
    if format.is_data() {
        context.ui.data(format, &StatusList::new(vec![status]))?;
    } else {
        page::show(&context.ui, &snapshot, &status, format == OutputFormat::Wide, &session.command("check"))?;
    }
    Ok(DONE)
}

/// Every deployment in every namespace, page by page.
async fn all(context: &Context, format: OutputFormat) -> Result<u8, Failure> {
    let passing = context.asking();
    let cluster = Cluster::connect(&context.flags).await?;
    let statuses = match read_all(context, &cluster, ApiVersion::V1Alpha2).await {
        Err(error) if *error.kind() == ErrorKind::NoSuchApi => {
            match read_all(context, &cluster, ApiVersion::V1Alpha1).await {
                // Said in the same words as everywhere, with a look for another edition of ESS.
                Err(error) if *error.kind() == ErrorKind::NoSuchApi => {
                    return Err(not_one(cluster.choose(None).await?, &cluster));
                }
                other => other?,
            }
        }
        other => other?,
    };
    drop(passing);
    if format.is_data() {
        context.ui.data(format, &StatusList::new(statuses))?;
    } else if statuses.is_empty() {
        context.ui.status("There is no ElementDeployment in any namespace.");
    } else {
        context.ui.table(&overview::table(&statuses), format == OutputFormat::Wide)?;
    }
    Ok(DONE)
}

async fn read_all(
    context: &Context,
    cluster: &Cluster,
    version: ApiVersion,
) -> Result<Vec<Status>, crate::cluster::ClusterError> {
    let records = records(cluster).await;
    let mut pages = cluster.list::<Value>(version.resource(), None, Selection::default(), 100);
    let mut statuses = Vec::new();
    while let Some(page) = pages.next().await? {
        for object in page.items {
            let Ok(deployment) = Deployment::from_value(object) else { continue };
            let record = records.iter().find(|map| {
                map["metadata"]["namespace"] == deployment.namespace()
                    && map["metadata"]["name"] == crate::record::record_name(deployment.name())
            });
            let snapshot = without_secret(deployment, record);
            statuses.push(Status::of(&snapshot, |command| {
                command_line(&context.flags, command, snapshot.deployment.namespace(), snapshot.deployment.name())
            }));
        }
    }
    Ok(statuses)
}

/// All records in one request, where that is allowed; without them only the rehearsals are not known.
async fn records(cluster: &Cluster) -> Vec<Value> {
    let selection = Selection { labels: Some("app.kubernetes.io/managed-by=kubectl-ess-mas".to_owned()), fields: None };
    cluster.list::<Value>(crate::cluster::Resource::CONFIG_MAP, None, selection, 500).all().await.unwrap_or_default()
}

/// Many deployments are judged without reading all their Secrets.
fn without_secret(deployment: Deployment, record: Option<&Value>) -> Snapshot {
    let record = record.and_then(|map| Record::read(map, &deployment).ok());
    let settings = crate::plan::MasSettings::of(&deployment).or_else(|| record.as_ref()?.settings.clone());
    Snapshot {
        deployment,
        features: Known::Unreadable("it was not read".to_owned()),
        secret: Known::Unreadable("it was not read".to_owned()),
        record: Known::Known(record),
        settings,
        chart: None,
        surroundings: Surroundings::default(),
    }
}
