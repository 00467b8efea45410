//! Everything the checks look at, gathered beforehand.

use std::borrow::Cow;

use super::access::Access;
use super::configured::Configured;
use crate::deployment::{ChartRelease, Deployment, Features, OperatorDeployment};
use crate::plan::export::is_chart_secret;
use crate::plan::{MasSettings, SecretContents, SecretKeys};
use crate::record::Record;

/// The step that the findings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `check`: nothing is written now.
    Look,
    /// `prepare`: the Secret and the record.
    Prepare,
    /// `dry-run`: the MAS component.
    DryRun,
    /// `activate`: the switch.
    Activate,
    /// `abort`.
    Abort,
}

/// Something that may not have been readable.
#[derive(Debug, Clone, PartialEq)]
pub enum Known<T> {
    Known(T),
    /// It was not; a sentence says why.
    Unreadable(String),
}

impl<T> Known<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}

/// What was read from the cluster for one deployment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub deployment: Deployment,
    pub features: Known<Features>,
    /// The MAS Secret; `None` if there is none of that name.
    pub secret: Known<Option<SecretContents>>,
    /// The record; `None` if there is none.
    pub record: Known<Option<Record>>,
    /// The settings of MAS that are in the spec, or about to be.
    pub settings: Option<MasSettings>,
    /// The installed release, where Helm's record or the operator's image tells. Of two, the older one: both take part
    /// in the migration.
    pub chart: Option<ChartRelease>,
    /// What lies around it in the cluster, and what DNS knows.
    pub configured: Configured,
    /// What else bears on a step: the caller, the operator, the owner's tool.
    pub circumstances: Circumstances,
}

/// What else bears on a step. Everything in here may be missing: where it cannot be read, or was not looked at.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The time, by this machine's clock; only to tell a person how old something is.
    pub now: Option<jiff::Timestamp>,
    pub access: Option<Access>,
    pub operator: Option<OperatorDeployment>,
    /// Whether the GitOps tool that owns the manifest puts its own version back by itself.
    pub healing: Option<Healing>,
}

/// Whether a GitOps tool puts its own version of an object back without anybody starting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healing {
    ByItself,
    /// It does not, for this reason (completes "it does not do so by itself, because …"); a later sync still does.
    NotByItself(String),
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

    /// The names of the Secret's keys.
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

    /// The record, if there is a readable one.
    pub fn recorded(&self) -> Option<&Record> {
        self.record.known()?.as_ref()
    }
}
