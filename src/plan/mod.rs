//! The change as a value. Pure: built once from the observed object, and shared by preview, server-side dry run and write.

mod change;
pub mod export;
mod in_use;
mod secret;
mod secret_contents;
mod settings;

pub use change::{Change, DRY_RUN_ANNOTATION, Plan};
pub use in_use::LostEncryptionSecret;
pub use secret::{SecretAction, SecretContext, SecretInputs, SecretItem, SecretPlan, SecretPlanError};
pub use secret_contents::{SecretContents, SecretKeys, referenced_keys};
pub use settings::{Database, MasSettings, SettingsError, Tls};
