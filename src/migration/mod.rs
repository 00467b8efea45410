//! The one flow that `dry-run`, `activate` and `abort` share, in the order of the contract: findings, server-side dry
//! run, confirmation, write, verdict. What they do differently is data: [`Step`].

mod advice;
mod apply;
mod conclude;
mod confirm;
mod failed;
mod follow;
mod outcome;
mod preflight;
mod resume;
mod server_dry_run;
mod step;
mod via_owner;
mod wait;

use std::ops::ControlFlow;
use std::time::Duration;

pub use advice::{known, page};
pub use confirm::Confirmed;
pub use step::{Request, Step};

use crate::checks::Snapshot;
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::endpoints;
use crate::session::interrupt::InterruptState;
use crate::session::reading::Extent;
use crate::terminal::progress::Progress;
use crate::terminal::{Next, OutputFormat};
use crate::verdict::{Baseline, Continuity};

use apply::{Attempts, Intent};
use confirm::{Approvals, Approved};
use follow::{FollowEnd, Start};
use outcome::{Ended, Outcome};
use preflight::Preflight;
use server_dry_run::ServerDryRun;

/// The operator may write status in bursts; a moment later it is at work, and quiet.
const PAUSE: Duration = Duration::from_millis(20);

/// Takes a step to its end: the flow, what came of it, after a success a look at what answers over the network, and what to
/// do next as the last words.
pub async fn take(session: &mut Session, request: &Request, format: OutputFormat) -> Result<Exit, Failure> {
    // Nothing is connected to for a command that sees no verdict.
    let reach = (request.wait && !request.preview && !request.step.goes_back())
        .then(|| endpoints::ConnectionTest::begin(session));
    let mut outcome = Outcome::new(request.step);
    let ended = run(session, request, &mut outcome).await;
    let (succeeded, next) = (matches!(ended, Ok(Ended::Succeeded)), outcome.next.take());
    let exit = outcome.finish(session, format, ended).await?;
    if let (true, Some(reach)) = (succeeded, reach) {
        endpoints::after(session, reach).await;
    }
    if let Some(next) = next {
        session.ui().next(&next);
    }
    Ok(exit)
}

/// The flow. An attempt that finds the deployment or the record moved is made again from its beginning.
async fn run(session: &mut Session, request: &Request, outcome: &mut Outcome) -> Result<Ended, Failure> {
    let step = request.step;
    let timeout = request.timeout.unwrap_or(step.timeout());
    let deadline = Deadline::new(session.now(), timeout);
    let stamp = session.now().to_string();
    let (mut attempts, mut preflight, mut approvals) =
        (Attempts::default(), Preflight::default(), Approvals::default());
    loop {
        attempts.one_more(session)?;
        let seen = session.gather(step.extent()).await;
        if let Some(words) = step.reached(&seen) {
            if step == Step::Abort && seen.deployment.mas().is_some() {
                let text = "The MAS component stays in the ElementDeployment. To remove it:";
                outcome.next = Some(Next::new(text).command(session.command(Step::Remove.command())));
            }
            return Ok(outcome.nothing_to_do(session, words));
        }
        let mut flow = Flow { session, request, outcome, deadline };
        if let Some(baseline) = step.found(&seen) {
            match flow.follow_what_is_there(&seen, baseline).await? {
                Some(ended) => return Ok(ended),
                None => continue,
            }
        }
        if resume::somebody_is_writing(flow.session, &seen).await? {
            continue;
        }
        if !approvals.has_written() {
            preflight.check(flow.session, request, &seen).await?;
        }
        if flow.must_wait(&seen) {
            preflight.forget_certificate();
            match flow.wait().await? {
                Some(ended) => return Ok(ended),
                None => continue,
            }
        }
        let plan = step.plan(&seen, &stamp)?;
        if !request.preview {
            // Before anybody is asked: nothing is written that could not be noted.
            apply::record(flow.session, step, &seen)?;
        }
        let Some(shown) = server_dry_run::ask(flow.session, &plan).await? else {
            // Read after the pause: what is read before it would be out of date by then.
            tokio::time::sleep(PAUSE).await;
            flow.session.reread().await?;
            continue;
        };
        shown.refuse_more(step)?;
        let seen = shown.foresee(flow.session, seen, step).await?;
        // A preview ends here.
        let Some(go) = approvals.ask(flow.session, request, &seen, plan, &shown, preflight.times)? else {
            return Ok(Ended::Unchanged);
        };
        let start = if request.via_owner {
            match via_owner::leave(flow.session, request, &seen, &go, &shown.answer, deadline).await? {
                ControlFlow::Continue(start) => start,
                ControlFlow::Break(ended) => return Ok(ended),
            }
        } else {
            let Some(start) = flow.write(&seen, &go, &shown).await? else {
                approvals.keep(go);
                continue;
            };
            approvals.written(go);
            start
        };
        if let Some(ended) = flow.follow_to_verdict(&seen, start).await? {
            return Ok(ended);
        }
    }
}

