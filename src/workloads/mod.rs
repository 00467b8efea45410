//! The progress of a migration as workloads show it: Synapse's StatefulSets scaling down and up, Jobs, and Pods.
//!
//! Pure: takes objects, returns progress texts. No verdict depends on it, and without permission to read these objects
//! there is only less to show. Names and labels are those of the ESS Classic operator (StatefulSets `NAME-synapse-…`,
//! labels `k8s.element.io/owner-name` and `app.kubernetes.io/instance`); other workloads are ignored.

mod objects;
mod observer;

#[cfg(test)]
mod tests;

pub use objects::{Times, WorkloadKind};
pub use observer::{Observer, WorkloadEvent, WorkloadUpdate};
