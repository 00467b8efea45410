//! How the flow ended: what is said and kept, and the `Outcome` of the contract.

use jiff::SignedDuration;
use serde::Serialize;

use super::follow::{Followed, Stopped, missing};
use super::step::Step;
use super::{apply, failed, resume};
use crate::checks::Snapshot;
use crate::error::{Exit, Failure};
use crate::record::RehearsalState;
use crate::session::Session;
use crate::session::interrupt::Standing;
use crate::session::snapshot::Extent;
use crate::session::status::Status;
use crate::terminal::progress::Progress;
use crate::terminal::time::duration;
use crate::terminal::{Line, Next, OutputFormat};
use crate::verdict::{Observation, Verdict};

/// What became of the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    Applied,
    /// It was tried and is not stored.
    NotApplied,
    /// It could not be found out.
    Unknown,
    None,
}

/// How a flow ended. An error before anything was followed is no end of its own: it left the deployment as it was.
#[derive(Debug)]
pub enum Ended {
    Succeeded,
    /// It succeeded, and the record, which the next step relies on, does not say so.
    Unrecorded(Failure),
    /// The operator reports a failure, or cannot do it any more.
    Failed(Failure),
    /// The operator has not answered within the time-out.
    TimedOut(Failure),
    /// The program was interrupted while waiting.
    Interrupted,
    /// `--wait=false`.
    NotWaited,
    /// There was nothing to do, or nothing was written.
    Unchanged,
}

impl Ended {
    /// `verdict` of the contract.
    const fn verdict(&self) -> &'static str {
        match self {
            Self::Succeeded | Self::Unrecorded(_) => "succeeded",
            Self::Failed(_) => "failed",
            Self::TimedOut(_) => "timed-out",
            Self::Interrupted => "interrupted",
            Self::NotWaited => "not-waited",
            Self::Unchanged => "unchanged",
        }
    }

    fn result(self) -> Result<Exit, Failure> {
        match self {
            Self::Succeeded | Self::NotWaited | Self::Unchanged => Ok(Exit::Done),
            Self::Unrecorded(failure) | Self::Failed(failure) | Self::TimedOut(failure) => Err(failure),
            Self::Interrupted => Err(Failure::told(Exit::Interrupted)),
        }
    }
}

/// What a writing command has to tell in the end.
#[derive(Debug)]
pub struct Outcome {
    step: Step,
    pub write: Written,
    pub message: Option<String>,
    pub record_file: Option<String>,
    /// What to do after a success; told when everything else has been.
    pub next: Option<Next>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'a str,
    kind: &'a str,
    command: &'a str,
    namespace: &'a str,
    name: &'a str,
    write: Written,
    verdict: &'a str,
    message: Option<String>,
    record_file: Option<&'a str>,
    status: Status,
}

impl Outcome {
    pub const fn new(step: Step) -> Self {
        Self { step, write: Written::None, message: None, record_file: None, next: None }
    }

    /// Ends a command that finds its goal reached.
    pub fn nothing_to_do(&mut self, session: &Session, why: &'static str) -> Ended {
        session.ui().status(why);
        self.message = Some(why.to_owned());
        Ended::Unchanged
    }