struct Flow<'a> {
    session: &'a mut Session,
    request: &'a Request,
    outcome: &'a mut Outcome,
    deadline: Deadline,
}

impl Flow<'_> {
    fn must_wait(&self, seen: &Snapshot) -> bool {
        let under_way = seen.deployment.conditions().run() == Run::Running;
        under_way && !self.request.preview && self.request.step.waits(seen)
    }

    /// Waits for the reconcile that is under way; `None` once it is over.
    async fn wait(&mut self) -> Result<Option<Ended>, Failure> {
        let progress = self.session.ui().progress();
        let stopped = wait::settle(self.session, self.deadline, self.request.step, &progress).await?;
        drop(progress);
        Ok(stopped.map(|stopped| conclude::without_write(self.session, self.request.step, stopped)))
    }

    /// Writes what was approved; `None` where somebody else was faster, and the attempt is to be made again.
    async fn write(&mut self, seen: &Snapshot, go: &Approved, shown: &ServerDryRun) -> Result<Option<Start>, Failure> {
        let step = self.request.step;
        let mut record = apply::record(self.session, step, seen)?;
        let by = self.session.cluster.who_am_i().await;
        if self.session.interrupt().raised() {
            return Err(Failure::told(Exit::Interrupted));
        }
        let intent = Intent { step, by, snapshot: seen, what: step.history().to_owned() };
        let written = apply::send(self.session, go, &shown.answer, &mut record, intent, self.outcome).await?;
        if written.is_none() {
            self.refuse_other_changes(go).await?;
        }
        Ok(written)
    }

    /// After a conflict: somebody who made the same change is followed, and a status that moved is no change. Anything
    /// else is shown to a person again, and refused in a script.
    async fn refuse_other_changes(&self, go: &Approved) -> Result<(), Failure> {
        if go.plan().before().differs_only_in_status(&self.session.deployment) {
            return Ok(());
        }
        let step = self.request.step;
        if step.goes_back() && go.plan().is_in(self.session.deployment.object()) {
            // Also an earlier write of this very command, which arrived late and left the record as it found it.
            return Ok(());
        }
        let now = self.session.gather(Extent::Abort).await;
        if step.found(&now).is_some() || step.reached(&now).is_some() {
            return Ok(());
        }
        preflight::conflict(self.session, self.request)
    }

    /// Follows the operator from the write on; `None` where it has to be asked for a reconcile that is seen.
    async fn follow_to_verdict(&mut self, seen: &Snapshot, start: Start) -> Result<Option<Ended>, Failure> {
        let progress = self.session.ui().progress();
        if !self.request.via_owner {
            progress.done(format!("written (resourceVersion {})", start.seen.resource_version()));
        }
        if !self.request.wait {
            drop(progress);
            return Ok(Some(conclude::not_waited(self.session, self.request.step)));
        }
        self.follow(seen, start, false, &progress).await
    }

    /// The change is there already, by an earlier call or by somebody else.
    async fn follow_what_is_there(&mut self, seen: &Snapshot, baseline: Baseline) -> Result<Option<Ended>, Failure> {
        let step = self.request.step;
        self.session.ui().status(resume::since_when(self.session, seen, step));
        if self.request.preview {
            self.session.ui().status("This is a preview; there is nothing to write.");
            return Ok(Some(Ended::Unchanged));
        }
        if !self.request.wait {
            return Ok(Some(conclude::not_waited(self.session, step)));
        }
        let progress = self.session.ui().progress();
        let changed = resume::changed_at(seen, step).unwrap_or(self.session.now());
        let start = Start { baseline, seen: seen.deployment.clone(), continuity: Continuity::Gap, changed };
        self.follow(seen, start, true, &progress).await
    }

    /// `found`: the change was there already, so that its goal may be reached by a reconcile that nobody saw.
    async fn follow(
        &mut self,
        seen: &Snapshot,
        start: Start,
        found: bool,
        progress: &Progress,
    ) -> Result<Option<Ended>, Failure> {
        let step = self.request.step;
        let reached = |deployment: &Deployment| step.reached_by(deployment).filter(|_| found);
        let followed = follow::follow(self.session, start, self.deadline, step, &reached, progress).await;
        match followed.end {
            FollowEnd::Reached(words) => {
                self.session.interrupt().set(InterruptState::Ending { done: "there is nothing left to do" });
                Ok(Some(self.outcome.nothing_to_do(self.session, words)))
            }
            FollowEnd::AtRest if self.request.via_owner => {
                let text = "timed out; the operator is idle, and its reconcile of the change was not observed";
                let again = self.session.command(step.command());
                Err(Failure::new(Exit::TimedOut, text).then("To request another reconcile:", again))
            }
            // An interruption still means what it meant while following: something was written.
            FollowEnd::AtRest => Ok(None),
            _ => Ok(Some(conclude::conclude(self.session, step, seen, followed, progress, self.outcome).await)),
        }
    }
}
