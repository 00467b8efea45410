//! How much a command reads of a deployment, which reads were refused, the Secrets, each of which is read once, and what
//! `status` reads ahead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::apps::v1;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::checks::access::Permission;
use crate::checks::tls::TypedSecret;
use crate::checks::{Known, Snapshot};
use crate::cluster::{Cluster, ClusterError, ErrorKind, Selection, Target, resource};
use crate::deployment::{ChartRelease, Deployment, OperatorDeployment};
use crate::plan::SecretContents;
use crate::record::record_name;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For `status`: the record, and the MAS Secret if a dry run depends on it.
    Status,
    /// For `abort`: also the schema and the caller's permissions.
    Abort,
    /// For `check`: also the environment, within its limit of requests.
    Check,
    /// For a step: everything, however many Secrets the components have.
    Step,
}

/// Whether a read was refused for lack of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not refused, or failed for another reason.
    No,
    Missing(Permission),
    /// The API server no longer accepts the credentials.
    LoggedOut,
}

impl Refusal {
    pub fn of(error: &ClusterError, right: impl FnOnce() -> Permission) -> Self {
        match error.kind() {
            ErrorKind::Forbidden { .. } => Self::Missing(right()),
            ErrorKind::Unauthorized => Self::LoggedOut,
            _ => Self::No,
        }
    }
}

pub fn note_refused(snapshot: &mut Snapshot, refusal: Refusal) {
    let access = &mut snapshot.environment.access;
    match (refusal, access) {
        (Refusal::Missing(right), Some(access)) => access.refused.push(right),
        (Refusal::LoggedOut, Some(access)) => access.logged_out = true,
        _ => {}
    }
}

#[derive(Default)]
pub struct SecretReads(Mutex<HashMap<String, Cell>>);

type Cell = Arc<OnceCell<(TypedSecret, Refusal)>>;

impl SecretReads {
    pub fn forget(&self) {
        self.cells().clear();
    }

    /// The Secret of that name in the deployment's namespace, read now or by an earlier call.
    pub async fn get(&self, cluster: &Cluster, target: &Target, name: &str) -> (TypedSecret, Refusal) {
        let cell = Arc::clone(self.cells().entry(name.to_owned()).or_default());
        cell.get_or_init(|| read_secret(cluster, &target.namespace, name)).await.clone()
    }

    pub fn put(&self, name: String, read: (TypedSecret, Refusal)) {
        self.cells().insert(name, Arc::new(OnceCell::new_with(Some(read))));
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, HashMap<String, Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn read_secret(cluster: &Cluster, namespace: &str, name: &str) -> (TypedSecret, Refusal) {
    match cluster.find_secret(namespace, name).await {
        Ok(found) => {
            let look = found.map(|object| {
                let kind = object["type"].as_str().unwrap_or("Opaque").to_owned();
                (SecretContents::read(object), kind)
            });
            (Known::Known(look), Refusal::No)
        }
        Err(error) => (Known::Unreadable(error.to_string()), Refusal::of(&error, || Permission::secret("get", name))),
    }
}

/// The objects that `status` reads concurrently with the deployment, by their default names: over a slow link an unneeded request
/// costs less than another round trip.
pub struct Prefetched {
    pub record: Result<Option<Value>, ClusterError>,
    /// The default name of the MAS Secret, and the Secret.
    pub secret: (String, (TypedSecret, Refusal)),
    releases: Vec<Value>,
    operator: Option<OperatorDeployment>,
}

impl Prefetched {
    pub async fn ask(cluster: &Cluster, namespace: &str, deployment: &str, secret: String) -> Self {
        let record = record_name(deployment);
        let (record, read, releases, operator) = tokio::join!(
            cluster.find_config_map(namespace, &record),
            read_secret(cluster, namespace, &secret),
            cluster.helm_releases(namespace, None),
            operator(cluster, namespace, None),
        );
        Self { record, secret: (secret, read), releases: releases.unwrap_or_default(), operator }
    }

    /// The installed release, from Helm's Secret or the operator's image.
    pub fn release(&self, deployment: &Deployment) -> Option<ChartRelease> {
        let rendered_by = deployment.helm_release().map(|release| release.name);
        let name = |secret: &&Value| secret["metadata"]["labels"]["name"].as_str() == rendered_by.as_deref();
        let mut own = self.releases.iter().filter(|_| rendered_by.is_some()).filter(name);
        release(own.find_map(ChartRelease::of_helm_secret), self.operator.as_ref())
    }
}

pub fn release(chart: Option<ChartRelease>, operator: Option<&OperatorDeployment>) -> Option<ChartRelease> {
    match (chart, operator.and_then(|operator| operator.release.clone())) {
        (Some(chart), Some(image)) => Some(chart.older_of(image)),
        (chart, image) => chart.or(image),
    }
}

/// The operator's Deployment, by its known names, in all namespaces: it usually has one of its own.
pub async fn operator(cluster: &Cluster, namespace: &str, release: Option<&str>) -> Option<OperatorDeployment> {
    let selection = Selection { labels: Some(OperatorDeployment::selector(release)), fields: None };
    let all = cluster.list::<Value>(&resource::<v1::Deployment>(), None, selection, 50).all().await.ok()?;
    OperatorDeployment::find(&all, namespace)
}
