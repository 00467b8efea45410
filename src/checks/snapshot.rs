//! Everything the checks look at, gathered beforehand.

use super::surroundings::Surroundings;
use crate::deployment::{ChartRelease, Deployment, Features};
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
    /// It was read.
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
    /// The ElementDeployment.
    pub deployment: Deployment,
    /// What its schema offers.
    pub features: Known<Features>,
    /// The MAS Secret; `None` if there is none of that name.
    pub secret: Known<Option<SecretContents>>,
    /// The record; `None` if there is none.
    pub record: Known<Option<Record>>,
    /// The settings of MAS that are in the spec, or about to be.
    pub settings: Option<MasSettings>,
    /// The installed chart, where a Helm release tells.
    pub chart: Option<ChartRelease>,
    /// What lies around it in the cluster, and what DNS knows.
    pub surroundings: Surroundings,
}

impl Snapshot {
    /// The names of the Secret's keys.
    pub fn secret_keys(&self) -> SecretKeys {
        let none = Features::default();
        SecretKeys::find(&self.deployment, self.features.known().unwrap_or(&none))
    }

    /// The record, if there is a readable one.
    pub fn recorded(&self) -> Option<&Record> {
        self.record.known()?.as_ref()
    }
}
