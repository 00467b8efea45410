//! Everything the checks look at, gathered beforehand.

use std::borrow::Cow;
use std::collections::BTreeSet;

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
    /// `check`: nothing is written now.
    Look,
    /// `prepare`: the Secret and the record.
    Prepare,
    /// `dry-run`: the MAS component.
    DryRun,
    /// `activate`: the switch.
    Activate,
    Abort,
}

#[derive(Debug, Clone)]
pub struct Snapshot {
    pub deployment: Deployment,
    pub features: Known<Features>,
    /// The MAS Secret; `None` if there is none of that name.
    pub secret: Known<Option<SecretContents>>,
    pub record: Known<Option<Record>>,
    /// The settings of MAS that are in the spec, or about to be.
    pub settings: Option<MasSettings>,
    /// The installed release, where Helm's record or the operator's image tells. Of two, the older one: both take part
    /// in the migration.
    pub chart: Option<ChartRelease>,
    pub components: Components,
    pub environment: Environment,
}

/// The other components' Secrets, what the operator made of Synapse's settings, and DNS.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    pub secrets: Vec<ComponentSecret>,
    /// The Secrets that were not, to keep the number of requests small.
    pub left_out: Vec<String>,
    /// Synapse's configuration as the operator rendered it; empty where none was found.
    pub rendered: Known<Vec<SynapseConfig>>,
    /// DNS; `None` where it was not asked.
    pub resolution: Option<Resolution>,
    /// The hosts of Ingresses that are not the deployment's; empty where Ingresses may not be listed.
    pub other_hosts: Vec<OtherHost>,
}

impl Default for Components {
    fn default() -> Self {
        let rendered = Known::Unreadable("it was not looked at".to_owned());
        Self { secrets: Vec::new(), left_out: Vec::new(), rendered, resolution: None, other_hosts: Vec::new() }
    }
}

/// A host, all of whose requests an Ingress takes that is not the deployment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHost {
    pub host: String,
    /// `namespace/name`
    pub ingress: String,
}

impl OtherHost {
    /// Those of an Ingress: none of one that the operator made for this deployment, nor of a path below a host.
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

/// A component's Secret. Its values are of no interest and are not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentSecret {
    pub name: String,
    /// The names of its keys; `None` if there is no such Secret.
    pub keys: Known<Option<BTreeSet<String>>>,
}

/// What DNS said, asked from where this program runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    pub host: String,
    pub mas: Known<bool>,
    /// The same of Synapse's host, which is in use: where that is not known, nothing follows from the other.
    pub synapse: Option<Known<bool>>,
}

/// The caller, the operator, the owner's tool. Everything may be missing: where it cannot be read, or was not looked at.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The time, by this machine's clock; only to tell a person how old something is.
    pub now: Option<jiff::Timestamp>,
    pub access: Option<Access>,
    pub operator: Option<OperatorDeployment>,
    /// Whether the GitOps tool that owns the manifest puts its own version back by itself.
    pub self_healing: Option<SelfHealing>,
}

/// Name of MAS's Secret where nothing says another one.
pub fn default_secret_name(deployment: &str) -> String {
    format!("{deployment}-mas")
}

impl Snapshot {
    /// The name of MAS's Secret: the deployment's, else the settled one, else the one that `prepare` would take.
    pub fn secret_name(&self) -> String {
        let settled = || self.settings.as_ref().map(|settings| settings.secret_name.clone());
        let named = self.deployment.mas_secret_name().map(str::to_owned).or_else(settled);
        named.unwrap_or_else(|| default_secret_name(self.deployment.name()))
    }

    pub fn secret_keys(&self) -> SecretKeys {
        let none = Features::default();
        SecretKeys::find(&self.deployment, self.features.known().unwrap_or(&none))
    }

    /// What `prepare` settled, if it did. Where the chart has made a Secret from exported values since, and named it, that is
    /// the one that counts, and not the one from which the values were exported.
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

    /// Fingerprint of the encryption secret that MAS has run with, as far as the record knows: that of the dry run, or of a write
    /// that has not been answered yet.
    pub fn encryption_secret_in_use(&self) -> Option<&str> {
        let record = self.recorded()?;
        let pending = record.pending.as_ref().filter(|pending| matches!(pending.step, Step::DryRun | Step::Activate));
        let prints = [
            pending.map(|one| &one.secret_fingerprints),
            record.rehearsal.as_ref().map(|one| &one.secret_fingerprints),
        ];
        let key = self.secret_keys().encryption_secret;
        prints.into_iter().flatten().find_map(|prints| prints.get(&key)).map(String::as_str)
    }

    /// Whether the deployment itself shows that MAS has run: it is migrated, or a dry run of this program wrote the component. A
    /// component that others wrote may still wait for its Secret.
    pub fn mas_has_run(&self) -> bool {
        self.deployment.mas_active() == Some(true) || self.deployment.active_is_ours()
    }

    pub fn recorded(&self) -> Option<&Record> {
        self.record.known()?.as_ref()
    }
}
