//! Where the deployment and its operator stand.

use super::finding::{Code, Finding};
use super::snapshot::{Purpose, Snapshot};
use crate::deployment::{Deployment, Run};
use crate::duration::is_go_duration;

const BEING_DELETED: Code = "being-deleted";
const NAME_TOO_LONG: Code = "name-too-long";
pub const ALREADY_MIGRATED: Code = "already-migrated";
pub const MIGRATION_UNDER_WAY: Code = "migration-under-way";
const OPERATOR: Code = "operator-running";
pub const AVAILABLE: Code = "available";
pub const SUCCESSFUL: Code = "successful";
pub const RUN_UNDER_WAY: Code = "run-under-way";
const PAUSED: Code = "paused";
const RECONCILE_PERIOD: Code = "reconcile-period";

/// A longer name makes every reconciliation fail.
const LONGEST_NAME: usize = 25;

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let subject = format!("ElementDeployment {}", deployment.name());
    if deployment.being_deleted() {
        let finding = Finding::blocker(BEING_DELETED, &subject, "it is being deleted");
        findings.push(finding.remedy("Wait until it is gone, or find out who deleted it."));
    }
    let length = deployment.name().len();
    if length > LONGEST_NAME {
        let text = format!("its name has {length} characters; the operator refuses more than {LONGEST_NAME}");
        let remedy = "Talk to Element Support: a deployment cannot be renamed in place.";
        findings.push(Finding::blocker(NAME_TOO_LONG, &subject, text).remedy(remedy));
    }
    if deployment.mas_active() == Some(true) {
        findings.push(migrated(purpose));
        return;
    }
    if purpose == Purpose::Abort {
        return;
    }
    if deployment.active() == Some(true) && purpose != Purpose::Activate {
        findings.push(under_way(deployment));
    }
    findings.push(available(deployment, purpose));
    findings.push(successful(deployment, purpose));
    pauses(deployment, findings);
    findings.extend(operator(snapshot));
}

fn migrated(purpose: Purpose) -> Finding {
    if purpose != Purpose::Abort {
        return Finding::ok(ALREADY_MIGRATED, "status.mas_active", "the migration is done");
    }
    let text = "the migration is done, so there is no way back except from a backup";
    let remedy =
        "Restore Synapse's and MAS's databases from the backup if you must go back; otherwise leave it active.";
    Finding::blocker(ALREADY_MIGRATED, "status.mas_active", text).remedy(remedy).guide()
}

fn under_way(deployment: &Deployment) -> Finding {
    let conditions = deployment.conditions();
    let content = conditions.run() == Run::Succeeded && conditions.successful() == Some(true);
    // A deployment that was installed with MAS looks like this in a release that writes mas_active only when it migrates.
    let (text, remedy) = if content && deployment.mas_active().is_none() {
        (
            "it is true and the operator is content, but it has never written mas_active: this deployment was installed with MAS, or its migration has not been told yet",
            "Look where people log in. If it is at MAS, there is nothing to do; else follow the operator with `kubectl ess-mas activate`, or go back with `kubectl ess-mas abort`.",
        )
    } else {
        (
            if conditions.failure().is_some() {
                "it is true, and the operator's last try to migrate failed; it tries again by itself"
            } else {
                "it is true, so the operator is migrating or tries to"
            },
            "Follow it with `kubectl ess-mas activate`, or go back with `kubectl ess-mas abort`.",
        )
    };
    let subject = "spec.components.matrixAuthenticationService.config.active";
    Finding::blocker(MIGRATION_UNDER_WAY, subject, text).remedy(remedy)
}

/// The operator's own pod, where it may be looked at. What cannot be seen there is no finding: the conditions tell most.
fn operator(snapshot: &Snapshot) -> Option<Finding> {
    let operator = snapshot.environment.operator.as_ref()?;
    let subject = format!("Deployment {} in {}", operator.name, operator.namespace);
    if operator.ready > 0 {
        return Some(Finding::ok(OPERATOR, subject, "the operator runs"));
    }
    let text = if operator.wanted == 0 {
        "the operator is scaled to 0, so nothing happens after a change until it runs again, whenever that is"
    } else {
        "the operator has no pod that is ready, so nothing happens after a change until it runs again, whenever that is"
    };
    let remedy = format!("See why: kubectl describe deployment {} -n {}", operator.name, operator.namespace);
    Some(Finding::warning(OPERATOR, subject, text).remedy(remedy))
}

