//! The state of the deployment and its operator.

use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use crate::deployment::{Deployment, Run};
use crate::duration::is_go_duration;

/// A longer name makes every reconciliation fail.
const LONGEST_NAME: usize = 25;
const PERIOD: &str = "ansible.sdk.operatorframework.io/reconcile-period";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let subject = format!("ElementDeployment {}", deployment.name());
    if deployment.being_deleted() {
        findings.push(Finding::of("being-deleted", &subject, &[]));
    }
    let length = deployment.name().len();
    if length > LONGEST_NAME {
        let values = [("length", &*length.to_string()), ("longest", &LONGEST_NAME.to_string())];
        findings.push(Finding::of("name-too-long", &subject, &values));
    }
    if deployment.mas_active() == Some(true) {
        let name = if purpose == Purpose::Abort { "no-rollback" } else { "migrated" };
        return findings.push(Finding::of(name, "status.mas_active", &[]));
    }
    if purpose == Purpose::Abort {
        return;
    }
    if deployment.active() == Some(true) && purpose != Purpose::Activate {
        findings.push(under_way(deployment));
    }
    findings.extend([available(deployment, purpose), successful(deployment, purpose)]);
    // It makes every reconcile fail.
    if let Some(period) = deployment.annotation(PERIOD).filter(|period| !is_go_duration(period)) {
        let values = [("period", &*format!("{period:?}"))];
        findings.push(Finding::of("reconcile-period", format!("annotation {PERIOD}"), &values));
    }
    findings.extend(operator(snapshot));
}

fn under_way(deployment: &Deployment) -> Finding {
    let conditions = deployment.conditions();
    let succeeded = conditions.at_rest();
    let name = match conditions.failure() {
        // Some releases write mas_active only when they migrate, so a deployment that was installed with MAS has none.
        _ if succeeded && deployment.mas_active().is_none() => "active-without-mas-active",
        Some(_) => "migration-failed",
        None => "migrating",
    };
    Finding::of(name, "spec.components.matrixAuthenticationService.config.active", &[])
}

/// The operator's pod. No finding if it can't be read: the conditions show most problems.
fn operator(snapshot: &Snapshot) -> Option<Finding> {
    let operator = snapshot.environment.operator.as_ref()?;
    let name = match (operator.ready, operator.wanted) {
        (1.., _) => "operator",
        (_, 0) => "operator-scaled-down",
        _ => "operator-not-ready",
    };
    let subject = format!("Deployment {} in {}", operator.name, operator.namespace);
    Some(Finding::of(name, subject, &[("name", &operator.name), ("namespace", &operator.namespace)]))
}

/// A failed dry run leaves `Successful` false, and the user repeats it once the cause is fixed. Before the first write, and
/// before the activation, all conditions must be True.
fn may_repeat_dry_run(deployment: &Deployment, purpose: Purpose) -> bool {
    deployment.mas().is_some() && matches!(purpose, Purpose::DryRun | Purpose::Prepare)
}

fn available(deployment: &Deployment, purpose: Purpose) -> Finding {
    let subject = "condition Available";
    match deployment.conditions().get("Available") {
        None => Finding::of("available-unknown", subject, &[]),
        Some(condition) if condition.is_true() => Finding::of("available", subject, &[]),
        Some(condition) => {
            let message = &condition.message;
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            let again = may_repeat_dry_run(deployment, purpose);
            let name = if again { "not-available-yet" } else { "not-available" };
            Finding::of(name, subject, &[("status", &condition.status), ("why", &why)])
        }
    }
}

