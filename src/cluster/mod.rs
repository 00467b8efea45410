//! All Kubernetes I/O: connecting, reading, watching, writing.
//!
//! The rest of the program deals in [`serde_json::Value`] objects; nothing in here knows what an ElementDeployment
//! means, only its metadata. Three rules hold throughout:
//!
//! * a read is repeated a few times within ten seconds, a write never by itself ([`WriteOutcome`]);
//! * nothing is discovered: addresses are known, and a version that is not served answers 404;
//! * an error is a sentence and a hint ([`ClusterError`]), never a dump, and holds nothing secret.

mod choose;
mod client;
mod config;
mod errors;
mod list;
mod port_forward;
mod read;
mod resource;
mod survey;
mod watch;
mod write;
mod write_outcome;

#[cfg(test)]
mod stub;

pub use choose::{Choice, Elsewhere};
pub use client::connect::Cluster;
pub use config::flags::ConnectionFlags;
pub use config::kubeconfig::kubeconfig_entries;
pub use config::proxy::proxy_from_environment;
pub use config::resolve::check_configuration;
pub use errors::{ClusterError, ErrorKind};
pub use list::{Pages, Selection, Trimmed};
pub use read::with_kind;
pub use resource::{Action, ApiVersion, Place, Target, foreign, qualified, resource, shell_word};
pub use survey::{Listed, LogEnd, LogOf, Survey, Unread, Why};
pub use watch::{CollectionEvent, Following, Watch, WatchItem};
pub use write::Write;
pub use write_outcome::{Stored, WriteOutcome};
