//! The objects that `status` reads concurrently with the deployment, by their default names: over a slow link an unneeded request
//! costs less than another round trip.

use k8s_openapi::api::apps::v1;
use serde_json::Value;

use super::reading::Refusal;
use super::secrets;
use crate::checks::tls::TypedSecret;
use crate::cluster::{Cluster, ClusterError, Selection, resource};
use crate::deployment::{ChartRelease, Deployment, OperatorDeployment};
use crate::record::record_name;

pub struct Ahead {
    pub record: Result<Option<Value>, ClusterError>,
    /// The default name of the MAS Secret, and the Secret.
    pub secret: (String, (TypedSecret, Refusal)),
    /// The Secrets of all Helm releases in the namespace.
    releases: Vec<Value>,
    operator: Option<OperatorDeployment>,
}

impl Ahead {
    pub async fn ask(cluster: &Cluster, namespace: &str, deployment: &str, secret: String) -> Self {
        let record = record_name(deployment);
        let (record, read, releases, operator) = tokio::join!(
            cluster.find_config_map(namespace, &record),
            secrets::read(cluster, namespace, &secret),
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

/// The older one of the chart and the operator's image.
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
