//! Where the deployment and its operator stand.

use super::finding::{Finding, codes};
use super::pause;
use super::snapshot::{Snapshot, Step};
use crate::deployment::Run;

/// A longer name makes every reconciliation fail.
const LONGEST_NAME: usize = 25;

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let subject = format!("ElementDeployment {}", deployment.name());
    if deployment.being_deleted() {
        findings.push(
            Finding::blocker(codes::BEING_DELETED, &subject, "it is being deleted")
                .remedy("Wait until it is gone, or find out who deleted it."),
        );
    }
    if deployment.name().len() > LONGEST_NAME {
        let length = deployment.name().len();
        findings.push(
            Finding::blocker(
                codes::NAME_TOO_LONG,
                &subject,
                format!("its name has {length} characters; the operator refuses more than {LONGEST_NAME}"),
            )
            .remedy("Talk to Element Support: a deployment cannot be renamed in place."),
        );
    }
    if deployment.mas_active() == Some(true) {
        findings.push(match step {
            Step::Abort => Finding::blocker(
                codes::ALREADY_MIGRATED,
                "status.mas_active",
                "the migration is done, so there is no way back except from a backup",
            )
            .remedy(
                "Restore Synapse's and MAS's databases from the backup if you must go back; otherwise leave it active.",
            )
            .guide(),
            _ => Finding::ok(codes::ALREADY_MIGRATED, "status.mas_active", "the migration is done"),
        });
        return;
    }
    if step == Step::Abort {
        return;
    }
    if deployment.active() == Some(true) && step != Step::Activate {
        findings.push(under_way(snapshot));
    }
    conditions(snapshot, step, findings);
    pause::check(snapshot, findings);
    operator(snapshot, findings);
}

fn under_way(snapshot: &Snapshot) -> Finding {
    let conditions = snapshot.deployment.conditions();
    let content = conditions.run() == Run::Succeeded && conditions.successful() == Some(true);
    let subject = "spec.components.matrixAuthenticationService.config.active";
    if content && snapshot.deployment.mas_active().is_none() {
        // A deployment that was installed with MAS looks like this in a release that writes mas_active only when it migrates.
        let text = "it is true and the operator is content, but it has never written mas_active: this deployment was installed with MAS, or its migration has not been told yet";
        return Finding::blocker(codes::MIGRATION_UNDER_WAY, subject, text).remedy(
            "Look where people log in. If it is at MAS, there is nothing to do; else follow the operator with `kubectl ess-mas activate`, or go back with `kubectl ess-mas abort`.",
        );
    }
    Finding::blocker(codes::MIGRATION_UNDER_WAY, subject, "it is true, so the operator is migrating or tries to")
        .remedy("Follow it with `kubectl ess-mas activate`, or go back with `kubectl ess-mas abort`.")
}

/// The operator's own pod, where it may be looked at. What cannot be seen there is no finding: the conditions tell most.
fn operator(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(operator) = &snapshot.circumstances.operator else { return };
    let subject = format!("Deployment {} in {}", operator.name, operator.namespace);
    if operator.ready > 0 {
        findings.push(Finding::ok(codes::OPERATOR, subject, "the operator runs"));
        return;
    }
    let text = if operator.wanted == 0 {
        "the operator is scaled to 0, so nothing happens after a change until it runs again, whenever that is"
    } else {
        "the operator has no pod that is ready, so nothing happens after a change until it runs again, whenever that is"
    };
    findings.push(
        Finding::warning(codes::OPERATOR, subject, text)
            .remedy(format!("See why: kubectl describe deployment {} -n {}", operator.name, operator.namespace)),
    );
}

