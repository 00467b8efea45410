//! Secret values with their rules, and fingerprints to show in their place.
//!
//! An invalid secret value would fail the migration only after Synapse is stopped, so the constructors validate every value.

mod encryption_secret;
mod fingerprint;
mod postgres_password;
mod secret;

pub use encryption_secret::{EncryptionSecret, EncryptionSecretError, GenerateError, contents_digest};
pub use fingerprint::Fingerprint;
pub use postgres_password::{PostgresPassword, PostgresPasswordError, saslprep_changes};
pub use secret::{SecretBytes, SecretText, wipe, without_newline};
