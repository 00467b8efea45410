//! What the operator is doing, as far as its workloads show: Synapse's StatefulSets going down and up, Jobs, Pods.
//!
//! Pure: objects in, words out. It is for people who wait, and for nothing else: no verdict is made of it, and where
//! these objects may not be read there is merely less to say. Names and labels are those of ESS Classic's operator
//! (StatefulSets `NAME-synapse-…`, labels `k8s.element.io/owner-name` and `app.kubernetes.io/instance`); what is called
//! otherwise is not seen, which is no harm either.

mod objects;
mod observer;

#[cfg(test)]
mod tests;

pub use objects::{Times, WorkloadKind};
pub use observer::{Observer, WorkloadEvent, WorkloadUpdate};
