//! The settings of MAS against the rest of the deployment.

mod database;

pub use database::{DATABASE_HOST, DATABASE_POOLER, DATABASE_ROLE, DATABASE_SHARED};

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
        findings.push(finding.remedy("Settle it anew with `kubectl ess-mas prepare`."));
    }
    host(snapshot, settings, findings);
    findings.extend(resolution(snapshot, settings, purpose));
    database::check(snapshot, settings, findings);
    findings.extend(tls(snapshot, settings));
}

fn host(snapshot: &Snapshot, settings: &MasSettings, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    // Names are compared as DNS does.
    let normal = |host: &str| host.trim().trim_end_matches('.').to_ascii_lowercase();
    let host = normal(&settings.host);
    let remedy = "Choose a host of its own for MAS, such as auth.<your domain>.";
    for (component, fqdn) in deployment.ingress_hosts() {
        if component != MAS && normal(fqdn) == host {
            let message = format!("{} is the host of {component}", settings.host);
            findings.push(Finding::blocker(HOST_TAKEN, FQDN, message).remedy(remedy).guide());
        }
    }
    for OtherHost { ingress, .. } in snapshot.components.other_hosts.iter().filter(|other| normal(&other.host) == host)
    {
        let text = format!(
            "Ingress {ingress} has the host {host} already: the controller may refuse the operator's Ingress, or send MAS's requests there"
        );
        let remedy = format!(
            "Ingress {ingress} has to give the host up: remove the host from it, or choose another host with `kubectl ess-mas prepare --host HOST`."
        );
        findings.push(Finding::warning(HOST_TAKEN, FQDN, text).remedy(remedy));
    }
    if deployment.domain_name().is_some_and(|domain| normal(domain) == host) {
        let host = &settings.host;
        let finding = if deployment.component("wellKnownDelegation").is_some() {
            let message = format!("{host} is the server name, where wellKnownDelegation answers");
            Finding::blocker(HOST_TAKEN, FQDN, message)
        } else {
            let message = format!(
                "{host} is the server name itself: whatever else answers there, above all /.well-known/matrix, would be MAS's"
            );
            Finding::warning(HOST_TAKEN, FQDN, message)
        };
        findings.push(finding.remedy(remedy));
    }
}

/// Seen from here only, so Synapse's host, which is known to be in use, tells whether being here tells anything.
fn resolution(snapshot: &Snapshot, settings: &MasSettings, purpose: Purpose) -> Option<Finding> {
    let seen = snapshot.components.resolution.as_ref().filter(|seen| seen.host == settings.host)?;
    let host = &settings.host;
    let finding = match (&seen.mas, &seen.synapse) {
        (Known::Known(true), _) => {
            return Some(Finding::ok(HOST_UNRESOLVED, FQDN, format!("DNS knows {host} from here")));
        }
        // `prepare` comes before the record is made.
        _ if purpose == Purpose::Prepare => return None,
        (Known::Known(false), Some(Known::Known(true))) => {
            let text = format!(
                "from here DNS does not know {host}, but it knows Synapse's host; without a record nobody can log in at MAS"
            );
            Finding::warning(HOST_UNRESOLVED, FQDN, text)
        }
        // Where not even Synapse's host is known, the writing commands have nothing to hold against anybody.
        _ if purpose != Purpose::Look => return None,
        (Known::Known(false), _) => {
            let text = format!(
                "whether DNS knows {host} cannot be told from here, where it does not know Synapse's host either"
            );
            Finding::unknown(HOST_UNRESOLVED, FQDN, text)
        }
        (Known::Unreadable(why), _) => {
            let text = format!("whether DNS knows {host} could not be found out from here: {why}");
            Finding::unknown(HOST_UNRESOLVED, FQDN, text)
        }
    };
    let remedy = format!("Make the DNS record for {host}, pointing to the same ingress as Synapse's host.");
    Some(finding.remedy(remedy))
}

fn tls(snapshot: &Snapshot, settings: &MasSettings) -> Option<Finding> {
    let deployment = &snapshot.deployment;
    let (text, remedy) = match settings.tls_mode(deployment) {
        None => (
            "neither MAS nor spec.global.k8s.ingresses.tls sets a TLS mode",
            "Choose one with `prepare --tls external|certmanager|existing|certfile`.",
        ),
        Some(TlsMode::Existing)
            if settings.tls == Tls::Inherit && deployment.tls_mode(MAS).is_none_or(|(_, inherited)| inherited) =>
        {
            (
                "the TLS mode is inherited and is `existing`: MAS would use the same Secret as the other components",
                "Make sure that its certificate is good for MAS's host too, or give MAS one of its own: `prepare --tls existing --tls-secret NAME`.",
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
    fn a_host_that_is_taken_in_any_spelling_or_ingress() {
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
    fn an_ingress_outside_the_deployment_that_has_the_host_is_named() {
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
        assert!(found.message.contains("Ingress old-mas/auth") && found.remedy.unwrap().contains("give the host up"));
        assert_eq!(taken(&other, "other.example.net"), None);
        let neighbour = ingress(&namespace, "auth", "auth.example.net", "/", "apps/v1");
        assert!(taken(&neighbour, "auth.example.net").is_some(), "another one in the same namespace");
        for own in [
            ingress(&namespace, &format!("{name}-mas"), "auth.example.net", "/", "apps/v1"),
            ingress(&namespace, "mas", "auth.example.net", "/", "mas.matrix.element.io/v1alpha1"),
            ingress("old-mas", "cm-acme-http-solver", "auth.example.net", "/.well-known/acme-challenge/x", "v1"),
        ] {
            assert_eq!(taken(&own, "auth.example.net"), None, "{own}");
        }
    }

    #[test]
    fn dns_counts_only_where_it_knows_synapse() {
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
        assert_eq!(seen(Known::Known(false), Some(true), Purpose::Prepare), [], "the record is still to be made");
        assert_eq!(seen(Known::Known(false), Some(false), Purpose::Look), [Unknown]);
        assert_eq!(seen(Known::Known(false), Some(false), Purpose::DryRun), [], "nothing follows from here");
        assert_eq!(seen(Known::Known(false), None, Purpose::Look), [Unknown]);
        assert_eq!(seen(Known::Unreadable("late".into()), Some(true), Purpose::Look), [Unknown]);
        let another =
            Resolution { host: "old.example.com".into(), mas: Known::Known(false), synapse: Some(Known::Known(true)) };
        assert_eq!(
            found("auth.example.com", json!({}), Some(another), Purpose::Look),
            [],
            "that was asked of another host"
        );
    }
}
