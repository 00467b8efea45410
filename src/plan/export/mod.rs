//! What the owner of the manifest has to add, as text. Pure: values come in, YAML goes out; whoever asked writes it where it
//! belongs.
//!
//! Every change in here is the one that `dry-run` would make (`MasSettings::component`), so that an export and a write
//! cannot disagree.

mod chart;
mod helm;
mod manifests;
mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{MasSettings, SecretKeys};
use crate::deployment::Deployment;
use crate::secrets::SecretBytes;

pub use chart::{CHART, is_chart_secret};
pub use helm::{HelmSecrets, helm_values};
pub use manifests::{patch, secret};

pub type Values = BTreeMap<String, SecretBytes>;

#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The ElementDeployment as it was read.
    pub deployment: &'a Deployment,
    pub settings: &'a MasSettings,
    pub keys: &'a SecretKeys,
}

impl Subject<'_> {
    /// The MAS component as a merge patch over the one that is there, `active: false` written out.
    fn component(&self) -> Value {
        self.settings.component(self.deployment.mas(), (&self.keys.certificate, &self.keys.private_key))
    }
}

/// A secret value that has no form in the file: a Helm value is text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the value of key {0} is not UTF-8 text, so a values file cannot hold it")]
pub struct NotText(pub String);

#[cfg(test)]
mod tests;
