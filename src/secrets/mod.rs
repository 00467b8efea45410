//! Secret values: the rules that each must keep, and the fingerprint that is shown in its place.
//!
//! The migration guide asks for secret values whose faults show only when Synapse is already stopped. So every value is read
//! into a type whose constructor holds its rules.

mod encryption_secret;
mod fingerprint;
mod postgres_password;
mod secret;

pub use encryption_secret::{EncryptionSecret, EncryptionSecretError, GenerateError, contents_digest};
pub use fingerprint::Fingerprint;
pub use postgres_password::{PostgresPassword, PostgresPasswordError, saslprep_changes};
pub use secret::{SecretBytes, SecretText, wipe, without_newline};
