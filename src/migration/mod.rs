//! The steps that `dry-run`, `activate` and `abort` share, in the order of the contract: findings, server dry run and
//! preview, confirmation, write, following.

mod advice;
mod apply;
mod attempts;
mod conclude;
pub mod confirm;
pub mod downtime;
pub mod follow;
pub mod outcome;
mod preflight;
pub mod resume;
mod via_owner;
mod workloads;

pub use advice::{known, page};
pub use conclude::state_folders;

use std::borrow::Cow;
use std::time::Duration;

use self::apply::{self as write, Intent, Sent, ServerDryRun};
use self::attempts::Rounds;
use self::confirm::Approved;
use self::follow::{Ended, Exits, Reached, Start, Words};
use self::outcome::{Answer, Outcome};
use self::{preflight as gates, resume as pending};
use crate::checks::{self, Finding, Known, Snapshot, Step, codes};
use crate::cli::{FollowArgs, WriteArgs};
use crate::commands::outside;
use crate::deployment::{Deployment, Run};
use crate::error::{DONE, FAILED, Failure, INTERRUPTED, TIMED_OUT};
use crate::plan::{MasSettings, Plan};
use crate::reconcile::{Baseline, Continuity};
use crate::record::Record;
use crate::session::Session;
use crate::session::deadline::Patience;
use crate::session::interrupt::Standing;
use crate::session::snapshot::Extent;
use crate::session::{certificate, findings};
use crate::terminal::progress::Progress;
use crate::terminal::{Next, Verbosity};

/// An operator that retries writes in bursts; a moment later it is at work, and quiet.
const PAUSE: Duration = Duration::from_millis(20);

/// What the three commands do differently.
pub trait Task {
    fn words(&self) -> Words;
    /// The step that the findings are for.
    fn step(&self) -> Step;
    /// Why there is nothing to do, if there is nothing.
    fn reached(&self, snapshot: &Snapshot) -> Option<String>;
    /// MAS's settings whose certificate is looked at before the step; none where going back must not hang on one.
    fn settings<'a>(&self, snapshot: &'a Snapshot) -> Option<Cow<'a, MasSettings>>;
    /// What to follow instead of writing, if the change is there already.
    fn resume(&self, snapshot: &Snapshot) -> Option<Baseline>;
    /// The same for a change that was found there and is followed: why there is nothing left to do, if there is nothing.
    fn reached_by(&self, _: &Deployment) -> Option<String> {
        None
    }
    /// Whether it can ask for a run that is seen, where the one that counts may have come and gone unseen.
    fn asks_for_a_run(&self) -> bool {
        false
    }
    /// Whether a run that is under way is waited for.
    fn waits(&self, snapshot: &Snapshot) -> bool;
    fn plan(&self, snapshot: &Snapshot) -> Result<Plan, Failure>;
    /// Whether the server may change more than what was asked for.
    fn tolerates_more(&self) -> bool;
    /// Asks for the go-ahead; `None` is a no.
    fn approve(&self, session: &Session, snapshot: &Snapshot, plan: Plan) -> Result<Option<Approved>, Failure>;
    fn is_script(&self, session: &Session) -> bool;
    fn history(&self) -> String;
    /// Findings about what was given on the command line.
    fn given(&self) -> Vec<Finding> {
        Vec::new()
    }
}

pub struct Flags<'a> {
    pub write: &'a WriteArgs,
    pub follow: &'a FollowArgs,
    /// `--via-owner`.
    pub via_owner: bool,
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
    let mut course = Course {
        session,
        task,
        flags,
        outcome,
        patience,
        approved: None,
        sent: None,
        told: None,
        certificate: None,
        looked: false,
    };
    let mut rounds = Rounds::default();
    while rounds.one_more(&course.session.deployment) {
        if course.session.context.interrupt.raised() {
            // It came while a write was on its way that the server then refused.
            return Err(Failure::told(INTERRUPTED));
        }
        if let Some(code) = course.round().await? {
            return Ok(code);
        }
    }
    let place = course.session.place();
    Err(Failure::new(
        FAILED,
        format!("ElementDeployment {place} is being changed by others again and again; nothing was written"),
    ))
}

/// One task under way. A round that finds the deployment or the record moved is made again from its beginning; what was
/// approved is kept for as long as only the status moves.
struct Course<'a> {
    session: &'a mut Session,
    task: &'a dyn Task,
    flags: &'a Flags<'a>,
    outcome: &'a mut Outcome,
    patience: Patience,
    approved: Option<Approved>,
    sent: Option<Approved>,
    told: Option<Vec<Finding>>,
    certificate: Option<(MasSettings, Vec<Finding>)>,
    looked: bool,
}

