//! Reports and records how following the operator ended.

use jiff::SignedDuration;

use super::follow::{FollowEnd, Followed, missing};
use super::outcome::{Ended, Outcome};
use super::step::Step;
use super::{failed, resume};
use crate::checks::Snapshot;
use crate::error::{Exit, Failure};
use crate::record::RehearsalState;
use crate::session::Session;
use crate::session::interrupt::InterruptState;
use crate::terminal::progress::Progress;
use crate::terminal::time::duration;
use crate::terminal::{Line, Next};
use crate::verdict::{Observation, Verdict};

/// Ends a command before its write.
pub fn without_write(session: &Session, step: Step, stopped: FollowEnd) -> Ended {
    session.interrupt().set(InterruptState::NothingWritten);
    match stopped {
        FollowEnd::TimedOut(awaiting) => {
            let text = format!("timed out waiting for {}; nothing was written", missing(&awaiting));
            let again = session.command(step.command());
            Ended::TimedOut(Failure::new(Exit::TimedOut, text).then("To wait again:", again))
        }
        FollowEnd::Interrupted => Ended::Interrupted,
        FollowEnd::Verdict(_) | FollowEnd::Reached(_) | FollowEnd::AtRest => {
            let text = format!("ElementDeployment {} was deleted; nothing was written", session.place());
            Ended::Failed(Failure::failed(text))
        }
    }
}

/// Ends a command with `--wait=false`.
pub fn not_waited(session: &Session, step: Step) -> Ended {
    session.ui().status(Line::new().text("Not waiting: ").text(step.goes_on()));
    session.ui().next(&Next::new("To follow the operator:").command(session.command(step.command())));
    Ended::NotWaited
}

pub async fn conclude(
    session: &mut Session,
    step: Step,
    snapshot: &Snapshot,
    followed: Followed,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Ended {
    if matches!(followed.end, FollowEnd::Verdict(_)) {
        session.interrupt().set(InterruptState::Ending { done: "the operator has finished; recording the result" });
    }
    let seconds = resume::since_the_write(session, step, snapshot).unwrap_or(followed.took.as_secs());
    match followed.end {
        FollowEnd::Verdict(Verdict::Succeeded(seen)) => {
            progress.done("operator finished: no errors");
            succeeded(session, step, snapshot, &seen, seconds, outcome).await
        }
        FollowEnd::Verdict(Verdict::Failed(report)) => {
            progress.failed("operator reports failure");
            Ended::Failed(failed::report(session, step, snapshot, report, &followed.timeline, seconds, outcome).await)
        }
        FollowEnd::Verdict(Verdict::Overtaken(_)) => {
            progress.failed("the change was overwritten");
            Ended::Failed(failed::overtaken(session))
        }
        FollowEnd::Verdict(Verdict::Gone) => {
            progress.failed("the ElementDeployment was deleted");
            let text = format!("ElementDeployment {} was deleted or recreated during the wait", session.place());
            Ended::Failed(Failure::failed(text))
        }
        FollowEnd::Verdict(Verdict::Pending(awaiting)) | FollowEnd::TimedOut(awaiting) => {
            Ended::TimedOut(failed::timed_out(session, step, &awaiting, &followed.goes_on))
        }
        // The caller handles both.
        FollowEnd::Reached(_) | FollowEnd::AtRest => Ended::Unchanged,
        FollowEnd::Interrupted => {
            outcome.message = Some(format!("interrupted; {}", followed.goes_on));
            Ended::Interrupted
        }
    }
}

async fn succeeded(
    session: &mut Session,
    step: Step,
    snapshot: &Snapshot,
    seen: &Observation,
    seconds: u64,
    outcome: &mut Outcome,
) -> Ended {
    let now = session.now();
    let kept = session
        .change_record(|record| {
            let pending = resume::take_pending(record, step, &session.deployment);
            if step == Step::DryRun {
                let proof = pending.as_ref();
                let rehearsal = resume::rehearsal(snapshot, seen, proof, now, seconds, RehearsalState::Passed, None);
                record.rehearsal = Some(rehearsal.of_spec(&session.deployment));
            }
            record.note(now, None, format!("{} succeeded", step.command()));
        })
        .await;
    let took = duration(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0)));
    let ui = session.ui().clone();
    match step {
        Step::DryRun => {
            if let Err(failure) = kept {
                let next = vec![Next::new("The dry run passed, but the record of it couldn't be written, and `activate` requires the record. Fix the cause, then repeat the dry run:").command(session.command("dry-run"))];
                return Ended::Unrecorded(Failure { next, ..failure });
            }
            ui.status("");
            ui.status(format!(
                "Dry run passed in {took}. Nothing has been migrated. Do not log in at MAS yet: a login before the migration makes the migration fail."
            ));
            outcome.next = Some(
                Next::new(
                    "Next: register the redirect URIs at the identity providers, back up both databases, then run:",
                )
                .command(session.command("activate")),
            );
        }
        Step::Activate => {
            session.warn_unrecorded(kept);
            ui.status("");
            ui.status(format!(
                "Migrated in {took}: mas_active is true. Existing logins stay valid; new logins use MAS."
            ));
            if seen.active != Some(true) {
                ui.warning("…config.active is no longer true; set it to true again, or the operator turns MAS off");
            }
            outcome.next = Some(Next::new("To check the status:").command(session.command("status")));
        }
        Step::Abort | Step::Remove => {
            session.warn_unrecorded(kept);
            ui.status("");
            ui.status(match (step, &snapshot.settings) {
                (Step::Abort, _) => format!("Rolled back in {took}: active is false, and the operator reports no errors."),
                (_, Some(settings)) => format!(
                    "Removed the MAS component in {took}; the operator reports no errors. Secret {} and MAS's database still exist.",
                    settings.secret_name
                ),
                (_, None) => format!("Removed the MAS component in {took}; the operator reports no errors."),
            });
            outcome.next = Some(Next::new("To check the status:").command(session.command("status")));
        }
    }
    outcome.message = None;
    Ended::Succeeded
}
