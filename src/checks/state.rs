//! Where the deployment and its operator stand.

use super::finding::{Finding, codes};
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
        findings.push(
            Finding::blocker(
                codes::MIGRATION_UNDER_WAY,
                "spec.components.matrixAuthenticationService.config.active",
                "it is true, so the operator is migrating or tries to",
            )
            .remedy("Follow it with `activate`, or go back with `abort`."),
        );
    }
    conditions(snapshot, step, findings);
}

fn conditions(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let conditions = deployment.conditions();
    // A rehearsal that failed leaves `Successful` false, and the way out is to rehearse again once the cause is
    // mended. Before the first write, and before the activation, everything must be well.
    let may_rehearse_again = deployment.mas().is_some() && matches!(step, Step::DryRun | Step::Prepare);
    findings.push(match conditions.available() {
        Some(true) => Finding::ok(codes::AVAILABLE, "condition Available", "it is True"),
        Some(false) if !may_rehearse_again => {
            let message = conditions.get("Available").map(|c| c.message.clone()).unwrap_or_default();
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            Finding::blocker(codes::AVAILABLE, "condition Available", format!("it is False{why}"))
                .remedy("Find out which component is not available and mend it first.")
                .guide()
        }
        Some(false) => Finding::warning(codes::AVAILABLE, "condition Available", "it is False")
            .remedy("Find out which component is not available."),
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
