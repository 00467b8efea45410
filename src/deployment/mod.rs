//! The ElementDeployment's fields that this program interprets. Pure: no client, no clock, no terminal.

mod conditions;
mod features;
mod identity_provider;
mod operator;
mod outline;
mod owner;
mod phase;
pub mod route;
mod version;
mod view;

pub use conditions::{Condition, Conditions, FailureReport, Run};
pub use features::{Features, SecretKeyField};
pub use identity_provider::{IdentityProvider, is_canonical_ulid, mas_redirect_uri, synapse_redirect_uri};
pub use operator::OperatorDeployment;
pub use outline::{Outline, lenient as lenient_outline};
pub use owner::{Applied, HelmRelease, Manager, OwnedFields, Owner};
pub use phase::{Phase, Remembered};
pub use version::{ChartRelease, VersionSource, values_below};
pub use view::{Deployment, MAS, NotADeployment, Postgres, TlsMode, squashed};
