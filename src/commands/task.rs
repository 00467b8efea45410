//! The steps that `dry-run`, `activate` and `abort` share, in the order of the contract: findings, server dry run and
//! preview, confirmation, write, following.

use std::time::Duration;

use serde_json::Value;

use super::approve::Approved;
use super::exit::{DONE, FAILED, Failure, INTERRUPTED, TIMED_OUT};
use super::follow::{self, Ended, Followed, Patience, Start, Words};
use super::gather::Extent;
use super::interrupt::Standing;
use super::outcome::{Answer, Outcome, Written};
use super::session::Session;
use super::write::{self, Intent, Sent};
use super::{conclude, findings, via_owner};
use crate::checks::{self, Finding, Known, Snapshot, Step, codes};
use crate::cli::{FollowArgs, WriteArgs};
use crate::deployment::{Deployment, Run};
use crate::plan::Plan;
use crate::reconcile::{Baseline, Carried, Continuity, Observation};
use crate::record::{Pending, Record};
use crate::terminal::Next;

/// How often a plan is made anew because somebody changed what was decided upon.
const ROUNDS: usize = 8;
/// The same where only the status or the record moved. An operator that fails and tries again at once moves the status
/// many times a second, and just then somebody wants to abort.
const STATUS_ROUNDS: usize = 100;

/// What the three commands do differently.
pub trait Task {
    /// Its words.
    fn words(&self) -> Words;
    /// The step that the findings are for.
    fn step(&self) -> Step;
    /// Why there is nothing to do, if there is nothing.
    fn reached(&self, snapshot: &Snapshot) -> Option<String>;
    /// What to follow instead of writing, if the change is there already.
    fn resume(&self, snapshot: &Snapshot) -> Option<Baseline>;
    /// Whether a run that is under way is waited for.
    fn waits(&self, snapshot: &Snapshot) -> bool;
    /// The change.
    fn plan(&self, snapshot: &Snapshot) -> Result<Plan, Failure>;
    /// Whether the server may change more than what was asked for.
    fn tolerates_more(&self) -> bool;
    /// Asks for the go-ahead; `None` is a no.
    fn approve(&self, session: &Session, snapshot: &Snapshot, plan: Plan) -> Result<Option<Approved>, Failure>;
    /// Whether nobody will be asked.
    fn is_script(&self, session: &Session) -> bool;
    /// For the record's history.
    fn history(&self) -> String;
}

/// Flags that the three share.
pub struct Flags<'a> {
    /// Of the write.
    pub write: &'a WriteArgs,
    /// Of what follows.
    pub follow: &'a FollowArgs,
    /// `--via-owner`.
    pub via_owner: bool,
    /// The command's own `--timeout`.
    pub timeout: Duration,
}

/// Counts how often a plan was made.
#[derive(Default)]
struct Rounds {
    last: Option<Deployment>,
    changed: usize,
    moved: usize,
}

impl Rounds {
    /// Whether another round is worth it with the deployment as it is now.
    fn one_more(&mut self, now: &Deployment) -> bool {
        if self.last.as_ref().is_some_and(|last| write::only_status_moved(last, now)) {
            self.moved += 1;
        } else {
            self.changed += 1;
        }
        self.last = Some(now.clone());
        self.changed <= ROUNDS && self.moved <= STATUS_ROUNDS
    }
}