/// A rehearsal that failed leaves `Successful` false, and the way out is to rehearse again once the cause is mended. Before
/// the first write, and before the activation, everything must be well.
fn may_rehearse_again(deployment: &Deployment, purpose: Purpose) -> bool {
    deployment.mas().is_some() && matches!(purpose, Purpose::DryRun | Purpose::Prepare)
}

fn available(deployment: &Deployment, purpose: Purpose) -> Finding {
    let subject = "condition Available";
    match deployment.conditions().get("Available") {
        None => Finding::unknown(AVAILABLE, subject, "the operator has not written it")
            .remedy("See for yourself that all components run; some releases never write this condition."),
        Some(condition) if condition.is_true() => Finding::ok(AVAILABLE, subject, "it is True"),
        Some(condition) => {
            let message = &condition.message;
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            let text = format!("it is {}{why}", condition.status);
            let remedy = "Find out which component is not available and mend it first.";
            if may_rehearse_again(deployment, purpose) {
                Finding::warning(AVAILABLE, subject, text).remedy(remedy)
            } else {
                Finding::blocker(AVAILABLE, subject, text).remedy(remedy).guide()
            }
        }
    }
}

fn successful(deployment: &Deployment, purpose: Purpose) -> Finding {
    let subject = "condition Successful";
    let conditions = deployment.conditions();
    let (text, remedy) = match (conditions.run(), conditions.failure()) {
        (Run::Never, _) => (
            "the operator has never reconciled this deployment".to_owned(),
            "Check that the operator runs; its first run must end well before anything is changed.",
        ),
        (Run::Failed | Run::Running, Some(_)) if may_rehearse_again(deployment, purpose) => {
            return Finding::ok(SUCCESSFUL, subject, "the last rehearsal failed; this one starts anew");
        }
        (Run::Failed | Run::Running, Some(failure)) => (
            format!("the operator's last run failed, and it tries again by itself: {}", failure.message),
            "Mend what it reports; a change on top of a failing deployment cannot be judged.",
        ),
        (Run::Running, None) => {
            let text = "a run of the operator is under way; its end is waited for before anything is written";
            return Finding::ok(RUN_UNDER_WAY, "condition Running", text);
        }
        (Run::Succeeded, _) if conditions.successful() == Some(true) => {
            return Finding::ok(SUCCESSFUL, subject, "the operator's last run ended well");
        }
        _ => ("it is not True".to_owned(), "Let the deployment reconcile fully before anything is changed."),
    };
    Finding::blocker(SUCCESSFUL, subject, text).remedy(remedy).guide()
}

const PERIOD: &str = "ansible.sdk.operatorframework.io/reconcile-period";

/// Annotations of tools that pause themselves by them, not the operator.
const OTHERS: [&str; 3] = ["argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/"];