impl Course<'_> {
    /// One round; `None` asks for another one.
    async fn round(&mut self) -> Result<Option<u8>, Failure> {
        let snapshot = self.session.gather(self.extent()).await;
        if let Some(words) = self.task.reached(&snapshot) {
            self.session.ui().status(words.clone());
            self.outcome.message = Some(words);
            return Ok(Some(DONE));
        }
        if let Some(baseline) = self.task.resume(&snapshot) {
            return self.follow_what_is_there(&snapshot, baseline).await;
        }
        if let Some(words) = pending::left_to_the_owner(self.session, &snapshot).filter(|_| self.told.is_none()) {
            self.session.ui().status(words);
        }
        if let Some(begun) = pending::begun_by_somebody(self.session, &snapshot) {
            pending::wait_for_their_write(self.session, &begun).await?;
            return Ok(None);
        }
        if self.sent.is_none() {
            self.judge(&snapshot).await?;
            self.look_outside(&snapshot).await?;
        }
        if self.must_wait(&snapshot) {
            return self.wait().await;
        }
        let plan = self.task.plan(&snapshot)?;
        if !self.flags.write.preview {
            // Before anybody is asked: nothing is written that could not be noted.
            self.record(&snapshot, &plan)?;
        }
        let Some(dry_run) = write::dry_run(self.session, &plan).await? else {
            // Read after the pause: what is read before it would be out of date by then.
            tokio::time::sleep(PAUSE).await;
            self.session.reread().await?;
            return Ok(None);
        };
        gates::refuse_more(self.task, &dry_run.unexplained)?;
        let snapshot = gates::foresee(self.session, snapshot, &dry_run.answer, self.task.step()).await?;
        match self.approve(&snapshot, plan, &dry_run)? {
            Some(go) if self.flags.via_owner => self.through_owner(&snapshot, &go, &dry_run).await,
            Some(go) => self.send(&snapshot, go, &dry_run).await,
            None => Ok(Some(DONE)),
        }
    }

    /// Going back hangs on nothing that lies around the deployment.
    fn extent(&self) -> Extent {
        if self.task.step() == Step::Abort { Extent::Back } else { Extent::Step }
    }

    /// Findings: told once, judged every time.
    async fn judge(&mut self, snapshot: &Snapshot) -> Result<(), Failure> {
        let mut found = checks::run(snapshot, self.task.step());
        found.extend(self.certificate(snapshot).await);
        found.extend(self.task.given());
        found.sort_by_key(|finding| finding.severity);
        if self.flags.via_owner {
            // They are about a change behind the owner's back, which this is not.
            found.retain(|finding| !codes::OWNERS.contains(&finding.code));
        }
        if !self.flags.follow.wait || self.flags.write.preview {
            // Nothing is followed then.
            found.retain(|finding| finding.code != codes::PERMISSION_TO_FOLLOW);
        }
        findings::name_commands(self.session, &mut found);
        if self.told.as_ref() != Some(&found) {
            findings::tell(self.session.ui(), &self.session.place(), &found);
        }
        let script = !self.flags.write.preview && self.task.is_script(self.session);
        findings::judge(&found, &self.flags.write.accept, script)?;
        self.told = Some(found);
        Ok(())
    }

    /// What answers over the network, once, before the step that cannot be taken back.
    async fn look_outside(&mut self, snapshot: &Snapshot) -> Result<(), Failure> {
        if self.task.step() != Step::Activate || std::mem::replace(&mut self.looked, true) {
            return Ok(());
        }
        let script = !self.flags.write.preview && self.task.is_script(self.session);
        outside::before(self.session, snapshot, &self.flags.write.accept, script).await
    }

    /// The certificate that MAS will have with these settings, or has; looked at once, and again after a long wait.
    async fn certificate(&mut self, snapshot: &Snapshot) -> Vec<Finding> {
        let Some(settings) = self.task.settings(snapshot) else { return Vec::new() };
        match &self.certificate {
            Some((of, found)) if *of == *settings => found.clone(),
            _ => {
                let (found, told) = certificate::of_step(self.session, snapshot, &settings).await;
                for finding in &told {
                    self.session.ui().status(format!("{}: {}", finding.subject, finding.message));
                }
                self.certificate = Some((settings.into_owned(), found.clone()));
                found
            }
        }
    }

    fn must_wait(&self, snapshot: &Snapshot) -> bool {
        let under_way = snapshot.deployment.conditions().run() == Run::Running;
        under_way && !self.flags.write.preview && self.task.waits(snapshot)
    }

    async fn wait(&mut self) -> Result<Option<u8>, Failure> {
        self.certificate = None;
        let progress = self.session.ui().progress();
        let ended = follow::settle(self.session, self.patience, self.task.words(), &progress).await?;
        drop(progress);
        match ended {
            Some(ended) => conclude::without_write(self.session, self.task.words(), ended, self.outcome).map(Some),
            None => Ok(None),
        }
    }

    /// Shows the write and asks for the go-ahead, unless it was given already for the same write.
    fn approve(
        &mut self,
        snapshot: &Snapshot,
        plan: Plan,
        dry_run: &ServerDryRun,
    ) -> Result<Option<Approved>, Failure> {
        let earlier = self.approved.take();
        let still = earlier.filter(|earlier| write::only_status_moved(earlier.plan().before(), plan.before()));
        if let Some(go) = still.and_then(|earlier| earlier.again(plan.clone())) {
            return Ok(Some(go));
        }
        if let Some(go) = self.sent.as_ref().and_then(|sent| sent.another_run(plan.clone())) {
            // The person wanted this run, and may have gone to bed by now.
            let words = "Whether the operator worked on the change was not to be seen; asking it for another run.";
            self.session.ui().status(words);
            write::show(self.session, &plan, dry_run);
            return Ok(Some(go));
        }
        let nobody_reads = self.session.ui().verbosity() == Verbosity::Quiet && self.task.is_script(self.session);
        if self.flags.write.preview || !nobody_reads {
            write::show(self.session, &plan, dry_run);
        }
        if self.flags.write.preview {
            self.session.ui().status("This is a preview; nothing was written.");
            return Ok(None);
        }
        let go = self.task.approve(self.session, snapshot, plan)?;
        if go.is_none() {
            let more = if self.sent.is_some() { "Nothing more was changed." } else { "Nothing was changed." };
            self.session.ui().status(more);
        }
        Ok(go)
    }

    async fn send(&mut self, snapshot: &Snapshot, go: Approved, dry_run: &ServerDryRun) -> Result<Option<u8>, Failure> {
        let mut record = self.record(snapshot, go.plan())?;
        let by = self.session.who().await;
        if self.session.context.interrupt.raised() {
            return Err(Failure::told(INTERRUPTED));
        }
        let words = self.task.words();
        let intent = Intent { command: words.command, by, snapshot, what: self.task.history() };
        match write::send(self.session, &go, &dry_run.answer, &mut record, intent, self.outcome).await? {
            Sent::Applied(start) => {
                self.sent = Some(go);
                self.applied(snapshot, *start).await
            }
            Sent::RecordConflict => {
                self.approved = Some(go);
                self.session.reread().await?;
                Ok(None)
            }
            Sent::Conflict => {
                self.refuse_other_changes(&go).await?;
                self.approved = Some(go);
                Ok(None)
            }
        }
    }

    /// Everything from the approval on, where somebody else writes.
    async fn through_owner(
        &mut self,
        snapshot: &Snapshot,
        go: &Approved,
        dry_run: &ServerDryRun,
    ) -> Result<Option<u8>, Failure> {
        let words = self.task.words();
        via_owner::check(self.session, snapshot, go.plan())?;
        let by = self.session.who().await;
        let intent = Intent { command: words.command, by, snapshot, what: via_owner::history(words) };
        let ours = via_owner::note(self.session, go, &dry_run.answer, intent).await?;
        via_owner::show(self.session, go.plan())?;
        if !self.flags.follow.wait {
            self.outcome.verdict = Answer::NotWaited;
            return Ok(Some(DONE));
        }
        let progress = self.session.ui().progress();
        let arrival = via_owner::arrive(self.session, go, &dry_run.answer, self.patience, words, &progress).await?;
        match arrival {
            via_owner::Arrival::Here(start) => {
                via_owner::note_arrival(self.session, &ours, &start).await;
                self.follow(snapshot, *start, None, &progress).await
            }
            via_owner::Arrival::Ended(Ended::TimedOut(_)) => {
                self.outcome.verdict = Answer::TimedOut;
                let text = "gave up waiting; the change has not arrived from the manifest's owner, and nothing was written from here";
                let again = self.session.command(&format!("{} --via-owner", words.command));
                Err(Failure::new(TIMED_OUT, text).next(Next::new("To wait on:").command(again)))
            }
            via_owner::Arrival::Ended(ended) => {
                drop(progress);
                conclude::without_write(self.session, words, ended, self.outcome).map(Some)
            }
        }
    }

    /// Follows to the end, or to the need of another round.
    async fn follow(
        &mut self,
        snapshot: &Snapshot,
        start: Start,
        reached: Option<Reached<'_>>,
        progress: &Progress,
    ) -> Result<Option<u8>, Failure> {
        let words = self.task.words();
        let exits = Exits { reached, at_rest: self.task.asks_for_a_run() };
        let followed = follow::follow(self.session, start, self.patience, words, exits, progress).await;
        match followed.ended {
            Ended::Reached(text) => {
                self.session.context.interrupt.stands(Standing::Ending { done: "there is nothing left to do" });
                self.session.ui().status(text.clone());
                self.outcome.message = Some(text);
                Ok(Some(DONE))
            }
            Ended::AtRest if self.flags.via_owner => {
                self.outcome.verdict = Answer::TimedOut;
                let text =
                    "gave up waiting; the operator rests, and whether it has worked on the change was not to be seen";
                let again = self.session.command(words.command);
                Err(Failure::new(TIMED_OUT, text).next(Next::new("To ask it for a run that is seen:").command(again)))
            }
            // An interruption still means what it meant while following: something was written.
            Ended::AtRest => Ok(None),
            _ => conclude::conclude(self.session, words, snapshot, followed, progress, self.outcome).await.map(Some),
        }
    }

    /// The record to note the write in. Going back must not hang on it.
    fn record(&self, snapshot: &Snapshot, plan: &Plan) -> Result<Record, Failure> {
        match &snapshot.record {
            Known::Known(Some(record)) => Ok(record.clone()),
            Known::Unreadable(why) if !write::goes_back(plan.change()) => {
                let text = format!("the record has to be read before anything is written to the deployment: {why}");
                Err(Failure::new(FAILED, text).next(
                    Next::new("Once that is mended, run the command again:")
                        .command(self.session.command(self.task.words().command)),
                ))
            }
            Known::Known(None) | Known::Unreadable(_) => Ok(Record::new(&snapshot.deployment)),
        }
    }

    async fn applied(&mut self, snapshot: &Snapshot, start: Start) -> Result<Option<u8>, Failure> {
        let words = self.task.words();
        let progress = self.session.ui().progress();
        progress.done(format!("written (resourceVersion {})", start.seen.resource_version()));
        if !self.flags.follow.wait {
            drop(progress);
            return Ok(Some(conclude::not_waited(self.session, words, self.outcome)));
        }
        self.follow(snapshot, start, None, &progress).await
    }

    /// After a conflict: somebody who made the same change is followed, and a status that moved is no change. Anything
    /// else is shown to a person again, and refused in a script.
    async fn refuse_other_changes(&self, go: &Approved) -> Result<(), Failure> {
        if write::only_status_moved(go.plan().before(), &self.session.deployment) {
            return Ok(());
        }
        let now = self.session.gather(Extent::Back).await;
        if self.task.resume(&now).is_some() || self.task.reached(&now).is_some() {
            return Ok(());
        }
        gates::conflict(self.session, self.task)
    }

    /// The change is there already, by an earlier call or by somebody else.
    async fn follow_what_is_there(&mut self, snapshot: &Snapshot, baseline: Baseline) -> Result<Option<u8>, Failure> {
        let words = self.task.words();
        self.session.ui().status(pending::since_when(self.session, snapshot, words.command));
        if self.flags.write.preview {
            self.session.ui().status("This is a preview; there is nothing to write.");
            return Ok(Some(DONE));
        }
        if !self.flags.follow.wait {
            return Ok(Some(conclude::not_waited(self.session, words, self.outcome)));
        }
        let progress = self.session.ui().progress();
        let start = Start { baseline, seen: snapshot.deployment.clone(), continuity: Continuity::Gap };
        let task = self.task;
        let reached = |deployment: &Deployment| task.reached_by(deployment);
        self.follow(snapshot, start, Some(&reached), &progress).await
    }
}

/// An ending without a write: told in the same words everywhere.
pub fn ended_early(session: &Session, ended: &Ended, outcome: &mut Outcome) -> u8 {
    let (verdict, code) = match ended {
        Ended::TimedOut(_) => (Answer::TimedOut, TIMED_OUT),
        Ended::Interrupted => (Answer::Interrupted, INTERRUPTED),
        Ended::Verdict(_) | Ended::Reached(_) | Ended::AtRest => (Answer::Failed, FAILED),
    };
    session.context.interrupt.stands(Standing::NothingWritten);
    outcome.verdict = verdict;
    code
}
