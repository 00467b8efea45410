//! What is exported.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::deployment::Deployment;
use crate::plan::secret_keys::SecretKeys;
use crate::plan::settings::MasSettings;
use crate::secrets::SecretBytes;

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
    pub(super) fn component(&self) -> Value {
        self.settings.component(self.deployment.mas(), (&self.keys.certificate, &self.keys.private_key))
    }
}

/// A secret value that has no form in the file: a Helm value is text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the value of key {0} is not UTF-8 text, so a values file cannot hold it")]
pub struct NotText(pub String);
