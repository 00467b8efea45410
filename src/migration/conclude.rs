//! What is said, kept and returned once following has ended.

use std::path::PathBuf;

use jiff::SignedDuration;

use super::follow::{Followed, Stopped, missing};
use super::outcome::{Answer, Outcome};
use super::{Step, advice};
use crate::checks::Snapshot;
use crate::deployment::FailureReport;
use crate::diagnosis;
use crate::error::{Exit, Failure};
use crate::record::{self, FailureFile, Rehearsal, RehearsalState, TimelineEntry};
use crate::session::Session;
use crate::session::interrupt::Standing;
use crate::terminal::progress::Progress;
use crate::terminal::time::duration;
use crate::terminal::{Line, Next};
use crate::verdict::{Awaiting, Observation, Verdict};

/// Ends a command that did not get to its write.
pub fn without_write(session: &Session, step: Step, stopped: Stopped, outcome: &mut Outcome) -> Result<Exit, Failure> {
    let (verdict, code) = match &stopped {
        Stopped::TimedOut(_) => (Answer::TimedOut, Exit::TimedOut),
        Stopped::Interrupted => (Answer::Interrupted, Exit::Interrupted),
        Stopped::Verdict(_) | Stopped::Reached(_) | Stopped::AtRest => (Answer::Failed, Exit::Failed),
    };
    session.context.interrupt.stands(Standing::NothingWritten);
    outcome.verdict = verdict;
    Err(match stopped {
        Stopped::TimedOut(awaiting) => Failure::new(
            code,
            format!("gave up waiting, and nothing was written; still missing: {}", missing(&awaiting)),
        )
        .next(Next::new("To wait again:").command(session.command(step.command()))),
        Stopped::Interrupted => Failure::told(code),
        Stopped::Verdict(_) | Stopped::Reached(_) | Stopped::AtRest => {
            Failure::new(code, format!("ElementDeployment {} was deleted; nothing was written", session.place()))
        }
    })
}

/// Ends a command with `--wait=false`.
pub fn not_waited(session: &Session, step: Step, outcome: &mut Outcome) -> Exit {
    outcome.verdict = Answer::NotWaited;
    session.ui().status(Line::new().text("Not waiting: ").text(step.goes_on()));
    session.ui().next(&Next::new("To follow it:").command(session.command(step.command())));
    Exit::Done
}

/// Ends a command that followed the operator.
pub async fn conclude(
    session: &mut Session,
    step: Step,
    snapshot: &Snapshot,
    followed: Followed,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    if matches!(followed.stopped, Stopped::Verdict(_)) {
        session
            .context
            .interrupt
            .stands(Standing::Ending { done: "the operator has answered already, which is being noted" });
    }
    let seconds = since_the_write(session, step, snapshot).unwrap_or(followed.took.as_secs());
    match followed.stopped {
        Stopped::Verdict(Verdict::Succeeded(seen)) => {
            progress.done("operator finished: no errors");
            outcome.verdict = Answer::Succeeded;
            succeeded(session, step, snapshot, &seen, seconds, outcome).await
        }
        Stopped::Verdict(Verdict::Failed(report)) => {
            progress.failed("operator reports failure");
            outcome.verdict = Answer::Failed;
            failed(session, step, snapshot, report, &followed.timeline, seconds, outcome).await
        }
        Stopped::Verdict(Verdict::Overtaken(_)) => {
            progress.failed("the change is no longer there");
            outcome.verdict = Answer::Failed;
            Err(overtaken(session))
        }
        Stopped::Verdict(Verdict::Gone) => {
            progress.failed("the deployment is gone");
            outcome.verdict = Answer::Failed;
            Err(Failure::new(
                Exit::Failed,
                format!("ElementDeployment {} was deleted or made anew while it was followed", session.place()),
            ))
        }
        Stopped::Verdict(Verdict::Pending(awaiting)) | Stopped::TimedOut(awaiting) => {
            outcome.verdict = Answer::TimedOut;
            Err(timed_out(session, step, &awaiting))
        }
        // Both are seen to before anything is concluded.
        Stopped::Reached(_) | Stopped::AtRest => Ok(Exit::Done),
        Stopped::Interrupted => {
            outcome.verdict = Answer::Interrupted;
            outcome.message = Some(format!("interrupted; {}", step.goes_on()));
            Err(Failure::told(Exit::Interrupted))
        }
    }
}

/// Seconds since an earlier call made the write that this one only came back to.
fn since_the_write(session: &Session, step: Step, snapshot: &Snapshot) -> Option<u64> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    let ours = is_of(pending, step, &snapshot.deployment);
    let span = session.ui().terminal().now().duration_since(pending.at);
    ours.then(|| u64::try_from(span.as_secs()).unwrap_or(0))
}

/// Whether what the record has pending is the very write that was followed: it may be an earlier one that never arrived, of
/// another Secret.
fn is_of(pending: &record::Pending, step: Step, deployment: &crate::deployment::Deployment) -> bool {
    pending.command == step.command() && super::resume::is_applied(pending, deployment)
}

