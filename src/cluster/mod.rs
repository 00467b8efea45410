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
mod lean;
mod list;
mod names;
mod place;
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
pub use config::proxy::proxy_from_environment;
pub use errors::{ClusterError, ErrorKind, FieldProblem};
pub use lean::Lean;
pub use list::{Pages, Selection};
pub use names::kubeconfig_entries;
pub use place::{Place, shell_word};
pub use port_forward::Forwarded;
pub use read::{WhoAmI, with_kind};
pub use resource::{Action, ApiVersion, Target, foreign, qualified, resource};
pub use survey::{Allowance, Listed, LogEnd, LogOf, Survey, Unread, Why};
pub use watch::{Collection, Following, Onlook, Watch, WatchItem};
pub use write::{Write, WriteOutcome, Written};