/// Annotations that keep the operator from working. ansible-operator, which ESS Classic's operator is built with, knows none
/// that pauses it; a later release or somebody's own build may. One of its annotations stops it by accident: a reconcile
/// period that Go cannot read.
fn pauses(deployment: &Deployment, findings: &mut Vec<Finding>) {
    for (key, value) in deployment.annotations().filter(|(key, value)| says_paused(key, value)) {
        let text = format!("it says {value:?}; if the operator heeds it, nothing happens after a change");
        let remedy = "Find out who set it and why, and take it away first.";
        findings.push(Finding::warning(PAUSED, format!("annotation {key}"), text).remedy(remedy));
    }
    if let Some(period) = deployment.annotation(PERIOD).filter(|period| !is_go_duration(period)) {
        let text = format!("it says {period:?}, which the operator cannot read, so that every run of it fails");
        let remedy = "Write a duration such as 5m or 1h30m, or take the annotation away.";
        findings.push(Finding::blocker(RECONCILE_PERIOD, format!("annotation {PERIOD}"), text).remedy(remedy));
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

    use super::super::{Severity, run, tests};
    use super::*;
    use crate::deployment::OperatorDeployment;

    fn told(snapshot: &Snapshot, purpose: Purpose, code: &str) -> Option<Finding> {
        run(snapshot, purpose).into_iter().find(|one| one.code == code)
    }

    #[test]
    fn an_operator_without_a_ready_pod_is_said_before_a_change_and_does_not_hold_up_going_back() {
        let with = |wanted, ready| {
            let mut snapshot = tests::snapshot(|_| {});
            snapshot.environment.operator = Some(OperatorDeployment {
                name: "element-updater-controller-manager".into(),
                namespace: "element-updater".into(),
                wanted,
                ready,
                release: None,
            });
            snapshot
        };
        let severity =
            |snapshot: &Snapshot, purpose| told(snapshot, purpose, "operator-running").map(|one| one.severity);
        assert_eq!(severity(&with(1, 1), Purpose::Activate), Some(Severity::Ok));
        assert_eq!(severity(&with(1, 0), Purpose::Activate), Some(Severity::Warning));
        assert!(told(&with(0, 0), Purpose::Look, "operator-running").unwrap().message.contains("scaled to 0"));
        assert_eq!(severity(&with(1, 0), Purpose::Abort), None);
        assert_eq!(severity(&tests::snapshot(|_| {}), Purpose::Activate), None, "it could not be looked at");
    }

    #[test]
    fn a_run_that_is_under_way_is_said_and_is_in_nobodys_way() {
        let running = tests::snapshot(|object| {
            object["status"]["conditions"][1] = json!({"type": "Running", "status": "True", "reason": "Running"});
            object["status"]["conditions"][2]["status"] = json!("False");
        });
        let found = told(&running, Purpose::DryRun, "run-under-way").unwrap();
        assert_eq!(found.severity, Severity::Ok);
        assert!(told(&running, Purpose::DryRun, "successful").is_none());
        assert!(told(&tests::snapshot(|_| {}), Purpose::DryRun, "run-under-way").is_none());
    }

    #[test]
    fn what_available_says_is_quoted() {
        let snapshot = tests::snapshot(|object| {
            object["status"]["conditions"][0] =
                json!({"type": "Available", "status": "Unknown", "message": "synapse-main has no pod"});
        });
        let told = told(&snapshot, Purpose::DryRun, "available").unwrap();
        assert_eq!(told.message, "it is Unknown: synapse-main has no pod");
    }

    #[test]
    fn a_switch_that_is_on_without_any_word_of_a_migration_may_be_an_installation_with_mas() {
        let on = |status: fn(&mut serde_json::Value)| {
            tests::snapshot(|object| {
                object["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": true}});
                status(&mut object["status"]);
            })
        };
        let silent = told(&on(|_| {}), Purpose::DryRun, "migration-under-way").unwrap();
        assert!(silent.message.contains("installed with MAS"), "{}", silent.message);
        let trying = told(&on(|status| status["mas_active"] = json!(false)), Purpose::DryRun, "migration-under-way");
        assert!(trying.unwrap().message.contains("migrating or tries to"));
    }

    fn severity_of(key: &str, value: &str, code: &str) -> Option<Severity> {
        let snapshot = tests::snapshot(|object| object["metadata"]["annotations"] = json!({ key: value }));
        run(&snapshot, Purpose::DryRun).into_iter().find(|one| one.code == code).map(|one| one.severity)
    }

    #[test]
    fn what_calls_itself_paused_is_said() {
        for (key, value) in [
            ("ansible.sdk.operatorframework.io/pause", "true"),
            ("example.com/paused", "yes"),
            ("example.com/skip-reconcile", "true"),
            ("example.com/reconcile", "disabled"),
        ] {
            assert_eq!(severity_of(key, value, "paused"), Some(Severity::Warning), "{key}");
        }
        for (key, value) in [
            ("example.com/paused", "false"),
            ("example.com/reconcile", "enabled"),
            ("argocd.argoproj.io/skip-reconcile", "true"),
            ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
            ("ansible.sdk.operatorframework.io/verbosity", "5"),
        ] {
            assert_eq!(severity_of(key, value, "paused"), None, "{key}");
        }
    }

    #[test]
    fn a_period_that_the_operator_cannot_read_stops_every_run() {
        for bad in ["5", "5 minutes", "", "m", "1d", "1..5s", "PT5M", "."] {
            assert_eq!(severity_of(PERIOD, bad, "reconcile-period"), Some(Severity::Blocker), "{bad}");
        }
        for good in ["5m", "1h30m", "0", "0s", "1.5h", ".5s", "300ms", "-1s", "10µs"] {
            assert_eq!(severity_of(PERIOD, good, "reconcile-period"), None, "{good}");
        }
    }
}
