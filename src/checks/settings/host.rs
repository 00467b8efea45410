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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::finding::Severity;
    use super::super::super::surroundings::{Resolution, Surroundings};
    use super::*;
    use crate::deployment::{Deployment, Features};
    use crate::plan::{Database, Tls};

    fn found(host: &str, components: Value, seen: Option<Resolution>, step: Step) -> Vec<(&'static str, Severity)> {
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
            surroundings: Surroundings { resolution: seen, ..Surroundings::default() },
        };
        let mut findings = Vec::new();
        check(&snapshot, &settings, step, &mut findings);
        findings.into_iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    #[test]
    fn a_host_that_is_taken_in_any_spelling_or_ingress() {
        let components = || {
            json!({"synapse": {"k8s": {"ingress": {"fqdn": "matrix.example.com"}}},
                   "jitsi": {"k8s": {"ingresses": {"web": {"fqdn": "meet.example.com"}, "sip": {"fqdn": "sip.example.com"}}}}})
        };
        let taken = |host: &str| found(host, components(), None, Step::Look);
        assert_eq!(taken("auth.example.com"), []);
        for host in ["matrix.example.com", "MATRIX.example.com.", "sip.example.com"] {
            assert_eq!(taken(host), [(codes::HOST_TAKEN, Severity::Blocker)], "{host}");
        }
        assert_eq!(taken("example.com"), [(codes::HOST_TAKEN, Severity::Warning)]);
        let delegated = found("example.com", json!({"wellKnownDelegation": {}}), None, Step::Look);
        assert_eq!(delegated, [(codes::HOST_TAKEN, Severity::Blocker)]);
    }

    #[test]
    fn dns_counts_only_where_it_knows_synapse() {
        use Severity::{Ok, Unknown, Warning};
        let seen = |mas: Known<bool>, synapse: Option<bool>, step: Step| {
            let seen = Resolution { host: "auth.example.com".into(), mas, synapse: synapse.map(Known::Known) };
            found("auth.example.com", json!({}), Some(seen), step)
                .into_iter()
                .map(|(_, severity)| severity)
                .collect::<Vec<_>>()
        };
        assert_eq!(seen(Known::Known(true), Some(false), Step::DryRun), [Ok]);
        assert_eq!(seen(Known::Known(false), Some(true), Step::DryRun), [Warning]);
        assert_eq!(seen(Known::Known(false), Some(true), Step::Activate), [Warning]);
        assert_eq!(seen(Known::Known(false), Some(true), Step::Prepare), [], "the record is still to be made");
        assert_eq!(seen(Known::Known(false), Some(false), Step::Look), [Unknown]);
        assert_eq!(seen(Known::Known(false), Some(false), Step::DryRun), [], "nothing follows from here");
        assert_eq!(seen(Known::Known(false), None, Step::Look), [Unknown]);
        assert_eq!(seen(Known::Unreadable("late".into()), Some(true), Step::Look), [Unknown]);
        let another =
            Resolution { host: "old.example.com".into(), mas: Known::Known(false), synapse: Some(Known::Known(true)) };
        assert_eq!(
            found("auth.example.com", json!({}), Some(another), Step::Look),
            [],
            "that was asked of another host"
        );
    }
}
