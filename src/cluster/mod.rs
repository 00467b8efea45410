//! All Kubernetes I/O: connecting, reading, watching, writing.
//!
//! The rest of the program deals in [`serde_json::Value`] objects; nothing in here knows what an ElementDeployment
//! means, only its metadata. Three rules hold throughout:
//!
//! * a read is repeated a few times within ten seconds, a write never by itself ([`WriteOutcome`]);
//! * nothing is discovered: addresses are known, and a version that is not served answers 404;
//! * an error is a sentence and a hint ([`ClusterError`]), never a dump, and holds nothing secret.

mod choose;
mod connect;
mod connection;
mod credentials;
mod errors;
mod flags;
mod kubeconfig;
mod lean;
mod names;
mod pages;
mod plugin;
mod port_forward;
mod proxy;
mod read;
mod redact;
mod resource;
mod retry;
mod survey;
mod transport;
mod transport_errors;
mod watch;
mod write;

#[cfg(test)]
mod stub;

pub use choose::{Choice, Elsewhere};
pub use connect::{Cluster, Place};
pub use errors::{ClusterError, ErrorKind, FieldProblem, shell_word};
pub use flags::ConnectionFlags;
pub use lean::Lean;
pub use names::kubeconfig_entries;
pub use pages::Pages;
pub use port_forward::Forwarded;
pub use proxy::proxy_from_environment;
pub use read::{Selection, WhoAmI, with_kind};
pub use resource::{Action, ApiVersion, Target, foreign, qualified, resource};
pub use survey::{Allowance, Listed, LogEnd, LogOf, Survey, Unread, Why};
pub use watch::{Collection, Following, Onlook, Watch, WatchItem};
pub use write::{Write, WriteOutcome, Written};
