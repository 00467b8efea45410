//! The plan of the MAS Secret: existing values are kept, missing values added, and values named by `--replace` replaced.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::in_use::LostEncryptionSecret;
use super::secret_contents::{SecretContents, SecretKeys};
use crate::secrets::{EncryptionSecret, GenerateError, PostgresPassword, SecretBytes};
use crate::x509::{RsaBits, RsaPrivateKey};

#[derive(Debug, Default)]
pub struct SecretInputs {
    pub encryption_secret: Option<EncryptionSecret>,
    pub rsa_private_key: Option<RsaPrivateKey>,
    pub postgres_password: Option<PostgresPassword>,
    /// `--certificate` and `--private-key`, in PEM.
    pub certificate: Option<(SecretBytes, SecretBytes)>,
    /// Whether the certificate was issued here rather than given.
    pub issued: bool,
    /// `--replace`: names of keys.
    pub replace: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretAction {
    Keep,
    /// Keeps the existing value, although another one was given.
    KeepOther,
    Generate,
    /// Adds a certificate or its key, issued here.
    Issue,
    Add,
    Replace,
}

#[derive(Debug, Clone)]
pub struct SecretItem {
    pub key: String,
    pub action: SecretAction,
    value: SecretBytes,
}

#[derive(Debug, Clone)]
pub struct SecretPlan {
    pub name: String,
    /// The keys that this program knows.
    pub items: Vec<SecretItem>,
    before: Option<SecretContents>,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretPlanError {
    #[error("the password of the PostgreSQL role of MAS is missing")]
    NoPassword,
    #[error("TLS mode certfile requires a certificate and its private key")]
    NoCertificate,
    #[error("key {key} of Secret {secret}: {problem}")]
    Unusable { key: String, secret: String, problem: String },
    #[error("{0} cannot be replaced: MAS is already deployed and couldn't decrypt its data")]
    EncryptionSecretIsFixed(String),
    #[error("key {key} of Secret {secret}: {lost}")]
    EncryptionSecretIsLost { secret: String, key: String, lost: LostEncryptionSecret },
    #[error("--replace {0}: unknown key; the keys that can be replaced are {1}")]
    NoSuchKey(String, String),
    #[error("--replace {0} requires the new value")]
    NothingToReplaceWith(String),
    #[error("Secret {0} is immutable and cannot be changed")]
    Immutable(String),
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

#[derive(Debug)]
pub struct SecretContext<'a> {
    pub name: &'a str,
    pub present: Option<&'a SecretContents>,
    pub keys: &'a SecretKeys,
    pub certfile: bool,
    /// Whether the spec contains the MAS component, so that MAS may use the encryption secret.
    pub deployed: bool,
    /// The recorded fingerprint of the encryption secret that MAS uses.
    pub recorded: Option<&'a str>,
    /// Whether MAS is known to have started.
    pub ran: bool,
}

impl SecretContext<'_> {
    fn has(&self, key: &str) -> bool {
        self.present.is_some_and(|secret| secret.data.contains_key(key))
    }

    pub fn needs_password(&self, replace: &BTreeSet<String>) -> bool {
        let key = &self.keys.postgres_password;
        !self.has(key) || replace.contains(key)
    }

    pub fn plan(&self, inputs: &SecretInputs) -> Result<SecretPlan, SecretPlanError> {
        let keys = self.keys;
        self.check(inputs)?;
        let encryption = self.item(
            &keys.encryption_secret,
            inputs,
            |value| problem(EncryptionSecret::parse_in_use(value)),
            inputs.encryption_secret.as_ref().map(|value| value.value().to_bytes()),
            || Ok(EncryptionSecret::generate()?.value().to_bytes()),
        )?;
        let rsa = self.item(
            &keys.rsa_private_key,
            inputs,
            |value| problem(RsaPrivateKey::parse(value)),
            inputs.rsa_private_key.as_ref().map(|key| key.pem.to_bytes()),
            || Ok(RsaPrivateKey::generate(RsaBits::default())?.pem.to_bytes()),
        )?;
        let password = self.item(
            &keys.postgres_password,
            inputs,
            |value| problem(PostgresPassword::parse(value)),
            inputs.postgres_password.as_ref().map(|value| value.value().to_bytes()),
            || Err(SecretPlanError::NoPassword),
        )?;
        let mut items = vec![encryption, rsa, password];
        if self.certfile {
            let (certificate, key) = inputs.certificate.clone().unzip();
            let none = || Err(SecretPlanError::NoCertificate);
            for (name, value) in [(&keys.certificate, certificate), (&keys.private_key, key)] {
                let mut item = self.item(name, inputs, |_| None, value, none)?;
                if inputs.issued && item.action == SecretAction::Add {
                    item.action = SecretAction::Issue;
                }
                items.push(item);
            }
        }
        let plan = SecretPlan { name: self.name.to_owned(), items, before: self.present.cloned() };
        match self.present {
            Some(secret) if secret.immutable && plan.writes() => Err(SecretPlanError::Immutable(self.name.to_owned())),
            _ => Ok(plan),
        }
    }

