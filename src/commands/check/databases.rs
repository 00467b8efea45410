//! `check --databases`: logs in to both databases with the credentials of the spec, and looks.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::answers::postgres::ProbeError;
use crate::checks::databases::{Application, ConnectionSettings, Expected, Probed, judge};
use crate::checks::{Finding, Known, Snapshot};
use crate::cli::DatabasesArgs;
use crate::cluster::{Cluster, Selection, Target, resource};
use crate::deployment::route::{self, Port};
use crate::error::Failure;
use crate::net::dial::{Resolve, Way};
use crate::net::postgres::{Login, ask_mas, ask_synapse};
use crate::net::tls::Roots;
use crate::secrets::{PostgresPassword, SecretText};
use crate::session::Session;
use crate::session::certificate::secret;
use crate::session::endpoints::through::to_pod;
use crate::session::findings;
use crate::session::inputs::{read_resolve, read_roots, roots_or_system};
use crate::terminal::progress::Waiting;

/// Connections through the cluster at once: a session, and the second one that a pooler is recognised by.
const AT_ONCE: usize = 2;

pub struct DatabaseAccess {
    through_cluster: bool,
    resolve: Vec<Resolve>,
    roots: Option<Roots>,
}

impl DatabaseAccess {
    pub fn read(args: &DatabasesArgs) -> Result<Self, Failure> {
        let resolve = read_resolve(&args.resolve)?;
        let roots = args.ca_certificate.as_deref().map(read_roots).transpose()?;
        Ok(Self { through_cluster: args.through_cluster, resolve, roots })
    }

    async fn to(&self, place: &ConnectionSettings, cluster: &Cluster, target: &Target) -> Result<Way, String> {
        if let Some(address) = Resolve::named(&self.resolve, &place.host, place.port, true) {
            return Ok(Way::To(vec![address]));
        }
        if self.through_cluster { through_cluster(cluster, target, place).await } else { Ok(Way::Direct) }
    }
}

/// Looks at both side by side. What cannot be asked is a finding; nothing is written anywhere.
pub async fn look(session: &Session, snapshot: &Snapshot, mut access: DatabaseAccess) -> Vec<Finding> {
    let expected = Expected::of(snapshot);
    let ui = session.ui();
    for place in [&expected.mas, &expected.synapse].into_iter().flatten() {
        let (secret, key) = &place.password;
        ui.status(format!(
            "{} database: logging in to {} as {} ({}) with the password of Secret {secret}, key {key}",
            place.application.word(),
            place.words(),
            place.user,
            place.application.path()
        ));
    }
    ui.status("Both are only read, each in one read-only transaction.");
    access.roots = roots_or_system(access.roots).await;
    let progress = ui.progress();
    progress.waiting(Waiting::new("asking the databases; a minute at most", ui.terminal().now()));
    let roots = access.roots.as_ref();
    let (mas, synapse) = tokio::join!(
        async {
            let (place, password, way) = prepared(session, &access, &expected, Application::Mas).await?;
            ask_mas(&Login { place, password: &password, way: &way, roots }).await
        },
        async {
            let (place, password, way) = prepared(session, &access, &expected, Application::Synapse).await?;
            let login = Login { place, password: &password, way: &way, roots };
            ask_synapse(&login, expected.server_name.as_deref(), &expected.providers, expected.more_providers).await
        }
    );
    drop(progress);
    let mut found = judge(&expected, &Probed { mas, synapse });
    findings::name_commands(session, &mut found);
    found
}

async fn prepared<'a>(
    session: &Session,
    access: &DatabaseAccess,
    expected: &'a Expected,
    application: Application,
) -> Result<(&'a ConnectionSettings, SecretText, Way), ProbeError> {
    let place = expected.place(application).map_err(|why| ProbeError::NotAsked(why.to_owned()))?;
    let password = password(session, place).await.map_err(ProbeError::NotAsked)?;
    let way = access.to(place, &session.cluster, &session.target).await.map_err(ProbeError::NoWay)?;
    Ok((place, password, way))
}

async fn password(session: &Session, place: &ConnectionSettings) -> Result<SecretText, String> {
    let (name, key) = &place.password;
    let secret = match secret(session, name).await {
        Known::Unreadable(why) => return Err(format!("Secret {name} could not be read: {why}")),
        Known::Known(None) => return Err(format!("there is no Secret {name}")),
        Known::Known(Some((secret, _))) => secret,
    };
    let value = secret.data.get(key).ok_or_else(|| format!("Secret {name} has no key {key}"))?;
    let password = PostgresPassword::parse(value.expose()).map_err(|error| error.to_string())?;
    Ok(password.value().clone())
}

/// From a database's host to a pod of its Service, and there by port-forward; a sentence where there is no way.
async fn through_cluster(cluster: &Cluster, target: &Target, place: &ConnectionSettings) -> Result<Way, String> {
    let host = &place.host;
    let (name, namespace) = route::service_of(host, &target.namespace).ok_or_else(|| {
        format!("{host} is no name of a Service in the cluster, and a port-forward leads nowhere else; try without --through-cluster")
    })?;
    let named = Selection { labels: None, fields: Some(format!("metadata.name={name}")) };
    let services = cluster.list::<Value>(&resource::<Service>(), Some(namespace), named, 1).all().await;
    let services = services.map_err(|error| error.to_string())?;
    let service = services.first().ok_or_else(|| format!("there is no Service {name} in namespace {namespace}"))?;
    let labels = route::selector(service)
        .ok_or_else(|| format!("Service {name} in {namespace} selects no pods, so it leads out of the cluster; try without --through-cluster"))?;
    let labelled = Selection { labels: Some(labels), fields: None };
    let pods = cluster.list::<Value>(&resource::<Pod>(), Some(namespace), labelled, 500).all().await;
    let pods = pods.map_err(|error| error.to_string())?;
    let (pod, port) = route::pod(service, &Port::Number(place.port), &pods)?;
    Ok(to_pod(cluster, namespace, pod, port, &Arc::new(Semaphore::new(AT_ONCE))))
}
