//! Annotations that keep the operator from working.
//!
//! ansible-operator, which ESS Classic's operator is built with, knows no annotation that pauses it; a later release or
//! somebody's own build may. One of its annotations stops it by accident: a reconcile period that Go cannot read.

use super::finding::{Finding, codes};
use super::snapshot::Snapshot;
use crate::duration::is_go_duration;

const PERIOD: &str = "ansible.sdk.operatorframework.io/reconcile-period";

/// Annotations of tools that pause themselves by them, not the operator.
const OTHERS: [&str; 3] = ["argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/"];

pub(super) fn check(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    for (key, value) in deployment.annotations() {
        if says_paused(key, value) {
            let text = format!("it says {value:?}; if the operator heeds it, nothing happens after a change");
            findings.push(
                Finding::warning(codes::PAUSED, format!("annotation {key}"), text)
                    .remedy("Find out who set it and why, and take it away first."),
            );
        }
    }
    if let Some(period) = deployment.annotation(PERIOD).filter(|period| !is_go_duration(period)) {
        let text = format!("it says {period:?}, which the operator cannot read, so that every run of it fails");
        findings.push(
            Finding::blocker(codes::RECONCILE_PERIOD, format!("annotation {PERIOD}"), text)
                .remedy("Write a duration such as 5m or 1h30m, or take the annotation away."),
        );
    }
}

fn says_paused(key: &str, value: &str) -> bool {
    if OTHERS.iter().any(|prefix| key.starts_with(prefix)) {
        return false;
    }
    let name = key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let value = value.trim().to_ascii_lowercase();
    let word = ["pause", "suspend", "skip-reconcil", "skipreconcil"].iter().any(|word| name.contains(word));
    let off = name.ends_with("reconcile") && ["disabled", "disable", "false", "off"].contains(&value.as_str());
    off || (word && !["false", "0", "no", "off", ""].contains(&value.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Severity, Step, run, tests};
    use super::*;

    fn found(key: &str, value: &str, code: &str) -> Option<Severity> {
        let snapshot = tests::snapshot(|object| object["metadata"]["annotations"] = json!({ key: value }));
        run(&snapshot, Step::DryRun).into_iter().find(|one| one.code == code).map(|one| one.severity)
    }

    #[test]
    fn what_calls_itself_paused_is_said() {
        for (key, value) in [
            ("ansible.sdk.operatorframework.io/pause", "true"),
            ("example.com/paused", "yes"),
            ("example.com/skip-reconcile", "true"),
            ("example.com/reconcile", "disabled"),
        ] {
            assert_eq!(found(key, value, codes::PAUSED), Some(Severity::Warning), "{key}");
        }
        for (key, value) in [
            ("example.com/paused", "false"),
            ("example.com/reconcile", "enabled"),
            ("argocd.argoproj.io/skip-reconcile", "true"),
            ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
            ("ansible.sdk.operatorframework.io/verbosity", "5"),
        ] {
            assert_eq!(found(key, value, codes::PAUSED), None, "{key}");
        }
    }

    #[test]
    fn a_period_that_the_operator_cannot_read_stops_every_run() {
        for bad in ["5", "5 minutes", "", "m", "1d", "1..5s", "PT5M", "."] {
            assert_eq!(found(PERIOD, bad, codes::RECONCILE_PERIOD), Some(Severity::Blocker), "{bad}");
        }
        for good in ["5m", "1h30m", "0", "0s", "1.5h", ".5s", "300ms", "-1s", "10µs"] {
            assert_eq!(found(PERIOD, good, codes::RECONCILE_PERIOD), None, "{good}");
        }
    }
}