fn conditions(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let conditions = deployment.conditions();
    // A rehearsal that failed leaves `Successful` false, and the way out is to rehearse again once the cause is
    // mended. Before the first write, and before the activation, everything must be well.
    let may_rehearse_again = deployment.mas().is_some() && matches!(step, Step::DryRun | Step::Prepare);
    findings.push(match conditions.available() {
        Some(true) => Finding::ok(codes::AVAILABLE, "condition Available", "it is True"),
        Some(false) => {
            let (status, message) =
                conditions.get("Available").map(|c| (c.status.as_str(), c.message.as_str())).unwrap_or_default();
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            let text = format!("it is {status}{why}");
            let remedy = "Find out which component is not available and mend it first.";
            if may_rehearse_again {
                Finding::warning(codes::AVAILABLE, "condition Available", text).remedy(remedy)
            } else {
                Finding::blocker(codes::AVAILABLE, "condition Available", text).remedy(remedy).guide()
            }
        }
        None => Finding::unknown(codes::AVAILABLE, "condition Available", "the operator has not written it")
            .remedy("See for yourself that all components run; some releases never write this condition."),
    });
    let failing = conditions.failure();
    match (conditions.run(), &failing) {
        (Run::Never, _) => findings.push(
            Finding::blocker(
                codes::SUCCESSFUL,
                "condition Successful",
                "the operator has never reconciled this deployment",
            )
            .remedy("Check that the operator runs; its first run must end well before anything is changed.")
            .guide(),
        ),
        (Run::Failed | Run::Running, Some(failure)) => {
            let text = format!("the operator's last run failed, and it tries again by itself: {}", failure.message);
            findings.push(if may_rehearse_again {
                Finding::ok(
                    codes::SUCCESSFUL,
                    "condition Successful",
                    "the last rehearsal failed; this one starts anew",
                )
            } else {
                Finding::blocker(codes::SUCCESSFUL, "condition Successful", text)
                    .remedy("Mend what it reports; a change on top of a failing deployment cannot be judged.")
                    .guide()
            });
        }
        (Run::Running, None) => findings.push(Finding::ok(
            codes::RUN_UNDER_WAY,
            "condition Running",
            "a run of the operator is under way; its end is waited for before anything is written",
        )),
        (Run::Succeeded, _) if conditions.successful() == Some(true) => {
            findings.push(Finding::ok(codes::SUCCESSFUL, "condition Successful", "the operator's last run ended well"));
        }
        _ => findings.push(
            Finding::blocker(codes::SUCCESSFUL, "condition Successful", "it is not True")
                .remedy("Let the deployment reconcile fully before anything is changed.")
                .guide(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Severity, run, tests};
    use super::*;
    use crate::deployment::OperatorDeployment;

    fn told(snapshot: &Snapshot, step: Step, code: &str) -> Option<Finding> {
        run(snapshot, step).into_iter().find(|one| one.code == code)
    }

    #[test]
    fn an_operator_without_a_ready_pod_is_said_before_a_change_and_does_not_hold_up_going_back() {
        let with = |wanted, ready| {
            let mut snapshot = tests::snapshot(|_| {});
            snapshot.circumstances.operator = Some(OperatorDeployment {
                name: "element-updater-controller-manager".into(),
                namespace: "element-updater".into(),
                wanted,
                ready,
                release: None,
            });
            snapshot
        };
        let severity = |snapshot: &Snapshot, step| told(snapshot, step, codes::OPERATOR).map(|one| one.severity);
        assert_eq!(severity(&with(1, 1), Step::Activate), Some(Severity::Ok));
        assert_eq!(severity(&with(1, 0), Step::Activate), Some(Severity::Warning));
        assert!(told(&with(0, 0), Step::Look, codes::OPERATOR).unwrap().message.contains("scaled to 0"));
        assert_eq!(severity(&with(1, 0), Step::Abort), None);
        assert_eq!(severity(&tests::snapshot(|_| {}), Step::Activate), None, "it could not be looked at");
    }

    #[test]
    fn a_run_that_is_under_way_is_said_and_is_in_nobodys_way() {
        let running = tests::snapshot(|object| {
            object["status"]["conditions"][1] = json!({"type": "Running", "status": "True", "reason": "Running"});
            object["status"]["conditions"][2]["status"] = json!("False");
        });
        let found = told(&running, Step::DryRun, codes::RUN_UNDER_WAY).unwrap();
        assert_eq!(found.severity, Severity::Ok);
        assert!(told(&running, Step::DryRun, codes::SUCCESSFUL).is_none());
        assert!(told(&tests::snapshot(|_| {}), Step::DryRun, codes::RUN_UNDER_WAY).is_none());
    }

    #[test]
    fn what_available_says_is_quoted() {
        let snapshot = tests::snapshot(|object| {
            object["status"]["conditions"][0] =
                json!({"type": "Available", "status": "Unknown", "message": "synapse-main has no pod"});
        });
        let told = told(&snapshot, Step::DryRun, codes::AVAILABLE).unwrap();
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
        let silent = told(&on(|_| {}), Step::DryRun, codes::MIGRATION_UNDER_WAY).unwrap();
        assert!(silent.message.contains("installed with MAS"), "{}", silent.message);
        let trying = told(&on(|status| status["mas_active"] = json!(false)), Step::DryRun, codes::MIGRATION_UNDER_WAY);
        assert!(trying.unwrap().message.contains("migrating or tries to"));
    }
}
