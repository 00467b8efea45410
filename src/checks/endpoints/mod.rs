//! What MAS, Synapse and the identity providers have to answer over the network in each phase of the migration.
//!
//! [`questions`] says what to ask, somebody else asks, and [`judge`] makes findings of the answers. Severities are those of
//! `verify`: a blocker is plainly wrong, a warning or what could not be found out may also lie at the place that it is
//! looked at from.

mod clients;
mod expected;
mod mas;
mod new_login;
mod providers;
mod question;
mod synapse;

pub use crate::answers::http::{Outcome, Reply};
pub use expected::{Commands, EndpointPhase, Expected, GivenToken};
pub use mas::{MAS_ISSUER, MAS_SIGNING_KEY};
pub use new_login::not_tried;
pub use providers::next_at_provider;
pub use question::{Question, Replies, Server, questions};

use super::finding::{Code, Finding};

const OUTSIDE_HOSTS: Code = "outside-hosts";
const OUTSIDE_ROUTE: Code = "outside-route";

/// The findings, what is plainly wrong first.
pub fn judge(expected: &Expected, answers: &Replies) -> Vec<Finding> {
    let mut findings = Vec::new();
    mas::judge(expected, answers, &mut findings);
    providers::judge(expected, answers, &mut findings);
    findings.extend(clients::well_known(expected, answers));
    synapse::judge(expected, answers, &mut findings);
    findings.extend(clients::token(expected, answers));
    findings.extend(new_login::judge(expected, answers));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

pub fn no_host(path: &str) -> Finding {
    Finding::unknown(OUTSIDE_HOSTS, path, "there is no host in the spec, so nothing could be asked there")
}

/// The way through the cluster to a host, or why there is none.
pub fn route(subject: &str, way: Result<&str, &str>) -> Finding {
    match way {
        Ok(way) => Finding::ok(OUTSIDE_ROUTE, subject, format!("{way}; names and certificates were not looked at")),
        Err(why) => {
            let text = format!("it could not be asked through the cluster: {why}");
            let remedy = "Look at the Ingress and the Service, or ask directly: without --through-cluster, with --resolve if need be.";
            Finding::unknown(OUTSIDE_ROUTE, subject, text).remedy(remedy)
        }
    }
}

#[cfg(test)]
mod tests;
