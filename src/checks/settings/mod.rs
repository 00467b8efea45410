//! MAS's settings: host, DNS and TLS mode, compared with the rest of the deployment.

mod database;

use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use crate::deployment::{MAS, TlsMode};
use crate::plan::{MasSettings, Tls};

const FQDN: &str = "spec.components.matrixAuthenticationService.k8s.ingress.fqdn";
const TLS: &str = "spec.components.matrixAuthenticationService.k8s.ingress.tls";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    database::synapses(snapshot, findings);
    let Some(settings) = &snapshot.settings else { return };
    if let Some(features) = snapshot.features.known().filter(|features| features.active)
        && let Err(error) = settings.check(features)
    {
        let why = error.to_string();
        findings.push(Finding::of("settings", "spec.components.matrixAuthenticationService", &[("why", &why)]));
    }
    host(snapshot, settings, findings);
    findings.extend(resolution(snapshot, settings, purpose));
    database::check(snapshot, settings, findings);
    findings.extend(tls(snapshot, settings));
}

fn host(snapshot: &Snapshot, settings: &MasSettings, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    // DNS ignores case and a trailing dot.
    let normal = |host: &str| host.trim().trim_end_matches('.').to_ascii_lowercase();
    let host = normal(&settings.host);
    for (component, fqdn) in deployment.ingress_hosts() {
        if component != MAS && normal(fqdn) == host {
            let values = [("component", component), ("host", &settings.host)];
            findings.push(Finding::of("host-of-component", FQDN, &values));
        }
    }
    for other in snapshot.components.other_hosts.iter().filter(|other| normal(&other.host) == host) {
        findings.push(Finding::of("host-of-ingress", FQDN, &[("ingress", &other.ingress), ("host", &host)]));
    }
    if deployment.domain_name().is_some_and(|domain| normal(domain) == host) {
        let served = deployment.component("wellKnownDelegation").is_some();
        let name = if served { "host-of-well-known" } else { "host-is-server-name" };
        findings.push(Finding::of(name, FQDN, &[("host", &settings.host)]));
    }
}

/// Whether MAS's host resolves on this machine. Synapse's host is in use, so it shows whether this machine's DNS is relevant.
fn resolution(snapshot: &Snapshot, settings: &MasSettings, purpose: Purpose) -> Option<Finding> {
    let seen = snapshot.components.resolution.as_ref().filter(|seen| seen.host == settings.host)?;
    let mut values = vec![("host", settings.host.as_str())];
    let name = match (&seen.mas, &seen.synapse) {
        (Known::Known(true), _) => "host-resolves",
        // The DNS record can be created after `prepare`.
        _ if purpose == Purpose::Prepare => return None,
        (Known::Known(false), Some(Known::Known(true))) => "host-unresolved",
        // If Synapse's host doesn't resolve either, the result says nothing; only `check` reports it.
        _ if purpose != Purpose::Check => return None,
        (Known::Known(false), _) => "hosts-unresolved",
        (Known::Unreadable(why), _) => {
            values.push(("why", why));
            "host-unknown"
        }
    };
    Some(Finding::of(name, FQDN, &values))
}

fn tls(snapshot: &Snapshot, settings: &MasSettings) -> Option<Finding> {
    let deployment = &snapshot.deployment;
    let inherits = || deployment.tls_mode(MAS).is_none_or(|(_, inherited)| inherited);
    let name = match settings.tls_mode(deployment) {
        None => "no-tls-mode",
        Some(TlsMode::Existing) if settings.tls == Tls::Inherit && inherits() => "inherits-existing",
        Some(_) => return None,
    };
    Some(Finding::of(name, TLS, &[]))
}