/// Runs a task to its end.
pub async fn run(
    session: &mut Session,
    task: &dyn Task,
    flags: &Flags<'_>,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    let patience = Patience::new(session.ui().terminal().now(), flags.follow.timeout.unwrap_or(flags.timeout));
    let mut approved: Option<Approved> = None;
    let mut told: Option<Vec<Finding>> = None;
    let mut rounds = Rounds::default();
    while rounds.one_more(&session.deployment) {
        if session.context.interrupt.raised() {
            // It came while a write was on its way that the server then refused.
            return Err(Failure::told(INTERRUPTED));
        }
        let snapshot = session.gather(Extent::Step).await;
        if let Some(words) = task.reached(&snapshot) {
            session.ui().status(words.clone());
            outcome.message = Some(words);
            return Ok(DONE);
        }
        if let Some(baseline) = task.resume(&snapshot) {
            return resume(session, task, flags, patience, &snapshot, baseline, outcome).await;
        }
        if let Some(pending) = begun_by_somebody(session, &snapshot) {
            wait_for_their_write(session, &pending).await?;
            continue;
        }
        let found = checks::run(&snapshot, task.step());
        if told.as_ref() != Some(&found) {
            findings::tell(session.ui(), &session.place(), &found);
        }
        findings::judge(&found, &flags.write.accept, !flags.write.preview && task.is_script(session))?;
        told = Some(found);
        if task.waits(&snapshot) && snapshot.deployment.conditions().run() == Run::Running && !flags.write.preview {
            let progress = session.ui().progress();
            if let Some(ended) = follow::settle(session, patience, &progress).await? {
                drop(progress);
                return conclude::without_write(session, task.words(), ended, outcome);
            }
            continue;
        }
        if !flags.write.preview {
            // Before anybody is asked: nothing is written that could not be noted.
            record(session, task, &snapshot)?;
        }
        let plan = task.plan(&snapshot)?;
        let Some(rehearsed) = write::dry_run(session, &plan).await? else {
            session.reread().await?;
            continue;
        };
        refuse_more(task, &rehearsed.unexplained)?;
        check_secret(session, &snapshot, &rehearsed.answer, task.step()).await?;
        let earlier =
            approved.take().filter(|earlier| write::only_status_moved(earlier.plan().before(), plan.before()));
        let go = if let Some(go) = earlier.and_then(|earlier| earlier.again(plan.clone())) {
            go
        } else {
            write::show(session, &plan, &rehearsed);
            if flags.write.preview {
                session.ui().status("This is a preview; nothing was written.");
                return Ok(DONE);
            }
            if let Some(go) = task.approve(session, &snapshot, plan)? {
                go
            } else {
                session.ui().status("Nothing was changed.");
                return Ok(DONE);
            }
        };
        if flags.via_owner {
            return through_owner(session, task, flags, patience, &snapshot, &go, &rehearsed.answer, outcome).await;
        }
        let mut record = record(session, task, &snapshot)?;
        if session.context.interrupt.raised() {
            return Err(Failure::told(INTERRUPTED));
        }
        let intent = Intent {
            command: task.words().command,
            by: session.who().await,
            snapshot: &snapshot,
            what: task.history(),
        };
        match write::send(session, &go, &rehearsed.answer, &mut record, intent, outcome).await? {
            Sent::Applied(start) => {
                let progress = session.ui().progress();
                progress.done(format!("written (resourceVersion {})", start.seen.resource_version()));
                if !flags.follow.wait {
                    drop(progress);
                    return Ok(conclude::not_waited(session, task.words(), outcome));
                }
                let followed = follow::follow(session, *start, patience, task.words(), &progress).await;
                return conclude::conclude(session, task.words(), &snapshot, followed, &progress, outcome).await;
            }
            Sent::RecordConflict => {
                approved = Some(go);
                session.reread().await?;
            }
            Sent::Conflict => {
                let same = go.plan().is_in(session.deployment.object());
                if !same && !write::only_status_moved(go.plan().before(), &session.deployment) {
                    conflict(session, task)?;
                }
                approved = Some(go);
            }
        }
    }
    Err(Failure::new(
        FAILED,
        format!(
            "ElementDeployment {} is being changed by others again and again; nothing was written",
            session.place()
        ),
    ))
}

/// Everything from the approval on, where somebody else writes.
#[expect(clippy::too_many_arguments, reason = "the state of one round")]
async fn through_owner(
    session: &mut Session,
    task: &dyn Task,
    flags: &Flags<'_>,
    patience: Patience,
    snapshot: &Snapshot,
    go: &Approved,
    answer: &Deployment,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    via_owner::show(session, go.plan())?;
    if !flags.follow.wait {
        outcome.verdict = Answer::NotWaited;
        return Ok(DONE);
    }
    let progress = session.ui().progress();
    match via_owner::arrive(session, go, answer, patience, task.words(), &progress).await? {
        via_owner::Arrival::Here(start) => {
            let followed = follow::follow(session, *start, patience, task.words(), &progress).await;
            conclude::conclude(session, task.words(), snapshot, followed, &progress, outcome).await
        }
        via_owner::Arrival::Ended(Ended::TimedOut(_)) => {
            outcome.verdict = Answer::TimedOut;
            let text = "gave up waiting; the change has not arrived from the manifest's owner, and nothing was written from here";
            let again = session.command(&format!("{} --via-owner", task.words().command));
            Err(Failure::new(TIMED_OUT, text).next(Next::new("To wait on:").command(again)))
        }
        via_owner::Arrival::Ended(ended) => {
            drop(progress);
            conclude::without_write(session, task.words(), ended, outcome)
        }
    }
}

