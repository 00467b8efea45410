//! The settings of MAS against the rest of the deployment.

mod database;
mod host;

use super::finding::{Finding, codes};
use super::snapshot::{Snapshot, Step};
use crate::deployment::TlsMode;

const INGRESS: &str = "spec.components.matrixAuthenticationService.k8s.ingress";
const MAS: &str = "matrixAuthenticationService";

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    database::synapses(snapshot, findings);
    let Some(settings) = &snapshot.settings else { return };
    let deployment = &snapshot.deployment;
    if let Some(features) = snapshot.features.known().filter(|features| features.active)
        && let Err(error) = settings.check(features)
    {
        findings.push(
            Finding::blocker(codes::SETTINGS, "spec.components.matrixAuthenticationService", error.to_string())
                .remedy("Settle it anew with `kubectl ess-mas prepare`."),
        );
    }
    host::check(snapshot, settings, step, findings);
    database::check(snapshot, settings, findings);
    tls(snapshot, settings.tls_mode(deployment), findings);
}

fn tls(snapshot: &Snapshot, mode: Option<TlsMode>, findings: &mut Vec<Finding>) {
    let subject = format!("{INGRESS}.tls");
    match mode {
        None => findings.push(
            Finding::warning(codes::TLS_MODE, subject, "neither MAS nor spec.global.k8s.ingresses.tls sets a TLS mode")
                .remedy("Choose one with `prepare --tls external|certmanager|existing|certfile`."),
        ),
        Some(TlsMode::Existing)
            if snapshot.deployment.tls_mode(MAS).is_none_or(|(_, inherited)| inherited)
                && matches!(snapshot.settings.as_ref().map(|s| &s.tls), Some(crate::plan::Tls::Inherit)) =>
        {
            findings.push(
                Finding::warning(codes::TLS_MODE, subject, "the TLS mode is inherited and is `existing`: MAS would use the same Secret as the other components")
                    .remedy("Make sure that its certificate is good for MAS's host too, or give MAS one of its own: `prepare --tls existing --tls-secret NAME`."),
            );
        }
        Some(_) => {}
    }
}
