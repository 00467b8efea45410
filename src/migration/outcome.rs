//! The end of the flow: reports and records how it ended, and prints the `Outcome` of the contract.

use jiff::SignedDuration;
use serde::Serialize;

use super::follow::{FollowEnd, Followed, Start, follow, missing};
use super::step::{Request, Step, migrated};
use super::{failed, resume};
use crate::checks::Snapshot;
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::record::DryRunResult;
use crate::session::deadline::Deadline;
use crate::session::interrupt::InterruptState;
use crate::session::reading::Extent;
use crate::session::status::Status;
use crate::session::{Document, Session};
use crate::terminal::progress::Progress;
use crate::terminal::time::duration;
use crate::terminal::{Line, Next, OutputFormat};
use crate::verdict::{Observation, Verdict};

/// `verdict` of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Succeeded,
    /// The operator reports a failure, or the change was overwritten or deleted.
    Failed,
    TimedOut,
    Interrupted,
    NotWaited,
    /// Nothing to do, or nothing written.
    Unchanged,
}

/// The end of a flow and the result of its command. A passed dry run whose record couldn't be written is an error, because the
/// next step requires the record. An error before the write is not an end: it leaves the deployment unchanged.
pub type Ended = (Ending, Result<Exit, Failure>);

/// The outcome of a writing command.
#[derive(Debug)]
pub struct Outcome {
    step: Step,
    /// `write` of the contract; `None` without an attempt.
    pub write: Option<&'static str>,
    pub message: Option<String>,
    pub record_file: Option<String>,
    /// The next step after a success; printed last.
    pub next: Option<Next>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contents<'a> {
    command: &'a str,
    namespace: &'a str,
    name: &'a str,
    write: &'a str,
    verdict: Ending,
    message: Option<String>,
    record_file: Option<&'a str>,
    status: Status,
}

impl Outcome {
    pub const fn new(step: Step) -> Self {
        Self { step, write: None, message: None, record_file: None, next: None }
    }

    pub fn nothing_to_do(&mut self, session: &Session, why: &'static str) -> Ended {
        session.ui().status(why);
        self.message = Some(why.to_owned());
        (Ending::Unchanged, Ok(Exit::Done))
    }

    /// Ends a command. Prints the outcome with `-o json` and `-o yaml`, also after an error.
    pub async fn finish(
        self,
        session: &mut Session,
        format: OutputFormat,
        ended: Result<Ended, Failure>,
    ) -> Result<Exit, Failure> {
        let (verdict, result) = match ended {
            Ok(ended) => ended,
            // The error doesn't mention the write, so state that it was not made.
            Err(mut failure) if self.write.is_none() && failure.error.is_some() && failure.exit == Exit::Failed => {
                failure.next.insert(0, Next::new(format!("ElementDeployment {} was not changed.", session.place())));
                (Ending::Unchanged, Err(failure))
            }
            Err(failure) => (Ending::Unchanged, Err(failure)),
        };
        if !format.is_data() {
            return result;
        }
        // The current state, else the last one that was read. A verdict already has its state.
        if verdict != Ending::Succeeded {
            let _ = session.reread().await;
        }
        let snapshot = session.gather(Extent::Status).await;
        let failure = result.as_ref().err().and_then(Failure::message);
        session.ui().data(
            format,
            &Document::new(
                "Outcome",
                Contents {
                    command: if self.step.goes_back() { Step::Abort } else { self.step }.command(),
                    namespace: &session.target.namespace,
                    name: &session.target.name,
                    write: self.write.unwrap_or("none"),
                    verdict,
                    message: self.message.or(failure),
                    record_file: self.record_file.as_deref(),
                    status: Status::of(&snapshot, |command| session.command(command)),
                },
            ),
        )?;
        result
    }
}

/// Follows the operator after a write, or a change that existed; `None` if another reconcile has to be requested.
pub async fn follow_to_verdict(
    session: &mut Session,
    request: &Request,
    seen: &Snapshot,
    start: Start,
    deadline: Deadline,
    outcome: &mut Outcome,
) -> Result<Option<Ended>, Failure> {
    let step = request.step;
    let progress = session.ui().progress();
    if !start.existing && !request.via_owner {
        progress.done(format!("written (resourceVersion {})", start.seen.resource_version()));
    }
    if !request.wait {
        drop(progress);
        return Ok(Some(not_waited(session, step)));
    }
    let existing = start.existing && step == Step::Activate;
    let reached = |deployment: &Deployment| migrated(deployment).filter(|_| existing);
    let followed = follow(session, start, deadline, step, &reached, &progress).await;
    match followed.end {
        FollowEnd::Reached(words) => {
            session.interrupt().set(InterruptState::Ending { done: "there is nothing left to do" });
            Ok(Some(outcome.nothing_to_do(session, words)))
        }
        FollowEnd::AtRest if request.via_owner => {
            let text = "timed out; the operator is idle, and its reconcile of the change was not observed";
            let again = session.command(step.command());
            Err(Failure::new(Exit::TimedOut, text).then("To request another reconcile:", again))
        }
        // The interrupt state stays `Following`: something was written.
        FollowEnd::AtRest => Ok(None),
        _ => Ok(Some(conclude(session, step, seen, followed, &progress, outcome).await)),
    }
}

