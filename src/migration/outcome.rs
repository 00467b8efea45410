//! The end of the flow: reports and records how it ended, and prints the `Outcome` of the contract.

use jiff::SignedDuration;
use serde::Serialize;

use super::failed;
use super::follow::{End, Followed, missing};
use super::resume::made;
use super::step::{Request, Step};
use crate::checks::{Snapshot, dry_run_record};
use crate::error::{Exit, Failure};
use crate::record::DryRunResult;
use crate::session::endpoints::{self, ConnectionTest};
use crate::session::interrupt::InterruptState;
use crate::session::reading::Extent;
use crate::session::status::Status;
use crate::session::{Document, Session};
use crate::terminal::time::duration;
use crate::terminal::{Line, Next, OutputFormat};
use crate::verdict::{Observation, Verdict};

/// `verdict` of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Ending {
    Succeeded,
    /// The operator reports a failure, or the change was overwritten or deleted.
    Failed,
    TimedOut,
    Interrupted,
    NotWaited,
    /// Nothing to do, or nothing written.
    Unchanged,
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

/// What a step prints at its end.
#[derive(Default)]
struct Page {
    message: Option<String>,
    record_file: Option<String>,
    /// The next step; printed last.
    next: Option<Next>,
}

/// The verdict of the contract, and the result of the command. A passed dry run whose record couldn't be written is an error,
/// because the next step requires the record.
type Concluded = (Ending, Result<Exit, Failure>);

/// Ends a step: prints how it ended, also as data, tests the network after a success, and prints the next step last. `write`
/// is that of the contract; `None` without an attempt.
pub async fn report(
    session: &mut Session,
    request: &Request,
    format: OutputFormat,
    write: Option<&'static str>,
    ended: Result<(End, Option<Followed>), Failure>,
    network: Option<ConnectionTest>,
) -> Result<Exit, Failure> {
    let step = request.step;
    let mut page = Page::default();
    let (verdict, result) = match ended {
        Ok((end, followed)) => conclude(session, step, end, followed, &mut page).await,
        Err(mut failure) => {
            // The error doesn't mention the write, so state that it was not made.
            if write.is_none() && failure.error.is_some() && failure.exit == Exit::Failed {
                failure.next.insert(0, Next::new(format!("ElementDeployment {} was not changed.", session.place())));
            }
            let interrupted = failure.exit == Exit::Interrupted;
            (if interrupted { Ending::Interrupted } else { Ending::Unchanged }, Err(failure))
        }
    };
    let result = result.map_err(|failure| failure.complete(|command| session.command(command)));
    if format.is_data() {
        // The current state, else the last one that was read. A verdict already has its state.
        if verdict != Ending::Succeeded {
            let _ = session.reread().await;
        }
        let snapshot = session.gather(Extent::Status).await;
        let failure = result.as_ref().err().and_then(Failure::message);
        let contents = Contents {
            command: if step.goes_back() { Step::Abort } else { step }.command(),
            namespace: &session.target.namespace,
            name: &session.target.name,
            write: write.unwrap_or("none"),
            verdict,
            message: page.message.or(failure),
            record_file: page.record_file.as_deref(),
            status: Status::of(&snapshot, |command| session.command(command)),
        };
        session.ui().data(format, &Document::new("Outcome", contents))?;
    }
    let exit = result?;
    if let (Ending::Succeeded, Some(network)) = (verdict, network) {
        endpoints::after(session, network).await;
    }
    if let Some(next) = page.next {
        session.ui().next(&next.complete(|command| session.command(command)));
    }
    Ok(exit)
}

