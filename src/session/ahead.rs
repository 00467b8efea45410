//! What `status` asks for at the same time as for the deployment, by the names that things mostly have: over a slow link a request
//! that is not needed costs less than another round.

use serde_json::Value;

use super::environment;
use super::reading::Refusal;
use super::secrets;
use crate::checks::tls::TypedSecret;
use crate::cluster::{Cluster, ClusterError};
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
            environment::operator(cluster, namespace, None),
        );
        Self { record, secret: (secret, read), releases: releases.unwrap_or_default(), operator }
    }

    /// The installed release, as Helm's Secret or the operator's image tells.
    pub fn release(&self, deployment: &Deployment) -> Option<ChartRelease> {
        let rendered_by = deployment.helm_release().map(|release| release.name);
        let name = |secret: &&Value| secret["metadata"]["labels"]["name"].as_str() == rendered_by.as_deref();
        let mut own = self.releases.iter().filter(|_| rendered_by.is_some()).filter(name);
        environment::release(own.find_map(ChartRelease::of_helm_secret), self.operator.as_ref())
    }
}
