//! What there is to say of workloads.

use std::fmt;

/// Something that happened and stays true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkloadEvent {
    /// All of Synapse's pods are gone.
    SynapseStopped,
    /// Synapse was stopped and is there again.
    SynapseIsBack {
        pods: u32,
    },
    JobComplete {
        name: String,
    },
    JobFailed {
        name: String,
    },
    /// A pod does not start: Kubernetes' word for it and its sentence, which may be empty.
    PodStuck {
        pod: String,
        reason: String,
        message: String,
    },
}

impl WorkloadEvent {
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::JobFailed { .. } | Self::PodStuck { .. })
    }
}

impl fmt::Display for WorkloadEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SynapseStopped => f.write_str("Synapse is stopped"),
            Self::SynapseIsBack { pods } => write!(f, "Synapse is back: {pods} of {pods} pods ready"),
            Self::JobComplete { name } => write!(f, "job {name} is complete"),
            Self::JobFailed { name } => write!(f, "job {name} has failed"),
            Self::PodStuck { pod, reason, message } if message.is_empty() => write!(f, "pod {pod}: {reason}"),
            Self::PodStuck { pod, reason, message } => write!(f, "pod {pod}: {reason}: {message}"),
        }
    }
}

/// What there is to say after a burst of news.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadUpdate {
    /// What happened since the last update, in order.
    pub happened: Vec<WorkloadEvent>,
    /// What is going on: `Synapse stopped, migration job running`. `None` when nothing out of the ordinary is seen.
    pub now: Option<String>,
}
