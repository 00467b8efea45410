//! MAS's host: its own, and known to DNS.

use super::super::finding::{Finding, codes};
use super::super::snapshot::{Known, Snapshot, Step};
use super::{INGRESS, MAS};
use crate::plan::MasSettings;

pub(super) fn check(snapshot: &Snapshot, settings: &MasSettings, step: Step, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let host = normal(&settings.host);
    let subject = || format!("{INGRESS}.fqdn");
    let of_its_own = "Choose a host of its own for MAS, such as auth.<your domain>.";
    for (component, fqdn) in deployment.ingress_hosts() {
        if component != MAS && normal(fqdn) == host {
            let message = format!("{} is the host of {component}", settings.host);
            findings.push(Finding::blocker(codes::HOST_TAKEN, subject(), message).remedy(of_its_own).guide());
        }
    }
    if deployment.domain_name().is_some_and(|domain| normal(domain) == host) {
        findings.push(if deployment.component("wellKnownDelegation").is_some() {
            let message = format!("{} is the server name, where wellKnownDelegation answers", settings.host);
            Finding::blocker(codes::HOST_TAKEN, subject(), message).remedy(of_its_own)
        } else {
            let message = format!(
                "{} is the server name itself: whatever else answers there, above all /.well-known/matrix, would be MAS's",
                settings.host
            );
            Finding::warning(codes::HOST_TAKEN, subject(), message).remedy(of_its_own)
        });
    }
    findings.extend(resolution(snapshot, settings, step));
}

/// Names are compared as DNS does.
fn normal(host: &str) -> String {
    host.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Seen from here only, so Synapse's host, which is known to be in use, tells whether being here tells anything.
fn resolution(snapshot: &Snapshot, settings: &MasSettings, step: Step) -> Option<Finding> {
    let seen = snapshot.surroundings.resolution.as_ref().filter(|seen| seen.host == settings.host)?;
    let subject = format!("{INGRESS}.fqdn");
    let host = &settings.host;
    let remedy = format!("Make the DNS record for {host}, pointing to the same ingress as Synapse's host.");
    match (&seen.mas, &seen.synapse) {
        (Known::Known(true), _) => Some(Finding::ok(codes::HOST_UNRESOLVED, subject, format!("DNS knows {host} from here"))),
        // `prepare` comes before the record is made.
        _ if step == Step::Prepare => None,
        (Known::Known(false), Some(Known::Known(true))) => Some(
            Finding::warning(
                codes::HOST_UNRESOLVED,
                subject,
                format!("from here DNS does not know {host}, but it knows Synapse's host; without a record nobody can log in at MAS"),
            )
            .remedy(remedy),
        ),
        // Where not even Synapse's host is known, the writing commands have nothing to hold against anybody.
        _ if step != Step::Look => None,
        (Known::Known(false), _) => Some(
            Finding::unknown(
                codes::HOST_UNRESOLVED,
                subject,
                format!("whether DNS knows {host} cannot be told from here, where it does not know Synapse's host either"),
            )
            .remedy(remedy),
        ),
        (Known::Unreadable(why), _) => Some(
            Finding::unknown(codes::HOST_UNRESOLVED, subject, format!("whether DNS knows {host} could not be found out from here: {why}"))
                .remedy(remedy),
        ),
    }
}