/// Takes the write that was followed off the record, and nobody else's: who began another one meanwhile needs it to come
/// back to.
fn take_pending(
    record: &mut record::Record,
    step: Step,
    deployment: &crate::deployment::Deployment,
) -> Option<record::Pending> {
    record.pending.take_if(|pending| is_of(pending, step, deployment))
}

fn timed_out(session: &Session, step: Step, awaiting: &Awaiting) -> Failure {
    let text = format!("gave up waiting; {}. Still missing: {}", step.goes_on(), missing(awaiting));
    let failure = Failure::new(Exit::TimedOut, text);
    let failure = match awaiting {
        Awaiting::Start => failure.next(Next::new("If nothing happens at all, check that the operator runs (a deployment whose name ends in updater-controller-manager).")),
        Awaiting::NextRun(report) => failure.next(Next::new(format!("The operator reported trouble of its own: {}", report.message))),
        _ => match session.deployment.conditions().failure() {
            Some(report) => failure.next(Next::new(format!("The failure that the operator shows: {}", report.message))),
            None => failure,
        },
    };
    failure.next(Next::new("To wait on:").command(session.command(step.command())))
}

fn overtaken(session: &Session) -> Failure {
    let deployment = &session.deployment;
    let by = deployment.active_written_by().map_or_else(String::new, |(manager, at)| {
        let at = at.map_or_else(String::new, |at| format!(" at {at}"));
        format!("; {manager} last wrote the switch{at}")
    });
    let mut failure = Failure::new(
        Exit::Failed,
        format!(
            "somebody else changed ElementDeployment {} before the operator was done, so what it says next is not about this change{by}",
            session.place()
        ),
    );
    if deployment.mas_active() == Some(true) && deployment.active() != Some(true) {
        failure = failure.next(
            Next::new("Careful: mas_active is true, so the migration has happened, but the switch is off. Set spec.components.matrixAuthenticationService.config.active back to true, or MAS is switched off."),
        );
    }
    failure.next(Next::new("See where it stands, then run the command again:").command(session.command("status")))
}

