//! What is said and kept once following has ended.

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

/// Ends a command that did not get to its write.
pub fn without_write(session: &Session, step: Step, stopped: FollowEnd) -> Ended {
    session.interrupt().set(InterruptState::NothingWritten);
    match stopped {
        FollowEnd::TimedOut(awaiting) => {
            let text = format!("gave up waiting, and nothing was written; still missing: {}", missing(&awaiting));
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
    session.ui().next(&Next::new("To follow it:").command(session.command(step.command())));
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
        session
            .interrupt()
            .set(InterruptState::Ending { done: "the operator has answered already, which is being noted" });
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
            progress.failed("the change is no longer there");
            Ended::Failed(failed::overtaken(session))
        }
        FollowEnd::Verdict(Verdict::Gone) => {
            progress.failed("the deployment is gone");
            let text = format!("ElementDeployment {} was deleted or made anew while it was followed", session.place());
            Ended::Failed(Failure::failed(text))
        }
        FollowEnd::Verdict(Verdict::Pending(awaiting)) | FollowEnd::TimedOut(awaiting) => {
            Ended::TimedOut(failed::timed_out(session, step, &awaiting, &followed.goes_on))
        }
        // Both are seen to before anything is concluded.
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
                let next = vec![Next::new("The dry run passed, but that could not be noted in the record, and `activate` relies on it. Run it again once this is mended:").command(session.command("dry-run"))];
                return Ended::Unrecorded(Failure { next, ..failure });
            }
            ui.status("");
            ui.status(format!(
                "Dry run passed in {took}. Nothing has been migrated; nobody can log in at MAS yet, and nobody should try: a login at MAS before the migration spoils it."
            ));
            outcome.next = Some(
                Next::new(
                    "Next: register the redirect URIs at the identity providers, take a backup of both databases, then",
                )
                .command(session.command("activate")),
            );
        }
        Step::Activate => {
            session.warn_unrecorded(kept);
            ui.status("");
            ui.status(format!(
                "Migrated in {took}: mas_active is true. Existing logins go on; new ones happen at MAS."
            ));
            if seen.active != Some(true) {
                ui.warning("somebody has set the switch (…config.active) back meanwhile; set it to true again, or MAS is switched off");
            }
            outcome.next = Some(Next::new("See where everything stands:").command(session.command("status")));
        }
        Step::Abort | Step::Remove => {
            session.warn_unrecorded(kept);
            ui.status("");
            ui.status(match (step, &snapshot.settings) {
                (Step::Abort, _) => format!("Back in {took}: the switch is off, and the operator reports no errors."),
                (_, Some(settings)) => format!(
                    "Back in {took}: the MAS component is out, and the operator reports no errors. Secret {} and MAS's database are still there.",
                    settings.secret_name
                ),
                (_, None) => format!("Back in {took}: the MAS component is out, and the operator reports no errors."),
            });
            outcome.next = Some(Next::new("See where everything stands:").command(session.command("status")));
        }
    }
    outcome.message = None;
    Ended::Succeeded
}
