//! The settings of MAS against the rest of the deployment.

use super::finding::{Finding, codes};
use super::snapshot::Snapshot;
use crate::deployment::{Postgres, TlsMode};

const INGRESS: &str = "spec.components.matrixAuthenticationService.k8s.ingress";
const DATABASE: &str = "spec.components.matrixAuthenticationService.config.postgresql";

pub(super) fn check(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(settings) = &snapshot.settings else { return };
    let deployment = &snapshot.deployment;
    if let Some(features) = snapshot.features.known().filter(|features| features.active)
        && let Err(error) = settings.check(features)
    {
        findings.push(Finding::blocker(
            codes::SETTINGS,
            "spec.components.matrixAuthenticationService",
            error.to_string(),
        ));
    }
    for (component, _) in deployment.components().filter(|(name, _)| *name != "matrixAuthenticationService") {
        if deployment.ingress_host(component).is_some_and(|host| host.eq_ignore_ascii_case(&settings.host)) {
            findings.push(
                Finding::blocker(
                    codes::HOST_TAKEN,
                    format!("{INGRESS}.fqdn"),
                    format!("{} is the host of {component}", settings.host),
                )
                .remedy("Choose a host of its own for MAS, such as auth.<your domain>.")
                .guide(),
            );
        }
    }
    if let Some(synapse) = deployment.postgres("synapse") {
        let mas = &settings.database;
        if same_database(&synapse, &mas.host, mas.port, &mas.name) {
            findings.push(
                Finding::blocker(
                    codes::DATABASE_SHARED,
                    DATABASE,
                    format!("database {} at {} is Synapse's", mas.name, mas.host),
                )
                .remedy("Create a database for MAS alone; it may be on the same server.")
                .guide(),
            );
        }
    }
    tls(snapshot, settings.tls_mode(deployment), findings);
}

/// The same server under a short and a full service name (`db`, `db.ns`, `db.ns.svc.cluster.local`) counts as the same.
fn same_database(synapse: &Postgres, host: &str, port: u16, name: &str) -> bool {
    let (Some(synapse_host), Some(synapse_name)) = (&synapse.host, &synapse.database) else { return false };
    let (a, b) = (synapse_host.to_ascii_lowercase(), host.to_ascii_lowercase());
    let same_host = a == b || is_longer_form(&a, &b) || is_longer_form(&b, &a);
    same_host && synapse.port.unwrap_or(5432) == port && synapse_name == name
}

fn is_longer_form(long: &str, short: &str) -> bool {
    let rest = long.strip_prefix(short).and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|_| !short.contains('.') || long.contains(".svc"))
}

fn tls(snapshot: &Snapshot, mode: Option<TlsMode>, findings: &mut Vec<Finding>) {
    let subject = format!("{INGRESS}.tls");
    match mode {
        None => findings.push(
            Finding::warning(codes::TLS_MODE, subject, "neither MAS nor spec.global.k8s.ingresses.tls sets a TLS mode")
                .remedy("Choose one with `prepare --tls external|certmanager|existing|certfile`."),
        ),
        Some(TlsMode::Existing)
            if snapshot.deployment.tls_mode("matrixAuthenticationService").is_none_or(|(_, inherited)| inherited)
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