    /// Refuses what no further input can fix: `--replace` of an unknown key, and another encryption secret for a deployed MAS.
    pub fn check(&self, inputs: &SecretInputs) -> Result<(), SecretPlanError> {
        let SecretKeys { encryption_secret: key, rsa_private_key, postgres_password, certificate, private_key } =
            self.keys;
        let others = [rsa_private_key, postgres_password, certificate, private_key];
        if let Some(unknown) = inputs.replace.iter().find(|name| *name != key && !others.contains(name)) {
            let known = others.map(String::as_str).join(", ");
            return Err(SecretPlanError::NoSuchKey(unknown.clone(), known));
        }
        let replaces = inputs.replace.contains(key);
        let lost =
            LostEncryptionSecret::find(self.present, self.keys, self.recorded, self.ran).filter(|_| self.deployed);
        match lost {
            Some(lost) => {
                let given = inputs.encryption_secret.as_ref().filter(|_| replaces || !self.has(key));
                if given.is_some_and(|given| lost.is_restored_by(given)) {
                    return Ok(());
                }
                Err(SecretPlanError::EncryptionSecretIsLost { secret: self.name.to_owned(), key: key.clone(), lost })
            }
            None if self.deployed && self.has(key) && replaces => {
                Err(SecretPlanError::EncryptionSecretIsFixed(key.clone()))
            }
            None => Ok(()),
        }
    }

    fn item(
        &self,
        key: &str,
        inputs: &SecretInputs,
        problem: impl Fn(&[u8]) -> Option<String>,
        given: Option<SecretBytes>,
        generate: impl Fn() -> Result<SecretBytes, SecretPlanError>,
    ) -> Result<SecretItem, SecretPlanError> {
        let present = self.present.and_then(|secret| secret.data.get(key));
        let replaces = inputs.replace.contains(key);
        let (action, value) = match (present, given) {
            (Some(_), Some(value)) if replaces => (SecretAction::Replace, value),
            (Some(_), None) if replaces => {
                (SecretAction::Replace, generate().map_err(|_| SecretPlanError::NothingToReplaceWith(key.to_owned()))?)
            }
            (Some(present), given) => {
                if let Some(problem) = problem(present.expose()) {
                    let (key, secret) = (key.to_owned(), self.name.to_owned());
                    return Err(SecretPlanError::Unusable { key, secret, problem });
                }
                let other = given.is_some_and(|given| given != *present);
                (if other { SecretAction::KeepOther } else { SecretAction::Keep }, present.clone())
            }
            (None, Some(value)) => (SecretAction::Add, value),
            (None, None) => (SecretAction::Generate, generate()?),
        };
        Ok(SecretItem { key: key.to_owned(), action, value })
    }
}

fn problem<T, E: ToString>(parsed: Result<T, E>) -> Option<String> {
    parsed.err().map(|error| error.to_string())
}

impl SecretItem {
    fn is_written(&self) -> bool {
        !matches!(self.action, SecretAction::Keep | SecretAction::KeepOther)
    }
}

impl SecretPlan {
    /// The existing Secret, if something is written to it.
    pub fn writes_to(&self) -> Option<&SecretContents> {
        self.before.as_ref().filter(|_| self.writes())
    }

    pub fn creates(&self) -> bool {
        self.before.is_none()
    }

    pub fn writes(&self) -> bool {
        self.items.iter().any(SecretItem::is_written)
    }

    pub fn after(&self) -> SecretContents {
        let empty = || SecretContents { name: self.name.clone(), ..SecretContents::default() };
        let mut contents = self.before.clone().unwrap_or_else(empty);
        for item in &self.items {
            contents.data.insert(item.key.clone(), item.value.clone());
        }
        contents
    }

    pub fn fingerprints(&self, keys: &SecretKeys) -> Vec<(&SecretItem, Option<String>, Option<String>)> {
        let before = self.before.as_ref().map(|secret| secret.fingerprints(keys)).unwrap_or_default();
        let after = self.after().fingerprints(keys);
        self.items.iter().map(|item| (item, before.get(&item.key).cloned(), after.get(&item.key).cloned())).collect()
    }

    /// The body of the write: a Secret to create, or a merge patch with the resourceVersion as its precondition. It contains
    /// the values: never print it, and overwrite it after use ([`wipe`](crate::secrets::wipe)).
    pub fn body(&self, namespace: &str) -> Value {
        let written = self.items.iter().filter(|item| item.is_written());
        let data: serde_json::Map<String, Value> =
            written.map(|item| (item.key.clone(), Value::String(STANDARD.encode(item.value.expose())))).collect();
        let mut body = match &self.before {
            Some(before) => json!({"metadata": {"resourceVersion": before.resource_version}}),
            None => json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {"name": self.name, "namespace": namespace,
                             "labels": {"app.kubernetes.io/managed-by": "kubectl-ess-mas"}},
            }),
        };
        // Moved, because `json!` would leave a copy of the values in memory.
        body["data"] = Value::Object(data);
        body
    }
}

#[cfg(test)]
mod tests;
