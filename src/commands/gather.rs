//! Reads what the checks look at.

use serde_json::Value;

use super::configured;
use super::session::Session;
use crate::checks::{Known, Snapshot};
use crate::cluster::{ApiVersion, Cluster, ClusterError, Resource, Selection, Target};
use crate::deployment::{ChartRelease, Deployment, Features, Owner};
use crate::plan::{MasSettings, SecretContents};
use crate::record::{Record, record_name};

/// How much to read. Nothing is read that is not shown or judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For `status`: the record, and the Secret where a rehearsal hangs on it.
    Standing,
    /// For going back: the schema as well.
    Back,
    /// For a step: also what lies around.
    Step,
}

/// Name of the Secret where nothing says another one.
pub fn default_secret_name(deployment: &str) -> String {
    format!("{deployment}-mas")
}

impl Session {
    /// Reads everything beside the deployment itself. What cannot be read is not an error: it becomes a finding.
    pub async fn gather(&self, extent: Extent) -> Snapshot {
        self.gather_with(extent, async |_| ()).await.0
    }

    /// The same, and `more` at the same time as the last requests, with what was known before them.
    pub async fn gather_with<T>(&self, extent: Extent, more: impl AsyncFnOnce(&Snapshot) -> T) -> (Snapshot, T) {
        // On the heap: they hold many requests at once.
        let mut snapshot = Box::pin(self.first_round(extent)).await;
        let (secret, configured, more) = Box::pin(async {
            tokio::join!(
                self.second_round(extent, &snapshot),
                configured::finish(self, extent, &snapshot),
                more(&snapshot)
            )
        })
        .await;
        (snapshot.secret, snapshot.configured) = (secret, configured);
        (snapshot, more)
    }

    /// The requests that depend on nothing but the deployment, all at once.
    async fn first_round(&self, extent: Extent) -> Snapshot {
        let step = extent != Extent::Standing;
        let (record, features, chart, configured) = tokio::join!(
            self.read_record(),
            async {
                if step {
                    features(&self.cluster, self.target.api_version).await
                } else {
                    Known::Unreadable("it was not read".to_owned())
                }
            },
            async { if step { self.read_chart().await } else { None } },
            configured::begin(self, extent),
        );
        // `status` makes do with what an earlier step found out, and asks the API server less.
        let chart = chart.or_else(|| record.known()?.as_ref()?.chart.clone());
        let settings = MasSettings::of(&self.deployment)
            .or_else(|| record.known().and_then(|record| record.as_ref()?.settings.clone()));
        let secret = Known::Known(None);
        Snapshot { deployment: self.deployment.clone(), features, secret, record, settings, chart, configured }
    }

    /// The MAS Secret: only the record may tell its name.
    async fn second_round(&self, extent: Extent, snapshot: &Snapshot) -> Known<Option<SecretContents>> {
        let rehearsed = snapshot.recorded().is_some_and(|record| record.rehearsal.is_some());
        let step = extent != Extent::Standing;
        let affordable = step || self.requests == 1;
        let wanted = step || (self.deployment.mas().is_some() && rehearsed);
        let settled = || snapshot.settings.as_ref().map(|settings| settings.secret_name.clone());
        match self.deployment.mas_secret_name().map(str::to_owned).or_else(settled) {
            Some(_) if wanted && !affordable => Known::Unreadable("it was not read".to_owned()),
            Some(name) if wanted => secret(&self.cluster, &self.target, &name).await,
            _ => Known::Known(None),
        }
    }

    /// The installed chart, where Helm owns the deployment and its release may be read.
    async fn read_chart(&self) -> Option<ChartRelease> {
        let Owner::Helm(release) = self.deployment.owner() else { return None };
        let namespace = release.namespace.as_deref().unwrap_or(&self.target.namespace);
        let secrets = self.cluster.helm_releases(namespace, Some(&release.name)).await.ok()?;
        secrets.iter().find_map(ChartRelease::of_helm_secret)
    }

    /// Reads the record.
    pub async fn read_record(&self) -> Known<Option<Record>> {
        let name = record_name(&self.target.name);
        match self.cluster.find_config_map(&self.target.namespace, &name).await {
            Ok(Some(map)) => record(&map, &self.deployment),
            Ok(None) => Known::Known(None),
            Err(error) => unreadable(&error),
        }
    }

    /// Reads the Secret of that name.
    pub async fn read_secret(&self, name: &str) -> Known<Option<SecretContents>> {
        secret(&self.cluster, &self.target, name).await
    }
}

fn record(map: &Value, deployment: &Deployment) -> Known<Option<Record>> {
    match Record::read(map, deployment) {
        Ok(record) => Known::Known(Some(record)),
        Err(error) => Known::Unreadable(error.to_string()),
    }
}

async fn secret(cluster: &Cluster, target: &Target, name: &str) -> Known<Option<SecretContents>> {
    match cluster.find_secret(&target.namespace, name).await {
        Ok(found) => Known::Known(found.map(SecretContents::read)),
        Err(error) => unreadable(&error),
    }
}

/// The published schema; right after the resource definition was installed it may not be there yet, and then the
/// definition itself is read, where that is allowed.
async fn features(cluster: &Cluster, version: ApiVersion) -> Known<Features> {
    let why = match cluster.deployment_schema(version).await {
        Ok(Some(schema)) => return Known::Known(Features::read(&schema)),
        Ok(None) => "the API server publishes no schema of it".to_owned(),
        Err(error) => error.to_string(),
    };
    let definition = Resource {
        group: "apiextensions.k8s.io",
        version: "v1",
        plural: "customresourcedefinitions",
        kind: "CustomResourceDefinition",
    };
    let name = format!("metadata.name={}", version.resource().qualified());
    let selection = Selection { labels: None, fields: Some(name) };
    let definitions = cluster.list::<Value>(definition, None, selection, 1).all().await.unwrap_or_default();
    let versions = definitions.first().and_then(|found| found["spec"]["versions"].as_array());
    match versions.into_iter().flatten().find(|served| served["name"] == version.as_str()) {
        Some(served) => Known::Known(Features::read(&served["schema"]["openAPIV3Schema"])),
        None => Known::Unreadable(why),
    }
}

/// What could not be read, in words.
pub fn unreadable<T>(error: &ClusterError) -> Known<T> {
    Known::Unreadable(error.to_string())
}