/// Ends a command before its write.
pub fn without_write(session: &Session, step: Step, stopped: FollowEnd) -> Ended {
    session.interrupt().set(InterruptState::NothingWritten);
    match stopped {
        FollowEnd::TimedOut(awaiting) => {
            let text = format!("timed out waiting for {}; nothing was written", missing(&awaiting));
            let again = session.command(step.command());
            (Ending::TimedOut, Err(Failure::new(Exit::TimedOut, text).then("To wait again:", again)))
        }
        FollowEnd::Interrupted => (Ending::Interrupted, Err(Failure::told(Exit::Interrupted))),
        FollowEnd::Verdict(_) | FollowEnd::Reached(_) | FollowEnd::AtRest => {
            let text = format!("ElementDeployment {} was deleted; nothing was written", session.place());
            (Ending::Failed, Err(Failure::failed(text)))
        }
    }
}

/// Ends a command with `--wait=false`.
pub fn not_waited(session: &Session, step: Step) -> Ended {
    session.ui().status(Line::new().text("Not waiting: ").text(step.goes_on()));
    session.ui().next(&Next::new("To follow the operator:").command(session.command(step.command())));
    (Ending::NotWaited, Ok(Exit::Done))
}

async fn conclude(
    session: &Session,
    step: Step,
    snapshot: &Snapshot,
    followed: Followed,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Ended {
    if matches!(followed.end, FollowEnd::Verdict(_)) {
        session.interrupt().set(InterruptState::Ending { done: "the operator has finished; recording the result" });
    }
    let recorded = resume::recorded(snapshot, step).map(|pending| session.now().duration_since(pending.at).as_secs());
    let seconds = recorded.map_or(followed.took.as_secs(), |seconds| u64::try_from(seconds).unwrap_or(0));
    match followed.end {
        FollowEnd::Verdict(Verdict::Succeeded(seen)) => {
            progress.done("operator finished: no errors");
            succeeded(session, step, snapshot, &seen, seconds, outcome).await
        }
        FollowEnd::Verdict(Verdict::Failed(report)) => {
            progress.failed("operator reports failure");
            outcome.message = Some(report.message.clone());
            let (failure, file) = failed::report(session, step, snapshot, report, &followed.timeline, seconds).await;
            outcome.record_file = file;
            (Ending::Failed, Err(failure))
        }
        FollowEnd::Verdict(Verdict::Overtaken(_)) => {
            progress.failed("the change was overwritten");
            (Ending::Failed, Err(failed::overtaken(session)))
        }
        FollowEnd::Verdict(Verdict::Gone) => {
            progress.failed("the ElementDeployment was deleted");
            let text = format!("ElementDeployment {} was deleted or recreated during the wait", session.place());
            (Ending::Failed, Err(Failure::failed(text)))
        }
        FollowEnd::Verdict(Verdict::Pending(awaiting)) | FollowEnd::TimedOut(awaiting) => {
            (Ending::TimedOut, Err(failed::timed_out(session, step, &awaiting, &followed.goes_on)))
        }
        // The caller handles both.
        FollowEnd::Reached(_) | FollowEnd::AtRest => (Ending::Unchanged, Ok(Exit::Done)),
        FollowEnd::Interrupted => {
            outcome.message = Some(format!("interrupted; {}", followed.goes_on));
            (Ending::Interrupted, Err(Failure::told(Exit::Interrupted)))
        }
    }
}

async fn succeeded(
    session: &Session,
    step: Step,
    snapshot: &Snapshot,
    seen: &Observation,
    seconds: u64,
    outcome: &mut Outcome,
) -> Ended {
    let now = session.now();
    let kept = session
        .change_record(|record| {
            let pending = record.take_pending(step, &session.deployment);
            if step == Step::DryRun {
                let proof = pending.as_ref();
                let dry_run = resume::dry_run(snapshot, seen, proof, now, seconds, DryRunResult::Passed, None);
                record.dry_run = Some(dry_run.of_spec(&session.deployment));
            }
            record.note(now, None, format!("{} succeeded", step.command()));
        })
        .await;
    let took = duration(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0)));
    match kept {
        Err(failure) if step == Step::DryRun => {
            let text = "The dry run passed, but the record of it couldn't be written, and `activate` requires the record. Fix the cause, then repeat the dry run:";
            let next = vec![Next::new(text).command(session.command("dry-run"))];
            return (Ending::Succeeded, Err(Failure { next, ..failure }));
        }
        kept => session.warn_unrecorded(kept),
    }
    let ui = session.ui();
    ui.status("");
    ui.status(match (step, &snapshot.settings) {
        (Step::DryRun, _) => format!(
            "Dry run passed in {took}. Nothing has been migrated. Do not log in to MAS yet: a login before the migration makes the migration fail."
        ),
        (Step::Activate, _) => {
            format!("Migrated in {took}: mas_active is true. Existing logins stay valid; new logins use MAS.")
        }
        (Step::Abort, _) => format!(
            "Rolled back in {took}: active is false, and the operator reports no errors. Users can log in through Synapse."
        ),
        (Step::Remove, Some(settings)) => format!(
            "Removed the MAS component in {took}; the operator reports no errors. Secret {} and MAS's database still exist.",
            settings.secret_name
        ),
        (Step::Remove, None) => format!("Removed the MAS component in {took}; the operator reports no errors."),
    });
    if step == Step::Activate && seen.active != Some(true) {
        ui.warning("…config.active is no longer true; set it to true again, or the operator turns MAS off");
    }
    let (text, command) = match step {
        Step::DryRun => (
            "Next: register the redirect URIs at the identity providers, back up both databases, then run:",
            "activate",
        ),
        _ => ("To check the status:", "status"),
    };
    outcome.next = Some(Next::new(text).command(session.command(command)));
    (Ending::Succeeded, Ok(Exit::Done))
}
