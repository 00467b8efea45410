//! Reports and records failures, time-outs and overwritten changes.

use super::advice;
use super::follow::missing;
use super::step::Step;
use crate::checks::{Snapshot, dry_run_record};
use crate::deployment::FailureReport;
use crate::diagnosis;
use crate::error::{Exit, Failure};
use crate::record::{self, DryRunResult, FailureFile, TimelineEntry};
use crate::session::Session;
use crate::terminal::Line;
use crate::verdict::{Awaiting, Observation};

pub fn timed_out(session: &Session, step: Step, awaiting: &Awaiting, goes_on: &str) -> Failure {
    let text = format!("timed out waiting for {}; {goes_on}", missing(awaiting));
    let failure = Failure::new(Exit::TimedOut, text);
    let failure = match awaiting {
        Awaiting::Start => failure.advise("Check that the operator is running: the Deployment whose name ends in updater-controller-manager. It then reconciles the change."),
        Awaiting::NextRun(report) => failure.advise(format!("The operator reported an internal error: {}", report.message)),
        _ => match session.deployment.conditions().failure() {
            Some(report) => failure.advise(format!("The operator reports this failure: {}", report.message)),
            None => failure,
        },
    };
    failure.suggest("To resume:", step.command())
}

pub fn overtaken(session: &Session) -> Failure {
    let deployment = &session.deployment;
    let by = deployment.active_written_by().map_or_else(String::new, |(manager, at)| {
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        format!("; {manager} last wrote active{at}")
    });
    let mut failure = Failure::failed(format!(
        "ElementDeployment {} was changed again before the operator finished, so its result doesn't apply to this write{by}",
        session.place()
    ));
    if deployment.mas_active() == Some(true) && deployment.active() != Some(true) {
        failure = failure.advise("The migration is done (mas_active is true), but active is not true. Set spec.components.matrixAuthenticationService.config.active to true again, or the operator turns MAS off.");
    }
    failure.suggest("Check the status, then run the command again:", "status")
}

/// Reports a failure of the operator. Writes the failure file first, because the guide requires it before a rollback, and
/// returns its path.
pub async fn report(
    session: &Session,
    step: Step,
    snapshot: &Snapshot,
    report: FailureReport,
    timeline: &[TimelineEntry],
    seconds: u64,
) -> (Failure, Option<String>) {
    let now = session.now();
    let go_back = session.command("abort");
    let causes = diagnosis::understand(&report.message);
    let causes_json = serde_json::json!(causes);
    let file = |more| FailureFile {
        command: step.command(),
        at: now,
        deployment: &session.deployment,
        failure: &report,
        timeline,
        go_back: &go_back,
        more,
    };
    let saved = record::save(&file(vec![("causes", causes_json.clone())]), &session.state_folders());
    let ui = session.ui();
    ui.status("");
    for line in report.message.lines() {
        ui.verbatim(&Line::new().text("    ").text(line));
    }
    ui.status("");
    advice::print(session, step, &causes);
    match &saved {
        Ok(path) => ui.status(format!("  Saved: {}", path.display())),
        Err(error) => {
            ui.warning(format!(
                "the failure file couldn't be written ({error}); copy the text above before you roll back"
            ));
        }
    }
    let seen = Observation::of(&session.deployment);
    let kept = session
        .change_record(|record| {
            if step == Step::DryRun {
                let pending = record.take_pending(step, &session.deployment);
                let proof = pending.as_ref();
                let message = Some(report.message.clone());
                record.dry_run =
                    Some(dry_run_record(snapshot, &seen, proof, now, seconds, DryRunResult::Failed, message));
            } else {
                record.failed_since(&report.message);
                let ours = record.pending.as_mut().filter(|pending| pending.is_of(step, &session.deployment));
                if let Some(pending) = ours {
                    // The write remains and the operator retries: every reconcile that starts from now on counts.
                    pending.baseline.at_write.running = false;
                    pending.baseline.at_write.failure.clone_from(&report.completion);
                }
            }
            record.note(now, None, format!("{} failed", step.command()));
        })
        .await;
    session.warn_unrecorded(kept);
    // Last, because it takes seconds: the failure file and the record are written by now.
    if let Some(more) = advice::collect(session, snapshot, &causes).await {
        more.print(session, step);
        let file = file(vec![("causes", causes_json), ("around", more.document())]);
        let _ = saved.as_ref().map(|path| record::amend(&file, path));
    }
    let migrated = session.deployment.mas_active() == Some(true);
    let failure = match step {
        Step::DryRun => Failure::failed("the dry run failed; users don't notice it, and nothing has been migrated")
            .suggest("The operator retries automatically. After you fix the cause, repeat the dry run:", "dry-run")
            .suggest("To remove the MAS component:", "abort --remove"),
        Step::Activate if migrated => {
            Failure::failed("the operator reports a failure after the migration finished (mas_active is true)")
                .suggest("The only way back is to restore the backup. To follow the operator's next retry:", "activate")
        }
        Step::Activate => {
            Failure::failed("the migration failed; the operator retries automatically until you roll back")
                .suggest("To follow the next retry:", "activate")
                .suggest("To roll back, so that users can log in again:", "abort")
        }
        Step::Abort | Step::Remove => Failure::failed("the rollback failed; the operator retries automatically")
            .suggest("To follow the next retry:", step.command()),
    };
    let file = saved.ok().map(|path| path.display().to_string());
    if !diagnosis::is_unclear(&causes) {
        return (failure, file);
    }
    let text = "To collect a report for the vendor's support, without secrets:";
    (failure.suggest(text, "report"), file)
}
