//! The expected responses of MAS, Synapse and the identity providers over the network, by phase of the migration.
//!
//! [`probes`] lists the requests, `session` sends them, and [`judge`] turns the responses into findings. A blocker is a
//! certain problem; a warning or unknown can also be caused by this machine's network.

mod clients;
mod expected;
mod mas;
mod new_login;
mod probe;
mod providers;
mod synapse;

pub use crate::answers::http::{Outcome, Reply};
pub use expected::{Commands, EndpointPhase, Expected, GivenToken};
pub use new_login::not_tried;
pub use probe::{Probe, Replies, Server, probes};
pub use providers::next_at_provider;

use super::finding::Finding;

/// The findings, blockers first.
pub fn judge(expected: &Expected, replies: &Replies) -> Vec<Finding> {
    let mut findings = Vec::new();
    mas::judge(expected, replies, &mut findings);
    providers::judge(expected, replies, &mut findings);
    findings.extend(clients::well_known(expected, replies));
    synapse::judge(expected, replies, &mut findings);
    findings.extend(clients::token(expected, replies));
    findings.extend(new_login::judge(expected, replies));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod tests;