/// `followed` is `None` if the step ended before the operator was followed.
async fn conclude(session: &Session, step: Step, end: End, followed: Option<Followed>, page: &mut Page) -> Concluded {
    let ui = session.ui();
    match (end, followed) {
        (End::Preview, None) => (Ending::Unchanged, Ok(Exit::Done)),
        (End::Preview, Some(_)) => {
            ui.status("This is a preview; there is nothing to write.");
            (Ending::Unchanged, Ok(Exit::Done))
        }
        (End::Reached(words), followed) => {
            if followed.is_some() {
                session.interrupt().set(InterruptState::Ending { done: "there is nothing left to do" });
            } else if step == Step::Abort && session.deployment.mas().is_some() {
                let text = "The MAS component stays in the ElementDeployment. To remove it:";
                page.next = Some(Next::new(text).short_command(Step::Remove.command()));
            }
            ui.status(words);
            page.message = Some(words.to_owned());
            (Ending::Unchanged, Ok(Exit::Done))
        }
        (End::NotWaited, None) => {
            session.interrupt().set(InterruptState::Ending { done: "the change is recorded for the manifest owner" });
            (Ending::NotWaited, Ok(Exit::Done))
        }
        (End::NotWaited, Some(followed)) => {
            drop(followed.progress);
            session.interrupt().set(InterruptState::Ending { done: "the change is written" });
            ui.status(Line::new().text("Not waiting: ").text(step.goes_on()));
            page.next = Some(Next::new("To follow the operator:").short_command(step.command()));
            (Ending::NotWaited, Ok(Exit::Done))
        }
        (End::Interrupted, followed) => {
            page.message = followed.map(|followed| format!("interrupted; {}", followed.goes_on));
            (Ending::Interrupted, Err(Failure::told(Exit::Interrupted)))
        }
        (End::TimedOut(awaiting), None) => {
            let text = format!("timed out waiting for {}; nothing was written", missing(&awaiting));
            let failure = Failure::new(Exit::TimedOut, text).suggest("To wait again:", step.command());
            (Ending::TimedOut, Err(failure))
        }
        (End::OwnerTimedOut, _) => {
            let text =
                "timed out waiting for the manifest owner's change; this command didn't write to the ElementDeployment";
            let again = format!("{} --via-owner", step.command());
            (Ending::TimedOut, Err(Failure::new(Exit::TimedOut, text).suggest("To resume:", again)))
        }
        (End::OwnersUnobserved, _) => {
            let text = "the operator is idle, but its reconcile of the manifest owner's change was not observed";
            let failure = Failure::new(Exit::TimedOut, text).suggest("To request another reconcile:", step.command());
            (Ending::TimedOut, Err(failure))
        }
        (End::OwnerDiffers(failure), _) => (Ending::Failed, Err(failure)),
        (End::Verdict(_), None) => {
            let text = format!("ElementDeployment {} was deleted or recreated; nothing was written", session.place());
            (Ending::Failed, Err(Failure::failed(text)))
        }
        (End::Verdict(verdict), Some(followed)) => judged(session, step, verdict, followed, page).await,
        (End::TimedOut(awaiting), Some(followed)) => {
            (Ending::TimedOut, Err(failed::timed_out(session, step, &awaiting, &followed.goes_on)))
        }
    }
}

async fn judged(session: &Session, step: Step, verdict: Verdict, followed: Followed, page: &mut Page) -> Concluded {
    let recording = InterruptState::Ending { done: "the operator has finished; recording the result" };
    let Followed { seen: snapshot, timeline, took, goes_on, progress } = followed;
    let since = made(&snapshot, step).map(|pending| session.now().duration_since(pending.at).as_secs());
    let seconds = since.map_or(took.as_secs(), |seconds| u64::try_from(seconds).unwrap_or(0));
    match verdict {
        Verdict::Succeeded(seen) => {
            session.interrupt().set(recording);
            progress.done("operator finished: no errors");
            succeeded(session, step, &snapshot, &seen, seconds, page).await
        }
        Verdict::Gone => {
            progress.failed("the ElementDeployment was deleted");
            let text = format!("ElementDeployment {} was deleted or recreated during the wait", session.place());
            (Ending::Failed, Err(Failure::failed(text)))
        }
        Verdict::Overtaken(_) => {
            progress.failed("the change was overwritten");
            (Ending::Failed, Err(failed::overtaken(session)))
        }
        Verdict::Pending(awaiting) => (Ending::TimedOut, Err(failed::timed_out(session, step, &awaiting, &goes_on))),
        Verdict::Failed(report) => {
            session.interrupt().set(recording);
            progress.failed("operator reports failure");
            page.message = Some(report.message.clone());
            let (failure, file) = failed::report(session, step, &snapshot, report, &timeline, seconds).await;
            page.record_file = file;
            (Ending::Failed, Err(failure))
        }
    }
}

async fn succeeded(
    session: &Session,
    step: Step,
    snapshot: &Snapshot,
    seen: &Observation,
    seconds: u64,
    page: &mut Page,
) -> Concluded {
    let now = session.now();
    let kept = session
        .change_record(|record| {
            let pending = record.take_pending(step, &session.deployment);
            if step == Step::DryRun {
                let proof = pending.as_ref();
                let passed = dry_run_record(snapshot, seen, proof, now, seconds, DryRunResult::Passed, None);
                record.dry_run = Some(passed.of_spec(&session.deployment));
            }
            record.note(now, None, format!("{} succeeded", step.command()));
        })
        .await;
    let took = duration(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0)));
    match kept {
        Err(failure) if step == Step::DryRun => {
            let text = "The dry run passed, but the record of it couldn't be written, and `activate` requires the record. Fix the cause, then repeat the dry run:";
            let next = vec![Next::new(text).short_command("dry-run")];
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
    page.next = Some(Next::new(text).short_command(command));
    (Ending::Succeeded, Ok(Exit::Done))
}