async fn succeeded(
    session: &mut Session,
    step: Step,
    snapshot: &Snapshot,
    seen: &Observation,
    seconds: u64,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let now = session.ui().terminal().now();
    let by = None;
    let kept = session
        .change_record(|record| {
            let pending = take_pending(record, step, &session.deployment);
            if step == Step::DryRun {
                let proof = pending.as_ref();
                let rehearsal = rehearsal(snapshot, seen, proof, now, seconds, RehearsalState::Passed, None);
                record.rehearsal = Some(rehearsal.of_spec(&session.deployment));
            }
            record.note(now, by, format!("{} succeeded", step.command()));
        })
        .await;
    let took = duration(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0)));
    let ui = session.ui().clone();
    match step {
        Step::DryRun => {
            kept.map_err(|failure| Failure {
                next: vec![Next::new("The dry run passed, but that could not be noted in the record, and `activate` relies on it. Run it again once this is mended:").command(session.command("dry-run"))],
                ..failure
            })?;
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
            warn_unrecorded(session, kept);
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
            warn_unrecorded(session, kept);
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
    Ok(Exit::Done)
}

fn warn_unrecorded(session: &Session, kept: Result<(), Failure>) {
    if let Err(failure) = kept {
        super::apply::warn_unrecorded(session, &failure);
    }
}

fn rehearsal(
    snapshot: &Snapshot,
    seen: &Observation,
    pending: Option<&record::Pending>,
    at: jiff::Timestamp,
    seconds: u64,
    state: RehearsalState,
    message: Option<String>,
) -> Rehearsal {
    // The Secret as it was before the write, as noted then: one that was changed in between was not rehearsed for sure.
    let keys = snapshot.secret_keys();
    let secret = snapshot.secret.known().and_then(Option::as_ref);
    let digest_now = || secret.and_then(|secret| secret.digest(&keys)).map(|digest| format!("{digest:#}"));
    let prints_now = || secret.map(|secret| secret.fingerprints(&keys)).unwrap_or_default();
    Rehearsal {
        state,
        spec_digest: seen.spec_digest.clone(),
        spec_outline: None,
        release: snapshot.chart.clone(),
        secret_digest: pending
            .and_then(|pending| pending.secret_digest.clone())
            .or_else(digest_now)
            .unwrap_or_default(),
        secret_fingerprints: pending.map_or_else(prints_now, |pending| pending.secret_fingerprints.clone()),
        completion: match state {
            RehearsalState::Passed => seen.success_completion.clone(),
            RehearsalState::Failed => seen.failure.as_ref().and_then(|failure| failure.completion.clone()),
        },
        at,
        seconds,
        message,
        failed_since: None,
    }
}

async fn failed(
    session: &mut Session,
    step: Step,
    snapshot: &Snapshot,
    report: FailureReport,
    timeline: &[TimelineEntry],
    seconds: u64,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let now = session.ui().terminal().now();
    let go_back = session.command("abort");
    // First of all: the guide wants the details saved before the switch is set back.
    let causes = diagnosis::understand(&report.message);
    let told = serde_json::json!(causes);
    let file = |session: &Session, more| {
        let deployment = session.deployment.clone();
        FailureFile {
            command: step.command(),
            at: now,
            deployment,
            failure: &report,
            timeline,
            go_back: &go_back,
            more,
        }
    };
    let saved = record::save(&file(session, vec![("causes", told.clone())]), &state_folders(session));
    let ui = session.ui().clone();
    ui.status("");
    for line in report.message.lines() {
        ui.verbatim(&Line::new().text("    ").text(line));
    }
    ui.status("");
    advice::tell(session, step, &causes);
    match &saved {
        Ok(path) => {
            outcome.record_file = Some(path.display().to_string());
            ui.status(format!("  Saved: {}", path.display()));
        }
        Err(error) => {
            ui.warning(format!("the details could not be saved ({error}); keep the text above before you go back"));
        }
    }
    let seen = Observation::of(&session.deployment);
    let kept = session
        .change_record(|record| {
            if step == Step::DryRun {
                let pending = take_pending(record, step, &session.deployment);
                let proof = pending.as_ref();
                let message = Some(report.message.clone());
                record.rehearsal =
                    Some(rehearsal(snapshot, &seen, proof, now, seconds, RehearsalState::Failed, message));
            } else {
                record.failed_since(&report.message);
            }
            if let Some(pending) = record.pending.as_mut().filter(|pending| is_of(pending, step, &session.deployment)) {
                // The write stands, and the operator tries on: whatever it starts from here on works on it.
                pending.baseline.at_write.running = false;
                pending.baseline.at_write.failure.clone_from(&report.completion);
            }
            record.note(now, None, format!("{} failed", step.command()));
        })
        .await;
    warn_unrecorded(session, kept);
    outcome.message = Some(report.message.clone());
    // Last, because it takes its time: what had to be kept is kept by now.
    if let Some(more) = advice::look_further(session, snapshot, &causes).await {
        more.tell(session, step);
        let file = file(session, vec![("causes", told), ("around", more.document())]);
        let _ = saved.as_ref().map(|path| record::amend(&file, path));
    }
    let mut failure = Failure::new(Exit::Failed, headline(step, &session.deployment));
    failure = advice(session, step, failure);
    if diagnosis::is_unclear(&causes) {
        failure = failure.next(
            Next::new("To collect everything for the vendor's support, without secrets:")
                .command(session.command("report")),
        );
    }
    Err(failure)
}

fn headline(step: Step, deployment: &crate::deployment::Deployment) -> String {
    match step {
        Step::DryRun => "the dry run failed; users do not notice it, and nothing has been migrated".to_owned(),
        Step::Activate if deployment.mas_active() == Some(true) => {
            "the operator reports a failure after the migration itself was done (mas_active is true)".to_owned()
        }
        Step::Activate => {
            "the migration failed; the operator tries again by itself until the switch is set back".to_owned()
        }
        Step::Abort | Step::Remove => {
            "the operator reports a failure while going back; it tries again by itself".to_owned()
        }
    }
}

fn advice(session: &Session, step: Step, failure: Failure) -> Failure {
    match step {
        Step::DryRun => failure
            .next(
                Next::new("The operator tries again by itself. Once the cause is mended, rehearse again:")
                    .command(session.command("dry-run")),
            )
            .next(Next::new("To take the MAS component out again:").command(session.command("abort --remove"))),
        Step::Activate if session.deployment.mas_active() == Some(true) => failure.next(
            Next::new("There is no way back but from the backup. Follow the operator's next try:")
                .command(session.command("activate")),
        ),
        Step::Activate => failure
            .next(Next::new("Watch the next try:").command(session.command("activate")))
            .next(Next::new("Go back, so that users can log in again:").command(session.command("abort"))),
        Step::Abort | Step::Remove => {
            failure.next(Next::new("Watch the next try:").command(session.command(step.command())))
        }
    }
}

/// Where failure files go: the state folder of the XDG specification, else the working folder, else the temporary one.
pub fn state_folders(session: &Session) -> Vec<PathBuf> {
    let terminal = session.ui().terminal();
    let absolute = |path: String| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let state = terminal
        .env("XDG_STATE_HOME")
        .and_then(absolute)
        .or_else(|| terminal.env("HOME").and_then(absolute).map(|home| home.join(".local/state")));
    let mut folders: Vec<PathBuf> = state.into_iter().map(|state| state.join("kubectl-ess-mas")).collect();
    folders.push(PathBuf::from("."));
    folders.push(std::env::temp_dir().join("kubectl-ess-mas"));
    folders
}
