//! What `status` asks for at the same time as for the deployment, by the names that things mostly have: over a slow link a request
//! that is not needed costs less than another round.

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
    /// The name of the Secret that MAS most likely has, and the Secret.
    pub secret: (String, (TypedSecret, Refusal)),
    /// All releases of the namespace, by their Secrets.
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

    /// The installed release, as Helm's Secret or the operator's image tells.
    pub fn release(&self, deployment: &Deployment) -> Option<ChartRelease> {
        let rendered_by = deployment.helm_release().map(|release| release.name);
        let name = |secret: &&Value| secret["metadata"]["labels"]["name"].as_str() == rendered_by.as_deref();
        let mut own = self.releases.iter().filter(|_| rendered_by.is_some()).filter(name);
        release(own.find_map(ChartRelease::of_helm_secret), self.operator.as_ref())
    }
}

/// Of the chart and the operator's image, what holds the migration back.
pub fn release(chart: Option<ChartRelease>, operator: Option<&OperatorDeployment>) -> Option<ChartRelease> {
    match (chart, operator.and_then(|operator| operator.release.clone())) {
        (Some(chart), Some(image)) => Some(chart.older_of(image)),
        (chart, image) => chart.or(image),
    }
}

/// The operator's Deployment, by the names that it may have. In all namespaces: it mostly lives in one of its own.
pub async fn operator(cluster: &Cluster, namespace: &str, release: Option<&str>) -> Option<OperatorDeployment> {
    let selection = Selection { labels: Some(OperatorDeployment::selector(release)), fields: None };
    let all = cluster.list::<Value>(&resource::<v1::Deployment>(), None, selection, 50).all().await.ok()?;
    OperatorDeployment::find(&all, namespace)
}
