//! MAS's settings: host, DNS and TLS mode, compared with the rest of the deployment.

mod database;

pub use database::{DATABASE_HOST, DATABASE_ROLE, DATABASE_SHARED};

use super::finding::{Code, Finding};
use super::snapshot::{OtherHost, Purpose, Snapshot};
use crate::answers::Known;
use crate::deployment::{MAS, TlsMode};
use crate::plan::{MasSettings, Tls};

pub const SETTINGS: Code = "mas-settings";
pub const HOST_TAKEN: Code = "mas-host-taken";
const HOST_UNRESOLVED: Code = "mas-host-unresolved";
const TLS_MODE: Code = "tls-mode";

const FQDN: &str = "spec.components.matrixAuthenticationService.k8s.ingress.fqdn";
const TLS: &str = "spec.components.matrixAuthenticationService.k8s.ingress.tls";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    database::synapses(snapshot, findings);
    let Some(settings) = &snapshot.settings else { return };
    if let Some(features) = snapshot.features.known().filter(|features| features.active)
        && let Err(error) = settings.check(features)
    {
        let finding = Finding::blocker(SETTINGS, "spec.components.matrixAuthenticationService", error.to_string());
        findings.push(finding.remedy("Correct the settings with `kubectl ess-mas prepare`."));
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
    let remedy = "Choose a host that only MAS uses, such as auth.<your domain>.";
    for (component, fqdn) in deployment.ingress_hosts() {
        if component != MAS && normal(fqdn) == host {
            let message = format!("component {component} already uses the host {}", settings.host);
            findings.push(Finding::blocker(HOST_TAKEN, FQDN, message).remedy(remedy).guide());
        }
    }
    for OtherHost { ingress, .. } in snapshot.components.other_hosts.iter().filter(|other| normal(&other.host) == host)
    {
        let text = format!(
            "Ingress {ingress} already has the host {host}: the controller can reject the operator's Ingress, or route MAS's requests elsewhere"
        );
        let remedy = format!(
            "Remove the host from Ingress {ingress}, or choose another host with `kubectl ess-mas prepare --host HOST`."
        );
        findings.push(Finding::warning(HOST_TAKEN, FQDN, text).remedy(remedy));
    }
    if deployment.domain_name().is_some_and(|domain| normal(domain) == host) {
        let host = &settings.host;
        let finding = if deployment.component("wellKnownDelegation").is_some() {
            let message = format!("{host} is the server name, which component wellKnownDelegation serves");
            Finding::blocker(HOST_TAKEN, FQDN, message)
        } else {
            let message = format!(
                "{host} is the server name: MAS would also receive requests for its other paths, such as /.well-known/matrix"
            );
            Finding::warning(HOST_TAKEN, FQDN, message)
        };
        findings.push(finding.remedy(remedy));
    }
}

/// Whether MAS's host resolves on this machine. Synapse's host is in use, so it shows whether this machine's DNS is relevant.
fn resolution(snapshot: &Snapshot, settings: &MasSettings, purpose: Purpose) -> Option<Finding> {
    let seen = snapshot.components.resolution.as_ref().filter(|seen| seen.host == settings.host)?;
    let host = &settings.host;
    let finding = match (&seen.mas, &seen.synapse) {
        (Known::Known(true), _) => {
            return Some(Finding::ok(HOST_UNRESOLVED, FQDN, format!("{host} resolves on this machine")));
        }
        // The DNS record can be created after `prepare`.
        _ if purpose == Purpose::Prepare => return None,
        (Known::Known(false), Some(Known::Known(true))) => {
            let text = format!(
                "{host} doesn't resolve on this machine, but Synapse's host does; without a DNS record, nobody can log in at MAS"
            );
            Finding::warning(HOST_UNRESOLVED, FQDN, text)
        }
        // If Synapse's host doesn't resolve either, the result says nothing; only `check` reports it.
        _ if purpose != Purpose::Look => return None,
        (Known::Known(false), _) => {
            let text = format!(
                "neither {host} nor Synapse's host resolves on this machine, so the DNS record can't be verified here"
            );
            Finding::unknown(HOST_UNRESOLVED, FQDN, text)
        }
        (Known::Unreadable(why), _) => {
            let text = format!("couldn't determine whether {host} resolves: {why}");
            Finding::unknown(HOST_UNRESOLVED, FQDN, text)
        }
    };
    let remedy = format!("Create a DNS record for {host} that points to the same ingress as Synapse's host.");
    Some(finding.remedy(remedy))
}

