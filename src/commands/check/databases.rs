//! `check --databases`: logs in to both databases with the credentials in the spec, and checks them.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::ServiceBackendPort;
use tokio::sync::Semaphore;

use crate::answers::postgres::ProbeError;
use crate::checks::databases::{Application, ConnectionSettings, Expected, Probed, judge};
use crate::checks::{Finding, Known, Snapshot};
use crate::cli::DatabasesArgs;
use crate::cluster::{Selection, resource};
use crate::deployment::route;
use crate::error::Failure;
use crate::net::dial::{Resolve, Way};
use crate::net::postgres::{Login, ask_mas, ask_synapse};
use crate::net::tls::Roots;
use crate::secrets::{PostgresPassword, SecretText};
use crate::session::Session;
use crate::session::certificate::secret;
use crate::session::endpoints::through::to_pod;
use crate::session::inputs::{read_resolve, read_roots, roots_or_system};
use crate::terminal::progress::Waiting;

/// Concurrent port-forwards: one for the session, and one for the test of a pooler.
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
}

/// Checks both databases concurrently, without writing. Failures become findings.
pub async fn check(session: &Session, snapshot: &Snapshot, mut access: DatabaseAccess) -> Vec<Finding> {
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
    ui.status("Each database is read in one read-only transaction.");
    access.roots = roots_or_system(access.roots).await;
    let progress = ui.progress();
    progress.waiting(Waiting::new("checking the databases; takes at most a minute", ui.terminal.now()));
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
    session.complete_findings(&mut found);
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
    let way = match Resolve::named(&access.resolve, &place.host, place.port, true) {
        Some(address) => Way::To(vec![address]),
        None if access.through_cluster => through_cluster(session, place).await.map_err(ProbeError::NoWay)?,
        None => Way::Direct,
    };
    Ok((place, password, way))
}

async fn password(session: &Session, place: &ConnectionSettings) -> Result<SecretText, String> {
    let (name, key) = &place.password;
    let secret = match secret(session, name).await {
        Known::Unreadable(why) => return Err(format!("Secret {name} couldn't be read: {why}")),
        Known::Known(None) => return Err(format!("Secret {name} doesn't exist")),
        Known::Known(Some((secret, _))) => secret,
    };
    let value = secret.data.get(key).ok_or_else(|| format!("Secret {name} has no key {key}"))?;
    let password = PostgresPassword::parse(value.expose()).map_err(|error| error.to_string())?;
    Ok(password.value().clone())
}

/// A port-forward to a pod of the database's Service; the error is a sentence.
async fn through_cluster(Session { cluster, target, .. }: &Session, place: &ConnectionSettings) -> Result<Way, String> {
    let host = &place.host;
    let (name, namespace) = route::service_of(host, &target.namespace).ok_or_else(|| {
        format!(
            "{host} is not a Service in the cluster, so no port-forward is possible; check without --through-cluster"
        )
    })?;
    let named = Selection { labels: None, fields: Some(format!("metadata.name={name}")) };
    let services = cluster.list::<Service>(&resource::<Service>(), Some(namespace), named, 1).all().await;
    let services = services.map_err(|error| error.to_string())?;
    let service = services.first().ok_or_else(|| format!("Service {name} doesn't exist in namespace {namespace}"))?;
    let labels = route::selector(service)
        .ok_or_else(|| format!("Service {name} in {namespace} selects no pods; check without --through-cluster"))?;
    let labelled = Selection { labels: Some(labels), fields: None };
    let pods = cluster.list::<Pod>(&resource::<Pod>(), Some(namespace), labelled, 500).all().await;
    let pods = pods.map_err(|error| error.to_string())?;
    let port = ServiceBackendPort { number: Some(place.port.into()), name: None };
    let (pod, port) = route::pod(service, &port, &pods)?;
    Ok(to_pod(cluster, namespace, pod, port, &Arc::new(Semaphore::new(AT_ONCE))))
}
