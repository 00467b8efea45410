//! All Kubernetes I/O: connecting, reading, watching, writing.
//!
//! Objects are [`serde_json::Value`]s; this room interprets only their metadata. Three rules:
//!
//! * a read is retried for at most ten seconds, a write only if that is safe ([`WriteOutcome`]);
//! * no discovery: URL paths are known, and a version that is not served returns 404;
//! * an error has a message and hints ([`ClusterError`]), and contains no secrets.

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
pub use survey::{Listed, LogEnd, LogOf, Reason, Survey, Unread};
pub use watch::{CollectionEvent, Following, Watch, WatchItem};
pub use write::{Stored, Write, WriteOutcome};
