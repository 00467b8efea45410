//! The state of the deployment and its operator.

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
const RECONCILE_PERIOD: Code = "reconcile-period";

/// A longer name makes every reconciliation fail.
const LONGEST_NAME: usize = 25;

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let subject = format!("ElementDeployment {}", deployment.name());
    if deployment.being_deleted() {
        let finding = Finding::blocker(BEING_DELETED, &subject, "the ElementDeployment is being deleted");
        findings.push(finding.remedy("Wait until it is deleted, or find out who deleted it."));
    }
    let length = deployment.name().len();
    if length > LONGEST_NAME {
        let text = format!("the name has {length} characters; the operator accepts at most {LONGEST_NAME}");
        let remedy = "Contact Element Support: a deployment can't be renamed in place.";
        findings.push(Finding::blocker(NAME_TOO_LONG, &subject, text).remedy(remedy));
    }
    if deployment.mas_active() == Some(true) {
        return findings.push(migrated(purpose));
    }
    if purpose == Purpose::Abort {
        return;
    }
    if deployment.active() == Some(true) && purpose != Purpose::Activate {
        findings.push(under_way(deployment));
    }
    findings.push(available(deployment, purpose));
    findings.push(successful(deployment, purpose));
    findings.extend(reconcile_period(deployment));
    findings.extend(operator(snapshot));
}

fn migrated(purpose: Purpose) -> Finding {
    if purpose != Purpose::Abort {
        return Finding::ok(ALREADY_MIGRATED, "status.mas_active", "the migration is complete: mas_active is true");
    }
    let text = "the migration is complete, so a rollback is no longer possible";
    let remedy =
        "The only way back is to restore Synapse's and MAS's databases from a backup. Otherwise, leave MAS active.";
    Finding::blocker(ALREADY_MIGRATED, "status.mas_active", text).remedy(remedy).guide()
}

fn under_way(deployment: &Deployment) -> Finding {
    let conditions = deployment.conditions();
    let succeeded = conditions.run() == Run::Succeeded && conditions.successful() == Some(true);
    // Some releases write mas_active only when they migrate, so a deployment that was installed with MAS has none.
    let (text, remedy) = if succeeded && deployment.mas_active().is_none() {
        (
            "active is true and the last reconcile succeeded, but the operator never wrote mas_active. Either the deployment was installed with MAS, or the migration is not reported yet",
            "Check where users log in. If they log in at MAS, no action is needed. Otherwise follow the operator with `kubectl ess-mas activate`, or roll back with `kubectl ess-mas abort`.",
        )
    } else {
        let text = match conditions.failure() {
            Some(_) => "active is true, and the operator's last migration failed; the operator retries",
            None => "active is true, so the migration is running or will start",
        };
        (text, "Follow it with `kubectl ess-mas activate`, or roll back with `kubectl ess-mas abort`.")
    };
    let subject = "spec.components.matrixAuthenticationService.config.active";
    Finding::blocker(MIGRATION_UNDER_WAY, subject, text).remedy(remedy)
}

/// The operator's pod. No finding if it can't be read: the conditions show most problems.
fn operator(snapshot: &Snapshot) -> Option<Finding> {
    let operator = snapshot.environment.operator.as_ref()?;
    let subject = format!("Deployment {} in {}", operator.name, operator.namespace);
    if operator.ready > 0 {
        return Some(Finding::ok(OPERATOR, subject, format!("operator {} is running", operator.name)));
    }
    let text = if operator.wanted == 0 {
        "the operator is scaled to 0; it reacts to changes only when it runs again"
    } else {
        "the operator has no ready pod; it reacts to changes only when it runs again"
    };
    let remedy = format!("Find the cause: kubectl describe deployment {} -n {}", operator.name, operator.namespace);
    Some(Finding::warning(OPERATOR, subject, text).remedy(remedy))
}

/// A failed dry run leaves `Successful` false, and the user repeats it once the cause is fixed. Before the first write, and
/// before the activation, all conditions must be True.
fn may_rehearse_again(deployment: &Deployment, purpose: Purpose) -> bool {
    deployment.mas().is_some() && matches!(purpose, Purpose::DryRun | Purpose::Prepare)
}

fn available(deployment: &Deployment, purpose: Purpose) -> Finding {
    let subject = "condition Available";
    match deployment.conditions().get("Available") {
        None => Finding::unknown(AVAILABLE, subject, "the operator has not written this condition")
            .remedy("Check that all components are running. Some releases never write this condition."),
        Some(condition) if condition.is_true() => Finding::ok(AVAILABLE, subject, "condition Available is True"),
        Some(condition) => {
            let why = if condition.message.is_empty() { "" } else { ": " };
            let text = format!("status is {}{why}{}", condition.status, condition.message);
            let remedy = "Find out which component is not available, and fix it first.";
            if may_rehearse_again(deployment, purpose) {
                return Finding::warning(AVAILABLE, subject, text).remedy(remedy);
            }
            Finding::blocker(AVAILABLE, subject, text).remedy(remedy).guide()
        }
    }
}

fn successful(deployment: &Deployment, purpose: Purpose) -> Finding {
    let subject = "condition Successful";
    let conditions = deployment.conditions();
    let (text, remedy) = match (conditions.run(), conditions.failure()) {
        (Run::Never, _) => (
            "the operator has never reconciled this deployment".to_owned(),
            "Check that the operator is running. Its first reconcile must succeed before you change the deployment.",
        ),
        (Run::Failed | Run::Running, Some(_)) if may_rehearse_again(deployment, purpose) => {
            return Finding::ok(SUCCESSFUL, subject, "the last dry run failed; you can repeat it");
        }
        (Run::Failed | Run::Running, Some(failure)) => (
            format!("the last reconcile failed, and the operator retries: {}", failure.message),
            "Fix the cause first. While reconciles fail, the result of a change can't be determined.",
        ),
        (Run::Running, None) => {
            let text = "a reconcile is running; a command waits for its end before it writes";
            return Finding::ok(RUN_UNDER_WAY, "condition Running", text);
        }
        (Run::Succeeded, _) if conditions.successful() == Some(true) => {
            return Finding::ok(SUCCESSFUL, subject, "the operator's last reconcile succeeded");
        }
        _ => ("status is not True".to_owned(), "Wait for a complete reconcile before you change the deployment."),
    };
    Finding::blocker(SUCCESSFUL, subject, text).remedy(remedy).guide()
}

const PERIOD: &str = "ansible.sdk.operatorframework.io/reconcile-period";

/// A reconcile period that Go can't parse makes every reconcile fail.
fn reconcile_period(deployment: &Deployment) -> Option<Finding> {
    let period = deployment.annotation(PERIOD).filter(|period| !is_go_duration(period))?;
    let text = format!("the operator can't parse {period:?}, so every reconcile fails");
    let remedy = "Set a duration such as 5m or 1h30m, or remove the annotation.";
    Some(Finding::blocker(RECONCILE_PERIOD, format!("annotation {PERIOD}"), text).remedy(remedy))
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
        assert!(finding_of(&with(0, 0), Purpose::Look, "operator-running").unwrap().message.contains("scaled to 0"));
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
