//! The change as a value. Pure: built once from the observed object, then read by preview, server dry run and write
//! alike, so that they cannot disagree.

mod change;
pub mod export;
mod in_use;
mod secret;
mod secret_contents;
mod settings;

pub use change::{Change, Plan, REHEARSAL_ANNOTATION};
pub use in_use::LostEncryptionSecret;
pub use secret::{SecretAction, SecretContext, SecretInputs, SecretItem, SecretPlan, SecretPlanError};
pub use secret_contents::{SecretContents, SecretKeys, referenced_keys};
pub use settings::{Database, MasSettings, SettingsError, Tls};