/// The record to note the write in.
fn record(session: &Session, task: &dyn Task, snapshot: &Snapshot) -> Result<Record, Failure> {
    match &snapshot.record {
        Known::Known(Some(record)) => Ok(record.clone()),
        Known::Known(None) => Ok(Record::new(&snapshot.deployment)),
        Known::Unreadable(why) => Err(Failure::new(
            FAILED,
            format!("the record has to be read before anything is written to the deployment: {why}"),
        )
        .next(Next::new("Once that is mended, run the command again:").command(session.command(task.words().command)))),
    }
}

/// Somebody else changed what was decided upon: a person is shown everything again, a script is refused.
fn conflict(session: &Session, task: &dyn Task) -> Result<(), Failure> {
    let by = session
        .deployment
        .active_written_by()
        .map_or_else(String::new, |(manager, _)| format!(" (field manager {manager})"));
    let text = format!(
        "ElementDeployment {} was changed by somebody else{by} in the meantime, so nothing was written",
        session.place()
    );
    if task.is_script(session) {
        return Err(Failure::new(FAILED, text)
            .next(Next::new("Look at it, then run the command again.").command(session.command("status"))));
    }
    session.ui().warning(text);
    Ok(())
}

fn refuse_more(task: &dyn Task, unexplained: &[String]) -> Result<(), Failure> {
    if unexplained.is_empty() || task.tolerates_more() {
        return Ok(());
    }
    let text = format!(
        "the API server would change more than the switch, so nothing was written: {}. Something (a webhook, a new default of the \
         resource definition) changes the deployment on every write",
        unexplained.join(", ")
    );
    Err(Failure::new(FAILED, text)
        .next(Next::new("Find out what it is, let the deployment reconcile, and run `dry-run` again.")))
}

/// The server's answer shows which keys of the Secret the defaults refer to; the operator refuses to run without them.
async fn check_secret(session: &Session, snapshot: &Snapshot, answer: &Deployment, step: Step) -> Result<(), Failure> {
    if step != Step::DryRun {
        return Ok(());
    }
    let mut after = Snapshot { deployment: answer.clone(), ..snapshot.clone() };
    if let (None, Some(name)) = (snapshot.secret.known().and_then(Option::as_ref), answer.mas_secret_name()) {
        after.secret = session.read_secret(name).await;
    }
    let found: Vec<Finding> = checks::run(&after, step)
        .into_iter()
        .filter(|finding| finding.code == codes::SECRET && finding.blocks())
        .collect();
    if !found.is_empty() {
        findings::tell(session.ui(), &session.place(), &found);
    }
    findings::judge(&found, &[], false)
}

/// A write that somebody noted a moment ago and that has not arrived yet.
fn begun_by_somebody(session: &Session, snapshot: &Snapshot) -> Option<Pending> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    let age = session.ui().terminal().now().duration_since(pending.at);
    let fresh = age.abs() < jiff::SignedDuration::from_secs(5);
    (fresh && !is_applied(pending, &snapshot.deployment)).then(|| pending.clone())
}

async fn wait_for_their_write(session: &mut Session, pending: &Pending) -> Result<(), Failure> {
    let who = pending.by.as_deref().unwrap_or("somebody");
    session.ui().status(format!("{who} began {} a moment ago; waiting to see it written.", pending.command));
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(1)) => session.reread().await,
        () = session.context.interrupt.wait() => Err(Failure::told(INTERRUPTED)),
    }
}

/// Whether the write that the record tells of has arrived.
pub fn is_applied(pending: &Pending, deployment: &Deployment) -> bool {
    let seen = Observation::of(deployment);
    let requested = pending
        .request
        .as_deref()
        .is_none_or(|request| deployment.annotation(crate::plan::REHEARSAL_ANNOTATION) == Some(request));
    requested && pending.baseline.uid == seen.uid && pending.baseline.carried.is_in(&seen)
}

