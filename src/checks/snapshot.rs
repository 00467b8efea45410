//! The input of the checks, read before they start.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::access::Access;
use super::self_healing::SelfHealing;
use super::synapse::scan::SynapseConfig;
use crate::answers::Known;
use crate::deployment::{ChartRelease, Deployment, Features, OperatorDeployment};
use crate::plan::export::is_chart_secret;
use crate::plan::{MasSettings, SecretContents, SecretKeys};
use crate::record::{Record, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `check`: writes nothing.
    Check,
    /// `prepare`: writes the Secret and the record.
    Prepare,
    /// `dry-run`: adds the MAS component.
    DryRun,
    /// `activate`: sets `config.active`.
    Activate,
    Abort,
}

#[derive(Debug, Clone)]
pub struct Snapshot {
    pub deployment: Deployment,
    pub features: Known<Features>,
    /// The MAS Secret; `None` if it doesn't exist.
    pub secret: Known<Option<SecretContents>>,
    pub record: Known<Option<Record>>,
    /// MAS's settings: from the spec, else the prepared ones.
    pub settings: Option<MasSettings>,
    /// The installed release, from Helm's record or the operator's image. If they differ, the older one: both take part in
    /// the migration.
    pub chart: Option<ChartRelease>,
    pub components: Components,
    pub environment: Environment,
}

/// The other components' Secrets, Synapse's rendered configuration, and DNS.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    pub secrets: Vec<ComponentSecret>,
    /// Secrets that were not read, to limit the number of requests.
    pub left_out: Vec<String>,
    /// Synapse's configuration as rendered by the operator; empty if none was found.
    pub rendered: Known<Vec<SynapseConfig>>,
    /// `None` without a DNS query.
    pub resolution: Option<Resolution>,
    /// Hosts of Ingresses outside the deployment; empty if Ingresses can't be listed.
    pub other_hosts: Vec<OtherHost>,
}

impl Default for Components {
    fn default() -> Self {
        let rendered = Known::Unreadable("it was not read".to_owned());
        Self { secrets: Vec::new(), left_out: Vec::new(), rendered, resolution: None, other_hosts: Vec::new() }
    }
}

/// A host whose requests all go to an Ingress outside the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHost {
    pub host: String,
    /// `namespace/name`
    pub ingress: String,
}

impl OtherHost {
    /// The hosts of an Ingress. None if the operator created it for this deployment, or if it routes only some paths.
    pub fn of_ingress(ingress: &Value, deployment: &Deployment) -> Vec<Self> {
        let text = |key: &str| ingress["metadata"][key].as_str().unwrap_or_default();
        let (namespace, name) = (text("namespace"), text("name"));
        let mut owners = ingress["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        let by_operator =
            owners.any(|owner| owner["apiVersion"].as_str().is_some_and(|api| api.contains("element.io/")));
        if namespace == deployment.namespace() && (by_operator || name.starts_with(deployment.name())) {
            return Vec::new();
        }
        let rules = ingress["spec"]["rules"].as_array().into_iter().flatten();
        let whole = rules.filter(|rule| {
            let mut paths = rule["http"]["paths"].as_array().into_iter().flatten();
            paths.any(|path| matches!(path["path"].as_str(), None | Some("" | "/" | "/*")))
        });
        let hosts = whole.filter_map(|rule| rule["host"].as_str());
        hosts.map(|host| Self { host: host.to_owned(), ingress: format!("{namespace}/{name}") }).collect()
    }
}

/// The names of the keys in a component's Secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentSecret {
    pub name: String,
    /// `None` if the Secret doesn't exist.
    pub keys: Known<Option<BTreeSet<String>>>,
}

/// Results of DNS queries from this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    pub host: String,
    pub mas: Known<bool>,
    /// Synapse's host, which is in use. If it doesn't resolve here, the result for MAS means nothing.
    pub synapse: Option<Known<bool>>,
}

/// The caller, the operator and the manifest's owner. `None` if unreadable or not read.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The time on this machine's clock; only to show ages.
    pub now: Option<jiff::Timestamp>,
    pub access: Option<Access>,
    pub operator: Option<OperatorDeployment>,
    pub self_healing: Option<SelfHealing>,
}

/// Default name of MAS's Secret.
pub fn default_secret_name(deployment: &str) -> String {
    format!("{deployment}-mas")
}

impl Snapshot {
    /// Name of MAS's Secret: from the spec, else from the settings, else `prepare`'s default.
    pub fn secret_name(&self) -> String {
        let settled = || self.settings.as_ref().map(|settings| settings.secret_name.clone());
        let named = self.deployment.mas_secret_name().map(str::to_owned).or_else(settled);
        named.unwrap_or_else(|| default_secret_name(self.deployment.name()))
    }

    pub fn secret_keys(&self) -> SecretKeys {
        let none = Features::default();
        SecretKeys::find(&self.deployment, self.features.known().unwrap_or(&none))
    }

    /// The settings that `prepare` stored. If the chart has created a Secret from exported values since, its name replaces
    /// that of the exported Secret.
    pub fn settled(&self) -> Option<Cow<'_, MasSettings>> {
        let settled = self.recorded()?.settings.as_ref()?;
        let release = self.deployment.annotation("meta.helm.sh/release-name");
        let charts = self.deployment.mas_secret_name().filter(|name| {
            *name != settled.secret_name
                && is_chart_secret(name, release)
                && matches!(self.secret, Known::Known(Some(_)))
        });
        Some(match charts {
            Some(name) => Cow::Owned(MasSettings { secret_name: name.to_owned(), ..settled.clone() }),
            None => Cow::Borrowed(settled),
        })
    }

    /// Fingerprint of the encryption secret that MAS ran with, from the record: that of a pending write, else of the dry run.
    pub fn encryption_secret_in_use(&self) -> Option<&str> {
        let record = self.recorded()?;
        let pending = record.pending.as_ref().filter(|pending| matches!(pending.step, Step::DryRun | Step::Activate));
        let prints =
            [pending.map(|one| &one.secret_fingerprints), record.dry_run.as_ref().map(|one| &one.secret_fingerprints)];
        let key = self.secret_keys().encryption_secret;
        prints.into_iter().flatten().find_map(|prints| prints.get(&key)).map(String::as_str)
    }

    /// The keyed digest of the Secret's contents, and its fingerprints.
    pub fn secret_digests(&self) -> (Option<String>, BTreeMap<String, String>) {
        let keys = self.secret_keys();
        let secret = self.secret.known().and_then(Option::as_ref);
        let digest = secret.and_then(|secret| secret.digest(&keys)).map(|digest| format!("{digest:#}"));
        (digest, secret.map(|secret| secret.fingerprints(&keys)).unwrap_or_default())
    }

    /// Whether the deployment shows that MAS has run: it is migrated, or this program's dry run wrote the component. A
    /// component from another writer may still wait for its Secret.
    pub fn mas_has_run(&self) -> bool {
        self.deployment.mas_active() == Some(true) || self.deployment.active_is_ours()
    }

    pub fn recorded(&self) -> Option<&Record> {
        self.record.known()?.as_ref()
    }
}
