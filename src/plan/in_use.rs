//! The encryption secret that MAS uses, which cannot be regenerated.

use super::secret_contents::{SecretContents, SecretKeys};
use crate::secrets::EncryptionSecret;

/// The Secret doesn't contain the encryption secret that MAS uses. The strings are fingerprints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LostEncryptionSecret {
    #[error("the encryption secret that MAS uses is missing; its fingerprint is {0}")]
    Gone(String),
    #[error("MAS uses the encryption secret {before}, but the Secret contains another one, {now}")]
    Other { before: String, now: String },
    #[error("the encryption secret of the deployed MAS is missing, and its fingerprint is not recorded")]
    Unrecorded,
}

impl LostEncryptionSecret {
    /// Compares the Secret with the recorded fingerprint. An unusable value counts as missing if a fingerprint is recorded.
    /// `ran` means that MAS has started.
    pub fn find(
        present: Option<&SecretContents>,
        keys: &SecretKeys,
        recorded: Option<&str>,
        ran: bool,
    ) -> Option<Self> {
        let now = present.and_then(|secret| secret.encryption_secret(keys));
        match (recorded, now.map(|now| now.fingerprint().to_string())) {
            (Some(before), Some(now)) if before == now => None,
            (Some(before), Some(now)) => Some(Self::Other { before: before.to_owned(), now }),
            (Some(before), None) => Some(Self::Gone(before.to_owned())),
            (None, Some(_)) => None,
            (None, None) => {
                let value = present.and_then(|secret| secret.data.get(&keys.encryption_secret));
                (ran && value.is_none_or(|value| value.expose().is_empty())).then_some(Self::Unrecorded)
            }
        }
    }

    /// Whether `given` is the lost value; true if no fingerprint is recorded.
    pub fn is_restored_by(&self, given: &EncryptionSecret) -> bool {
        self.before().is_none_or(|before| *before == given.fingerprint().to_string())
    }

    fn before(&self) -> Option<&String> {
        match self {
            Self::Gone(before) | Self::Other { before, .. } => Some(before),
            Self::Unrecorded => None,
        }
    }

    /// The next step. `key` is the key in the Secret; after the migration (`migrated`) `prepare` can't restore the value.
    pub fn remedy(&self, key: &str, migrated: bool) -> String {
        let fingerprint = self.before().map(|before| format!("the value with fingerprint {before}"));
        let which = fingerprint.unwrap_or_else(|| "the value that MAS uses".to_owned());
        let replace = if matches!(self, Self::Gone(_)) { String::new() } else { format!(" --replace {key}") };
        let with = if migrated {
            String::new()
        } else {
            format!(" with `kubectl ess-mas prepare --encryption-secret-file FILE{replace}`")
        };
        let never_ran = if *self == Self::Unrecorded && !migrated {
            " If MAS has never started, pass a new value in the same way."
        } else {
            ""
        };
        format!(
            "Restore {which} from a backup or the secret store{with}. Don't generate a new one: MAS can't decrypt its data with it.{never_ran}"
        )
    }
}