    /// Ends a command: prints the outcome where data was asked for, also when it failed.
    pub async fn finish(
        self,
        session: &mut Session,
        format: OutputFormat,
        ended: Result<Ended, Failure>,
    ) -> Result<Exit, Failure> {
        let verdict = ended.as_ref().map_or("unchanged", Ended::verdict);
        let result = match ended {
            Ok(ended) => ended.result(),
            // An error before the write says nothing of the write; the person asks first of all whether it was made.
            Err(mut failure)
                if self.write == Written::None && failure.error.is_some() && failure.exit == Exit::Failed =>
            {
                failure.next.insert(0, Next::new(format!("ElementDeployment {} was not changed.", session.place())));
                Err(failure)
            }
            Err(failure) => Err(failure),
        };
        if !format.is_data() {
            return result;
        }
        // The state after everything; if it cannot be read now, the one that was read last. A verdict was seen with its state.
        if verdict != "succeeded" {
            let _ = session.reread().await;
        }
        let snapshot = session.gather(Extent::Standing).await;
        let failure = result.as_ref().err().and_then(Failure::message);
        session.ui().data(
            format,
            &Document {
                api_version: "ess-mas/v1",
                kind: "Outcome",
                command: if self.step.goes_back() { Step::Abort } else { self.step }.command(),
                namespace: &session.target.namespace,
                name: &session.target.name,
                write: self.write,
                verdict,
                message: self.message.or(failure),
                record_file: self.record_file.as_deref(),
                status: Status::of(&snapshot, |command| session.command(command)),
            },
        )?;
        result
    }
}

/// Ends a command that did not get to its write.
pub fn without_write(session: &Session, step: Step, stopped: Stopped) -> Ended {
    session.context.interrupt.stands(Standing::NothingWritten);
    match stopped {
        Stopped::TimedOut(awaiting) => {
            let text = format!("gave up waiting, and nothing was written; still missing: {}", missing(&awaiting));
            let again = Next::new("To wait again:").command(session.command(step.command()));
            Ended::TimedOut(Failure::new(Exit::TimedOut, text).next(again))
        }
        Stopped::Interrupted => Ended::Interrupted,
        Stopped::Verdict(_) | Stopped::Reached(_) | Stopped::AtRest => {
            let text = format!("ElementDeployment {} was deleted; nothing was written", session.place());
            Ended::Failed(Failure::new(Exit::Failed, text))
        }
    }
}

/// Ends a command with `--wait=false`.
pub fn not_waited(session: &Session, step: Step) -> Ended {
    session.ui().status(Line::new().text("Not waiting: ").text(step.goes_on()));
    session.ui().next(&Next::new("To follow it:").command(session.command(step.command())));
    Ended::NotWaited
}

/// Ends a command that followed the operator.
pub async fn conclude(
    session: &mut Session,
    step: Step,
    snapshot: &Snapshot,
    followed: Followed,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Ended {
    if matches!(followed.stopped, Stopped::Verdict(_)) {
        session
            .context
            .interrupt
            .stands(Standing::Ending { done: "the operator has answered already, which is being noted" });
    }
    let seconds = resume::since_the_write(session, step, snapshot).unwrap_or(followed.took.as_secs());
    match followed.stopped {
        Stopped::Verdict(Verdict::Succeeded(seen)) => {
            progress.done("operator finished: no errors");
            succeeded(session, step, snapshot, &seen, seconds, outcome).await
        }
        Stopped::Verdict(Verdict::Failed(report)) => {
            progress.failed("operator reports failure");
            Ended::Failed(failed::report(session, step, snapshot, report, &followed.timeline, seconds, outcome).await)
        }
        Stopped::Verdict(Verdict::Overtaken(_)) => {
            progress.failed("the change is no longer there");
            Ended::Failed(failed::overtaken(session))
        }
        Stopped::Verdict(Verdict::Gone) => {
            progress.failed("the deployment is gone");
            let text = format!("ElementDeployment {} was deleted or made anew while it was followed", session.place());
            Ended::Failed(Failure::new(Exit::Failed, text))
        }
        Stopped::Verdict(Verdict::Pending(awaiting)) | Stopped::TimedOut(awaiting) => {
            Ended::TimedOut(failed::timed_out(session, step, &awaiting))
        }
        // Both are seen to before anything is concluded.
        Stopped::Reached(_) | Stopped::AtRest => Ended::Unchanged,
        Stopped::Interrupted => {
            outcome.message = Some(format!("interrupted; {}", step.goes_on()));
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
    let now = session.ui().terminal().now();
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
            apply::warn_unrecorded(session, kept);
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
            apply::warn_unrecorded(session, kept);
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