fn tls(snapshot: &Snapshot, settings: &MasSettings) -> Option<Finding> {
    let deployment = &snapshot.deployment;
    let (text, remedy) = match settings.tls_mode(deployment) {
        None => (
            "neither MAS nor spec.global.k8s.ingresses.tls sets a TLS mode",
            "Set one with `kubectl ess-mas prepare --tls external|certmanager|existing|certfile`.",
        ),
        Some(TlsMode::Existing)
            if settings.tls == Tls::Inherit && deployment.tls_mode(MAS).is_none_or(|(_, inherited)| inherited) =>
        {
            (
                "MAS inherits the TLS mode `existing`, so it would use the same Secret as the other components",
                "Make sure that its certificate covers MAS's host, or set a separate one: `kubectl ess-mas prepare --tls existing --tls-secret NAME`.",
            )
        }
        Some(_) => return None,
    };
    Some(Finding::warning(TLS_MODE, TLS, text).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::checks::Severity;
    use crate::checks::{Components, Resolution};
    use crate::deployment::{Deployment, Features};
    use crate::plan::{Database, Tls};

    fn found(
        host: &str,
        components: Value,
        seen: Option<Resolution>,
        purpose: Purpose,
    ) -> Vec<(&'static str, Severity)> {
        let object = json!({
            "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
            "spec": {"global": {"config": {"domainName": "example.com"}}, "components": components}});
        let database =
            Database { host: "db".into(), port: 5432, name: "mas".into(), user: "mas".into(), ssl_mode: None };
        let settings = MasSettings { host: host.into(), database, tls: Tls::External, secret_name: "s".into() };
        let snapshot = Snapshot {
            deployment: Deployment::from_value(object).unwrap(),
            features: Known::Known(Features::default()),
            secret: Known::Known(None),
            record: Known::Known(None),
            settings: Some(settings.clone()),
            chart: None,
            environment: crate::checks::Environment::default(),
            components: Components { resolution: seen, ..Components::default() },
        };
        let mut findings = Vec::new();
        super::host(&snapshot, &settings, &mut findings);
        findings.extend(resolution(&snapshot, &settings, purpose));
        findings.into_iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    #[test]
    fn host_of_another_component_is_reported_in_any_spelling() {
        let components = || {
            json!({"synapse": {"k8s": {"ingress": {"fqdn": "matrix.example.com"}}},
                   "jitsi": {"k8s": {"ingresses": {"web": {"fqdn": "meet.example.com"}, "sip": {"fqdn": "sip.example.com"}}}}})
        };
        let taken = |host: &str| found(host, components(), None, Purpose::Look);
        assert_eq!(taken("auth.example.com"), []);
        for host in ["matrix.example.com", "MATRIX.example.com.", "sip.example.com"] {
            assert_eq!(taken(host), [("mas-host-taken", Severity::Blocker)], "{host}");
        }
        assert_eq!(taken("example.com"), [("mas-host-taken", Severity::Warning)]);
        let delegated = found("example.com", json!({"wellKnownDelegation": {}}), None, Purpose::Look);
        assert_eq!(delegated, [("mas-host-taken", Severity::Blocker)]);
    }

    #[test]
    fn ingress_outside_the_deployment_with_the_same_host_is_reported() {
        let snapshot = crate::checks::tests::snapshot(|_| {});
        let (namespace, name) = (snapshot.deployment.namespace().to_owned(), snapshot.deployment.name().to_owned());
        let ingress = |namespace: &str, name: &str, host: &str, path: &str, owner: &str| {
            json!({"metadata": {"namespace": namespace, "name": name, "ownerReferences": [{"apiVersion": owner, "kind": "X"}]},
                   "spec": {"rules": [{"host": host, "http": {"paths": [{"path": path}]}}]}})
        };
        let taken = |ingress: &Value, host: &str| {
            let mut snapshot = snapshot.clone();
            snapshot.components.other_hosts = OtherHost::of_ingress(ingress, &snapshot.deployment);
            let database =
                Database { host: "db".into(), port: 5432, name: "mas".into(), user: "mas".into(), ssl_mode: None };
            let settings = MasSettings { host: host.into(), database, tls: Tls::External, secret_name: "s".into() };
            let mut findings = Vec::new();
            super::host(&snapshot, &settings, &mut findings);
            findings.pop()
        };
        let other = ingress("old-mas", "auth", "Auth.example.net", "/", "apps/v1");
        let found = taken(&other, "auth.example.net").unwrap();
        assert_eq!((found.code, found.severity), ("mas-host-taken", Severity::Warning));
        assert!(
            found.message.contains("Ingress old-mas/auth")
                && found.remedy.unwrap().contains("Remove the host from Ingress old-mas/auth")
        );
        assert_eq!(taken(&other, "other.example.net"), None);
        let neighbour = ingress(&namespace, "auth", "auth.example.net", "/", "apps/v1");
        assert!(taken(&neighbour, "auth.example.net").is_some(), "another Ingress in the same namespace");
        for own in [
            ingress(&namespace, &format!("{name}-mas"), "auth.example.net", "/", "apps/v1"),
            ingress(&namespace, "mas", "auth.example.net", "/", "mas.matrix.element.io/v1alpha1"),
            ingress("old-mas", "cm-acme-http-solver", "auth.example.net", "/.well-known/acme-challenge/x", "v1"),
        ] {
            assert_eq!(taken(&own, "auth.example.net"), None, "{own}");
        }
    }

    #[test]
    fn dns_result_counts_only_if_synapses_host_resolves() {
        use Severity::{Ok, Unknown, Warning};
        let seen = |mas: Known<bool>, synapse: Option<bool>, purpose: Purpose| {
            let seen = Resolution { host: "auth.example.com".into(), mas, synapse: synapse.map(Known::Known) };
            found("auth.example.com", json!({}), Some(seen), purpose)
                .into_iter()
                .map(|(_, severity)| severity)
                .collect::<Vec<_>>()
        };
        assert_eq!(seen(Known::Known(true), Some(false), Purpose::DryRun), [Ok]);
        assert_eq!(seen(Known::Known(false), Some(true), Purpose::DryRun), [Warning]);
        assert_eq!(seen(Known::Known(false), Some(true), Purpose::Activate), [Warning]);
        assert_eq!(seen(Known::Known(false), Some(true), Purpose::Prepare), [], "the record can be created later");
        assert_eq!(seen(Known::Known(false), Some(false), Purpose::Look), [Unknown]);
        assert_eq!(seen(Known::Known(false), Some(false), Purpose::DryRun), [], "this machine's DNS is irrelevant");
        assert_eq!(seen(Known::Known(false), None, Purpose::Look), [Unknown]);
        assert_eq!(seen(Known::Unreadable("late".into()), Some(true), Purpose::Look), [Unknown]);
        let another =
            Resolution { host: "old.example.com".into(), mas: Known::Known(false), synapse: Some(Known::Known(true)) };
        assert_eq!(
            found("auth.example.com", json!({}), Some(another), Purpose::Look),
            [],
            "the lookup was for another host"
        );
    }
}
