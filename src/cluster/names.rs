//! Names for completion: whatever can be had, and nothing where it cannot.

use k8s_openapi::api::core::v1::Namespace;
use kube::config::Kubeconfig;
use serde_json::Value;

use super::choose::metadata;
use super::client::connect::Cluster;
use super::config::flags::ConnectionFlags;
use super::config::kubeconfig::{load, of_process};
use super::errors::{ClusterError, ErrorKind};
use super::list::Selection;
use super::resource::{ApiVersion, resource};

/// The kubeconfig that these flags and `KUBECONFIG` lead to.
pub fn kubeconfig_entries(flags: &ConnectionFlags) -> Result<Kubeconfig, ClusterError> {
    Ok(load(flags, &of_process)?.0)
}

impl Cluster {
    pub async fn namespace_names(&self) -> Result<Vec<String>, ClusterError> {
        let all = self.list::<Value>(&resource::<Namespace>(), None, Selection::default(), 500).metadata_only();
        Ok(all.all().await?.iter().map(|namespace| metadata(namespace, "name")).collect())
    }

    /// The deployments that a command could mean: those of the namespace, or of all of them where that one has none and was
    /// not asked for.
    pub async fn deployment_names(&self) -> Result<Vec<String>, ClusterError> {
        for version in ApiVersion::ALL {
            let mut found = match self.names(version, Some(self.namespace())).await {
                Err(error) if *error.kind() == ErrorKind::NoSuchApi => continue,
                other => other?,
            };
            if found.is_empty() && !self.namespace_given() {
                found = self.names(version, None).await?;
            }
            let mut names: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
            names.sort();
            names.dedup();
            return Ok(names);
        }
        Ok(Vec::new())
    }
}