fn successful(deployment: &Deployment, purpose: Purpose) -> Finding {
    let conditions = deployment.conditions();
    let failure = conditions.failure();
    let name = match (conditions.run(), &failure) {
        (Run::Never, _) => "never-reconciled",
        (Run::Failed | Run::Running, Some(_)) if may_repeat_dry_run(deployment, purpose) => "dry-run-failed",
        (Run::Failed | Run::Running, Some(_)) => "reconcile-failed",
        (Run::Running, None) => return Finding::of("run-under-way", "condition Running", &[]),
        (Run::Succeeded, _) if conditions.successful() == Some(true) => "successful",
        _ => "not-successful",
    };
    Finding::of(name, "condition Successful", &[("why", failure.as_ref().map_or("", |failure| &failure.message))])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Severity, run, tests};
    use super::*;
    use crate::deployment::OperatorDeployment;

    fn finding_of(snapshot: &Snapshot, purpose: Purpose, code: &str) -> Option<Finding> {
        run(snapshot, purpose).into_iter().find(|one| one.code == code)
    }

    #[test]
    fn an_operator_without_a_ready_pod_is_a_warning_and_not_for_abort() {
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
            |snapshot: &Snapshot, purpose| finding_of(snapshot, purpose, "operator-running").map(|one| one.severity);
        assert_eq!(severity(&with(1, 1), Purpose::Activate), Some(Severity::Ok));
        assert_eq!(severity(&with(1, 0), Purpose::Activate), Some(Severity::Warning));
        assert!(finding_of(&with(0, 0), Purpose::Check, "operator-running").unwrap().message.contains("scaled to 0"));
        assert_eq!(severity(&with(1, 0), Purpose::Abort), None);
        assert_eq!(severity(&tests::snapshot(|_| {}), Purpose::Activate), None, "the Deployment can't be read");
    }

    #[test]
    fn a_running_reconcile_is_ok() {
        let running = tests::snapshot(|object| {
            object["status"]["conditions"][1] = json!({"type": "Running", "status": "True", "reason": "Running"});
            object["status"]["conditions"][2]["status"] = json!("False");
        });
        let found = finding_of(&running, Purpose::DryRun, "run-under-way").unwrap();
        assert_eq!(found.severity, Severity::Ok);
        assert!(finding_of(&running, Purpose::DryRun, "successful").is_none());
        assert!(finding_of(&tests::snapshot(|_| {}), Purpose::DryRun, "run-under-way").is_none());
    }

    #[test]
    fn message_of_condition_available_is_quoted() {
        let snapshot = tests::snapshot(|object| {
            object["status"]["conditions"][0] =
                json!({"type": "Available", "status": "Unknown", "message": "synapse-main has no pod"});
        });
        let found = finding_of(&snapshot, Purpose::DryRun, "available").unwrap();
        assert_eq!(found.message, "status is Unknown: synapse-main has no pod");
    }

    #[test]
    fn active_without_mas_active_may_be_an_installation_with_mas() {
        let on = |status: fn(&mut serde_json::Value)| {
            tests::snapshot(|object| {
                object["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": true}});
                status(&mut object["status"]);
            })
        };
        let silent = finding_of(&on(|_| {}), Purpose::DryRun, "migration-under-way").unwrap();
        assert!(silent.message.contains("installed with MAS"), "{}", silent.message);
        let trying =
            finding_of(&on(|status| status["mas_active"] = json!(false)), Purpose::DryRun, "migration-under-way");
        assert!(trying.unwrap().message.contains("the migration is running or will start"));
    }

    fn severity_of(key: &str, value: &str, code: &str) -> Option<Severity> {
        let snapshot = tests::snapshot(|object| object["metadata"]["annotations"] = json!({ key: value }));
        run(&snapshot, Purpose::DryRun).into_iter().find(|one| one.code == code).map(|one| one.severity)
    }

    #[test]
    fn an_invalid_reconcile_period_is_a_blocker() {
        for bad in ["5", "5 minutes", "", "m", "1d", "1..5s", "PT5M", "."] {
            assert_eq!(severity_of(PERIOD, bad, "reconcile-period"), Some(Severity::Blocker), "{bad}");
        }
        for good in ["5m", "1h30m", "0", "0s", "1.5h", ".5s", "300ms", "-1s", "10µs"] {
            assert_eq!(severity_of(PERIOD, good, "reconcile-period"), None, "{good}");
        }
    }
}