async fn resume(
    session: &mut Session,
    task: &dyn Task,
    flags: &Flags<'_>,
    patience: Patience,
    snapshot: &Snapshot,
    baseline: Baseline,
    outcome: &mut Outcome,
) -> Result<u8, Failure> {
    outcome.write = Written::None;
    session.ui().status(since_when(session, snapshot, task.words().command));
    if flags.write.preview {
        session.ui().status("This is a preview; there is nothing to write.");
        return Ok(DONE);
    }
    if !flags.follow.wait {
        return Ok(conclude::not_waited(session, task.words(), outcome));
    }
    let progress = session.ui().progress();
    let start = Start { baseline, seen: snapshot.deployment.clone(), continuity: Continuity::Gap };
    let followed: Followed = follow::follow(session, start, patience, task.words(), &progress).await;
    conclude::conclude(session, task.words(), snapshot, followed, &progress, outcome).await
}

/// Who made the change that is there already, and when: the record knows, or the API server's field managers.
fn since_when(session: &Session, snapshot: &Snapshot, command: &str) -> String {
    let recorded =
        snapshot.recorded().and_then(|record| record.pending.as_ref()).filter(|pending| pending.command == command);
    let (by, at) = match recorded {
        Some(pending) => (pending.by.clone(), Some(pending.at)),
        None => match session.deployment.active_written_by() {
            Some((manager, at)) => (Some(format!("field manager {manager}")), at.and_then(|at| at.parse().ok())),
            None => (None, None),
        },
    };
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    let now = session.ui().terminal().now();
    let at = at.map_or_else(String::new, |at| format!(", {}", crate::terminal::time::ago(at, now)));
    format!("The change is there already{by}{at}; following the operator.")
}

/// The baseline of the write that the record tells of, if it is this command's and has arrived.
pub fn recorded_baseline(snapshot: &Snapshot, command: &str) -> Option<Baseline> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    (pending.command == command && is_applied(pending, &snapshot.deployment)).then(|| pending.baseline.clone())
}

/// A baseline for a change that is there without a record of it.
pub fn present_baseline(snapshot: &Snapshot, carried: Carried) -> Baseline {
    Baseline::of_present(&Observation::of(&snapshot.deployment), carried)
}

/// An ending without a write: told in the same words everywhere.
pub fn ended_early(session: &Session, ended: &Ended, outcome: &mut Outcome) -> u8 {
    let (verdict, code) = match ended {
        Ended::TimedOut(_) => (Answer::TimedOut, TIMED_OUT),
        Ended::Interrupted => (Answer::Interrupted, INTERRUPTED),
        Ended::Verdict(_) => (Answer::Failed, FAILED),
    };
    session.context.interrupt.stands(Standing::NothingWritten);
    outcome.verdict = verdict;
    code
}

/// The annotation's value that asks for a rehearsal: it only has to differ from the one before.
pub fn request_stamp(session: &Session) -> String {
    let now = session.ui().terminal().now();
    let before = session.deployment.object()["metadata"]["annotations"][crate::plan::REHEARSAL_ANNOTATION].clone();
    let stamp = now.to_string();
    if before == Value::String(stamp.clone()) { format!("{stamp}+") } else { stamp }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(version: u32, active: u32) -> Deployment {
        let metadata = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version.to_string()});
        Deployment::from_value(json!({
            "apiVersion": "matrix.element.io/v1alpha2", "metadata": metadata,
            "spec": {"components": {"synapse": {"config": {"n": active}}}}, "status": {"conditions": [], "n": version},
        }))
        .unwrap()
    }

    #[test]
    fn an_abort_gave_up_while_the_operator_moved_the_status_all_the_time() {
        let mut rounds = Rounds::default();
        assert!((0..60).all(|version| rounds.one_more(&deployment(version, 0))));
        assert!(!(60..200).all(|version| rounds.one_more(&deployment(version, 0))), "it ends some time");
    }

    #[test]
    fn a_spec_that_somebody_changes_again_and_again_is_given_up_soon() {
        let mut rounds = Rounds::default();
        let count = (0..60).take_while(|version| rounds.one_more(&deployment(*version, *version))).count();
        assert_eq!(count, ROUNDS);
    }
}
