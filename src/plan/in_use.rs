//! The encryption secret that MAS has run with: the one value that cannot be made anew.

use super::secret_contents::{SecretContents, SecretKeys};
use crate::secrets::EncryptionSecret;

/// The Secret does not hold the encryption secret that MAS has run with. Fingerprints stand for the values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LostEncryptionSecret {
    #[error("the encryption secret that MAS has run with is gone; its fingerprint is {0}")]
    Gone(String),
    #[error("MAS has run with the encryption secret {before}, but the Secret holds another one, {now}")]
    Other { before: String, now: String },
    #[error("the encryption secret of the deployed MAS is gone, and no record tells its fingerprint")]
    Unrecorded,
}

impl LostEncryptionSecret {
    /// Compares the Secret with the fingerprint on record. A value that MAS cannot read counts as none where one is on record;
    /// without a record it is the one that MAS was refused with. `ran` says that MAS has run for sure, whatever the record has.
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

    /// Whether `given` is the lost value; without a record nobody can tell, and whoever gives it answers for it.
    pub fn is_brought_back_by(&self, given: &EncryptionSecret) -> bool {
        match self {
            Self::Gone(before) | Self::Other { before, .. } => *before == given.fingerprint().to_string(),
            Self::Unrecorded => true,
        }
    }

    /// What to do about it. `key` is the name of the Secret's key; `migrated` says that `prepare` has nothing to do any more.
    pub fn remedy(&self, key: &str, migrated: bool) -> String {
        let which = match self {
            Self::Gone(before) | Self::Other { before, .. } => format!("the one with fingerprint {before}"),
            Self::Unrecorded => "the one that MAS has run with".to_owned(),
        };
        let replace = if matches!(self, Self::Gone(_)) { String::new() } else { format!(" --replace {key}") };
        let with = if migrated {
            String::new()
        } else {
            format!(" with `kubectl ess-mas prepare --encryption-secret-file FILE{replace}`")
        };
        let never_ran = if *self == Self::Unrecorded && !migrated {
            " If MAS has never started, pass a new one in the same way."
        } else {
            ""
        };
        format!(
            "Bring back {which} from a backup or the secret store{with}. Do not make a new one: MAS cannot read with it what the old one \
             encrypted.{never_ran}"
        )
    }
}
