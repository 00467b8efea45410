//! Reads the objects that the checks need.

use std::sync::PoisonError;

use futures::future::OptionFuture;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::connect::Session;
use super::reading::{Extent, Refusal, note_refused, read_secret};
use super::{components, environment};
use crate::checks::access::Permission;
use crate::checks::tls::TypedSecret;
use crate::checks::{Components, Environment, Known, Snapshot};
use crate::cluster::{ApiVersion, Cluster, ClusterError, Selection, qualified, resource};
use crate::deployment::{Deployment, Features};
use crate::plan::{MasSettings, SecretContents};
use crate::record::{Record, record_name};

impl Session {
    /// Reads everything except the deployment itself. An object that can't be read becomes a finding, not an error.
    pub async fn gather(&self, extent: Extent) -> Snapshot {
        self.gather_with(extent, async |_| ()).await.0
    }

    /// Like [`Self::gather`], and runs `more` concurrently with the second round, on the result of the first.
    pub async fn gather_with<T>(&self, extent: Extent, more: impl AsyncFnOnce(&Snapshot) -> T) -> (Snapshot, T) {
        // `status --watch` reads repeatedly; a transient line would flicker.
        let _passing = (extent != Extent::Status).then(|| self.context.asking());
        // On the heap: the futures hold many requests.
        let mut snapshot = Box::pin(self.first_round(extent)).await;
        let ((secret, refused), reviews, configured, more) = Box::pin(async {
            tokio::join!(
                self.second_round(extent, &snapshot),
                environment::ask_for_the_rest(self, &snapshot),
                components::finish(self, extent, &snapshot),
                more(&snapshot)
            )
        })
        .await;
        (snapshot.secret, snapshot.components) = (secret, configured);
        if let Some(access) = &mut snapshot.environment.access {
            access.reviews = reviews;
        }
        note_refused(&mut snapshot, refused);
        (snapshot, more)
    }

    async fn first_round(&self, extent: Extent) -> Snapshot {
        self.secrets.forget();
        let prefetched = self.prefetched.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prefetched = prefetched.map(|prefetched| {
            self.secrets.put(prefetched.secret.0, prefetched.secret.1);
            prefetched.record
        });
        let step = extent != Extent::Status;
        let ((record, record_refused), schema, seen, configured) = tokio::join!(
            self.record_and_refusal(prefetched),
            OptionFuture::from(step.then(|| features(&self.cluster, self.target.api_version))),
            OptionFuture::from(step.then(|| environment::read(self))),
            components::begin(self, extent),
        );
        let (features, features_refused) = schema.unwrap_or_else(|| (not_read(), Refusal::No));
        let (environment, chart) = seen.unwrap_or_default();
        // Without a readable release, the version that an earlier command recorded.
        let chart = chart.or_else(|| self.release.clone()).or_else(|| record.known()?.as_ref()?.chart.clone());
        let settings = MasSettings::of(&self.deployment)
            .or_else(|| record.known().and_then(|record| record.as_ref()?.settings.clone()));
        let mut snapshot = Snapshot {
            deployment: self.deployment.clone(),
            features,
            secret: Known::Known(None),
            record,
            settings,
            chart,
            environment,
            components: configured,
        };
        note_refused(&mut snapshot, record_refused);
        note_refused(&mut snapshot, features_refused);
        snapshot
    }

    /// Reads the MAS Secret, whose name may be known only from the record. `status` has read it already under its default name.
    async fn second_round(&self, extent: Extent, snapshot: &Snapshot) -> (Known<Option<SecretContents>>, Refusal) {
        let after_dry_run = snapshot.recorded().is_some_and(|record| record.dry_run.is_some());
        if extent == Extent::Status && !after_dry_run {
            return (not_read(), Refusal::No);
        }
        let (look, refusal) = self.secrets.get(&self.cluster, &self.target, &snapshot.secret_name()).await;
        (contents(look), refusal)
    }

    /// The MAS Secret as of the last [`Self::gather`].
    pub async fn mas_secret(&self, snapshot: &Snapshot) -> Known<Option<SecretContents>> {
        contents(self.secrets.get(&self.cluster, &self.target, &snapshot.secret_name()).await.0)
    }

    pub async fn read_record(&self) -> Known<Option<Record>> {
        self.record_and_refusal(None).await.0
    }

    async fn record_and_refusal(
        &self,
        prefetched: Option<Result<Option<Value>, ClusterError>>,
    ) -> (Known<Option<Record>>, Refusal) {
        let name = record_name(&self.target.name);
        let read = match prefetched {
            Some(read) => read,
            None => self.cluster.find_config_map(&self.target.namespace, &name).await,
        };
        match read {
            Ok(map) => (map.map(|map| Record::read(&map, &self.deployment)).transpose().into(), Refusal::No),
            Err(error) => {
                (Known::Unreadable(error.to_string()), Refusal::of(&error, || Permission::config_map("get", &name)))
            }
        }
    }

    pub async fn read_secret(&self, name: &str) -> Known<Option<SecretContents>> {
        contents(read_secret(&self.cluster, &self.target.namespace, name).await.0)
    }
}

/// The snapshot of a deployment and its record, without further requests.
pub fn unread(deployment: Deployment, record: Option<Record>) -> Snapshot {
    let settings = MasSettings::of(&deployment).or_else(|| record.as_ref()?.settings.clone());
    Snapshot {
        deployment,
        features: not_read(),
        secret: not_read(),
        record: Known::Known(record),
        settings,
        chart: None,
        environment: Environment::default(),
        components: Components::default(),
    }
}

fn not_read<T>() -> Known<T> {
    Known::Unreadable("it was not read".to_owned())
}

fn contents(look: TypedSecret) -> Known<Option<SecretContents>> {
    look.map(|found| found.map(|(contents, _)| contents))
}

/// Reads the published OpenAPI schema. Right after the CRD was installed it may be missing; then the CRD itself is read, if
/// permitted.
async fn features(cluster: &Cluster, version: ApiVersion) -> (Known<Features>, Refusal) {
    let (why, refusal) = match cluster.deployment_schema(version).await {
        Ok(Some(schema)) => return (Known::Known(Features::read(&schema)), Refusal::No),
        Ok(None) => ("the API server publishes no schema of it".to_owned(), Refusal::No),
        Err(error) => (error.to_string(), Refusal::of(&error, || Permission::path(Cluster::schema_path(version)))),
    };
    let definition = resource::<CustomResourceDefinition>();
    let name = format!("metadata.name={}", qualified(&version.resource()));
    let selection = Selection { labels: None, fields: Some(name) };
    let definitions = cluster.list::<Value>(&definition, None, selection, 1).all().await.unwrap_or_default();
    let versions = definitions.first().and_then(|found| found["spec"]["versions"].as_array());
    match versions.into_iter().flatten().find(|served| served["name"] == version.as_str()) {
        Some(served) => (Known::Known(Features::read(&served["schema"]["openAPIV3Schema"])), Refusal::No),
        None => (Known::Unreadable(why), refusal),
    }
}
