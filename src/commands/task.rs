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
use super::{conclude, findings};
use crate::checks::{self, Finding, Known, Snapshot, Step, codes};
use crate::cli::{FollowArgs, WriteArgs};
use crate::deployment::{Deployment, Run};
use crate::plan::{MasSettings, Plan};
use crate::reconcile::{Baseline, Carried, Continuity, Observation};
use crate::record::{Pending, Record};
use crate::terminal::Next;

/// How often a plan is made anew because the deployment or the record moved.
const ROUNDS: u32 = 24;
/// The pause between two rounds, longer for every one of the first few.
const PAUSE: Duration = Duration::from_millis(40);

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
    /// The command's own `--timeout`.
    pub timeout: Duration,
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
    for round in 0..ROUNDS {
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
        let plan = task.plan(&snapshot)?;
        let Some(rehearsed) = write::dry_run(session, &plan).await? else {
            // An operator that retries writes in bursts; a moment later it is at work, and quiet. Read after the pause:
            // what is read before it would be out of date by then.
            tokio::time::sleep(PAUSE * round.min(6)).await;
            session.reread().await?;
            continue;
        };
        refuse_more(task, &rehearsed.unexplained)?;
        let snapshot = foresee(session, snapshot, &rehearsed.answer, task.step()).await?;
        if flags.follow.wait && !flags.write.preview {
            may_follow(session).await?;
        }
        let Some(go) = decide(session, task, flags, &snapshot, plan, &rehearsed, approved.take())? else {
            return Ok(DONE);
        };
        let mut record = match &snapshot.record {
            Known::Known(Some(record)) => record.clone(),
            Known::Known(None) => Record::new(&snapshot.deployment),
            Known::Unreadable(why) => return Err(Failure::new(FAILED, why.clone())),
        };
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

/// Shows the change and asks for the go-ahead, unless it was given a round before for the same decision. `None` ends the
/// command without a write: a preview, or a no.
fn decide(
    session: &Session,
    task: &dyn Task,
    flags: &Flags<'_>,
    snapshot: &Snapshot,
    plan: Plan,
    rehearsed: &write::Rehearsed,
    earlier: Option<Approved>,
) -> Result<Option<Approved>, Failure> {
    let earlier = earlier.filter(|earlier| write::only_status_moved(earlier.plan().before(), plan.before()));
    if let Some(go) = earlier.and_then(|earlier| earlier.again(plan.clone())) {
        return Ok(Some(go));
    }
    write::show(session, &plan, rehearsed);
    if flags.write.preview {
        session.ui().status("This is a preview; nothing was written.");
        return Ok(None);
    }
    let go = task.approve(session, snapshot, plan)?;
    if go.is_none() {
        session.ui().status("Nothing was changed.");
    }
    Ok(go)
}

/// Whoever may write but not watch would be left without a verdict, so that is found out before the write.
async fn may_follow(session: &Session) -> Result<(), Failure> {
    session.cluster.may_follow(&session.target).await.map_err(|error| {
        Failure::from(error)
            .next(Next::new("Nothing was changed. To write without following the operator, pass --wait=false."))
    })
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

/// What will stand once the change is written. The server's answer shows which Secret the deployment will refer to, and
/// by its defaults which keys; the operator refuses to run without them.
async fn foresee(session: &Session, snapshot: Snapshot, answer: &Deployment, step: Step) -> Result<Snapshot, Failure> {
    if step != Step::DryRun {
        return Ok(snapshot);
    }
    let mut after = Snapshot { deployment: answer.clone(), ..snapshot.clone() };
    after.settings = MasSettings::of(answer).or(after.settings);
    let read = snapshot.secret.known().and_then(Option::as_ref).map(|secret| secret.name.as_str());
    if let Some(name) = answer.mas_secret_name().filter(|name| read != Some(*name)) {
        after.secret = session.read_secret(name).await;
    }
    let found: Vec<Finding> = checks::run(&after, step)
        .into_iter()
        .filter(|finding| finding.code == codes::SECRET && finding.blocks())
        .collect();
    if !found.is_empty() {
        findings::tell(session.ui(), &session.place(), &found);
    }
    findings::judge(&found, &[], false)?;
    // The record notes the contents of the Secret that is rehearsed.
    Ok(Snapshot { secret: after.secret, ..snapshot })
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
