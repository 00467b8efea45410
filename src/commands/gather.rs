//! Reads what the checks look at.

use serde_json::Value;

use super::session::Session;
use super::surroundings::Early;
use crate::checks::surroundings::Surroundings;
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

/// What is known after the first answers.
pub struct Survey {
    /// Complete but for what lies around, and for the MAS Secret where only the record names it.
    pub snapshot: Snapshot,
    wanted: Option<Wanted>,
    early: Option<Early>,
}

/// The MAS Secret, as far as it has not been read.
enum Wanted {
    Secret(String),
    /// It would be one request more than `status` makes.
    TooMuch,
}

/// Name of the Secret where nothing says another one.
pub fn default_secret_name(deployment: &str) -> String {
    format!("{deployment}-mas")
}

impl Session {
    /// Reads everything beside the deployment itself. What cannot be read is not an error: it becomes a finding.
    pub async fn gather(&self, extent: Extent) -> Snapshot {
        let survey = Box::pin(self.survey(extent)).await;
        Box::pin(self.complete(survey)).await
    }

    /// What the object itself leads to, all side by side.
    pub async fn survey(&self, extent: Extent) -> Survey {
        // `status --watch` reads again and again; a line that comes and goes would flicker.
        let _passing = (extent != Extent::Standing).then(|| self.context.asking());
        let named = self.deployment.mas_secret_name().filter(|_| extent != Extent::Standing).map(str::to_owned);
        let (record, features, chart, secret, early) = tokio::join!(
            self.read_record(),
            async {
                match extent {
                    Extent::Standing => Known::Unreadable("it was not read".to_owned()),
                    _ => features(&self.cluster, self.target.api_version).await,
                }
            },
            async {
                match extent {
                    Extent::Standing => None,
                    _ => self.read_chart().await,
                }
            },
            async {
                match &named {
                    Some(name) => Some(secret(&self.cluster, &self.target, name).await),
                    None => None,
                }
            },
            async {
                match extent {
                    // Once the migration is done, nothing of it matters any more.
                    Extent::Step if self.deployment.mas_active() != Some(true) => Some(self.surroundings_early().await),
                    _ => None,
                }
            }
        );
        // `status` makes do with what an earlier step found out, and asks the API server less.
        let chart = chart.or_else(|| record.known()?.as_ref()?.chart.clone());
        let settings = MasSettings::of(&self.deployment)
            .or_else(|| record.known().and_then(|record| record.as_ref()?.settings.clone()));
        let wanted = match &secret {
            Some(_) => None,
            None => self.wanted_secret(extent, &record, settings.as_ref()),
        };
        let snapshot = Snapshot {
            deployment: self.deployment.clone(),
            features,
            secret: secret.unwrap_or(Known::Known(None)),
            record,
            settings,
            chart,
            surroundings: Surroundings::default(),
        };
        Survey { snapshot, wanted, early }
    }

    /// What only the first answers lead to, all side by side as well.
    pub async fn complete(&self, survey: Survey) -> Snapshot {
        let Survey { mut snapshot, wanted, early } = survey;
        let settings = snapshot.settings.as_ref();
        let (secret, surroundings) = tokio::join!(
            async {
                match wanted {
                    Some(Wanted::Secret(name)) => Some(secret(&self.cluster, &self.target, &name).await),
                    Some(Wanted::TooMuch) => Some(Known::Unreadable("it was not read".to_owned())),
                    None => None,
                }
            },
            async {
                match early {
                    Some(early) => self.surroundings(early, settings).await,
                    None => Surroundings::default(),
                }
            }
        );
        snapshot.secret = secret.unwrap_or(snapshot.secret);
        snapshot.surroundings = surroundings;
        snapshot
    }

    /// The MAS Secret that is still to be read.
    fn wanted_secret(
        &self,
        extent: Extent,
        record: &Known<Option<Record>>,
        settings: Option<&MasSettings>,
    ) -> Option<Wanted> {
        let rehearsed =
            record.known().is_some_and(|record| record.as_ref().is_some_and(|record| record.rehearsal.is_some()));
        let affordable = extent != Extent::Standing || self.requests == 1;
        let wanted = extent != Extent::Standing || (self.deployment.mas().is_some() && rehearsed);
        let name = self
            .deployment
            .mas_secret_name()
            .map(str::to_owned)
            .or_else(|| settings.map(|settings| settings.secret_name.clone()));
        match name {
            Some(_) if wanted && !affordable => Some(Wanted::TooMuch),
            Some(name) if wanted => Some(Wanted::Secret(name)),
            _ => None,
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
