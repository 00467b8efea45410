//! The common flow of `dry-run`, `activate` and `abort`: findings, server-side dry run, confirmation, write, verdict.
//! Their differences are data: [`Step`].

mod advice;
mod apply;
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
pub use confirm::{Confirmed, NOTHING_CHANGED};
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
use outcome::{Ended, Ending, Outcome};
use preflight::Preflight;
use server_dry_run::ServerDryRun;

/// The delay after a conflict: the operator writes status in bursts.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a step, prints its outcome, tests the network after a success, and prints the next step last.
pub async fn take(session: &mut Session, request: &Request, format: OutputFormat) -> Result<Exit, Failure> {
    // A command without a verdict needs no network test.
    let reach = (request.wait && !request.preview && !request.step.goes_back())
        .then(|| endpoints::ConnectionTest::begin(session));
    let mut outcome = Outcome::new(request.step);
    let ended = run(session, request, &mut outcome).await;
    let (succeeded, next) = (matches!(ended, Ok((Ending::Succeeded, Ok(_)))), outcome.next.take());
    let exit = outcome.finish(session, format, ended).await?;
    if let (true, Some(reach)) = (succeeded, reach) {
        endpoints::after(session, reach).await;
    }
    if let Some(next) = next {
        session.ui().next(&next);
    }
    Ok(exit)
}

/// Repeats the flow from its beginning after a conflict on the deployment or the record.
async fn run(session: &mut Session, request: &Request, outcome: &mut Outcome) -> Result<Ended, Failure> {
    let step = request.step;
    let timeout = request.timeout.unwrap_or(step.timeout());
    let deadline = Deadline::new(session.now(), timeout);
    let stamp = session.now().to_string();
    let (mut attempts, mut preflight, mut approvals) =
        (Attempts::default(), Preflight::default(), Approvals::default());
    loop {
        attempts.count(session)?;
        // A rollback reads the deployment alone, so that nothing else can block it.
        let seen = session.gather(if step.goes_back() { Extent::Abort } else { Extent::Step }).await;
        if let Some(words) = step.reached(&seen) {
            if step == Step::Abort && seen.deployment.mas().is_some() {
                let text = "The MAS component stays in the ElementDeployment. To remove it:";
                outcome.next = Some(Next::new(text).command(session.command(Step::Remove.command())));
            }
            return Ok(outcome.nothing_to_do(session, words));
        }
        let mut flow = Flow { session, request, outcome, deadline };
        if let Some(baseline) = step.found(&seen) {
            match flow.follow_existing(&seen, baseline).await? {
                Some(ended) => return Ok(ended),
                None => continue,
            }
        }
        if resume::wait_for_other_write(flow.session, &seen).await? {
            continue;
        }
        if approvals.written.is_none() {
            preflight.check(flow.session, request, &seen).await?;
        }
        let running = seen.deployment.conditions().run() == Run::Running;
        if running && !request.preview && step.waits(&seen) {
            match wait::until_idle(flow.session, deadline, step).await? {
                Some(stopped) => return Ok(outcome::without_write(flow.session, step, stopped)),
                None => continue,
            }
        }
        let plan = step.plan(&seen, &stamp)?;
        if !request.preview {
            // Fails before the prompt if the write can't be recorded.
            apply::record(flow.session, step, &seen)?;
        }
        let Some(shown) = server_dry_run::ask(flow.session, &plan).await? else {
            tokio::time::sleep(PAUSE).await;
            flow.session.reread().await?;
            continue;
        };
        shown.refuse_more(step)?;
        let seen = shown.foresee(flow.session, seen, step).await?;
        // `None` is a preview.
        let Some(go) = approvals.ask(flow.session, request, &seen, plan, &shown, preflight.times)? else {
            return Ok((Ending::Unchanged, Ok(Exit::Done)));
        };
        let start = if request.via_owner {
            match via_owner::hand_over(flow.session, request, &seen, &go, &shown.answer, deadline).await? {
                ControlFlow::Continue(start) => start,
                ControlFlow::Break(ended) => return Ok(ended),
            }
        } else {
            let Some(start) = flow.write(&seen, &go, &shown).await? else {
                approvals.approved = Some(go);
                continue;
            };
            approvals.written = Some(go);
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
    /// Writes the approved change; `None` after a conflict.
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

    /// Handles a conflict. The same change by another client and a changed status are accepted. Any other change is shown
    /// again, and refused in a script.
    async fn refuse_other_changes(&self, go: &Approved) -> Result<(), Failure> {
        if go.plan().before.differs_only_in_status(&self.session.deployment) {
            return Ok(());
        }
        let step = self.request.step;
        if step.goes_back() && go.plan().is_in(self.session.deployment.object()) {
            // Also an earlier write of this command that arrived late, after its record was withdrawn.
            return Ok(());
        }
        let now = self.session.gather(Extent::Abort).await;
        if step.found(&now).is_some() || step.reached(&now).is_some() {
            return Ok(());
        }
        let by = self.session.deployment.active_written_by();
        let by = by.map_or_else(String::new, |(manager, _)| format!(" (field manager {manager})"));
        let text = format!("another client{by} changed ElementDeployment {} in the meantime", self.session.place());
        if self.request.is_script(self.session) {
            let again = self.session.command("status");
            return Err(Failure::failed(text).then("Check the status, then run the command again:", again));
        }
        self.session.ui().warning(text + "; nothing was written");
        Ok(())
    }

    /// Follows the operator after the write; `None` if another reconcile has to be requested.
    async fn follow_to_verdict(&mut self, seen: &Snapshot, start: Start) -> Result<Option<Ended>, Failure> {
        let progress = self.session.ui().progress();
        if !self.request.via_owner {
            progress.done(format!("written (resourceVersion {})", start.seen.resource_version()));
        }
        if !self.request.wait {
            drop(progress);
            return Ok(Some(outcome::not_waited(self.session, self.request.step)));
        }
        self.follow(seen, start, false, &progress).await
    }

    /// Follows a change that an earlier call or another client made.
    async fn follow_existing(&mut self, seen: &Snapshot, baseline: Baseline) -> Result<Option<Ended>, Failure> {
        let step = self.request.step;
        self.session.ui().status(resume::since_when(self.session, seen, step));
        if self.request.preview {
            self.session.ui().status("This is a preview; there is nothing to write.");
            return Ok(Some((Ending::Unchanged, Ok(Exit::Done))));
        }
        if !self.request.wait {
            return Ok(Some(outcome::not_waited(self.session, step)));
        }
        let progress = self.session.ui().progress();
        let changed = resume::changed(seen, step).1.unwrap_or(self.session.now());
        let start = Start { baseline, seen: seen.deployment.clone(), continuity: Continuity::Gap, changed };
        self.follow(seen, start, true, &progress).await
    }

    /// `found` means that the change existed before this call, so an unobserved reconcile may have reached its goal.
    async fn follow(
        &mut self,
        seen: &Snapshot,
        start: Start,
        found: bool,
        progress: &Progress,
    ) -> Result<Option<Ended>, Failure> {
        let step = self.request.step;
        let reached = |deployment: &Deployment| step::migrated(deployment).filter(|_| found && step == Step::Activate);
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
            // The interrupt state stays `Following`: something was written.
            FollowEnd::AtRest => Ok(None),
            _ => Ok(Some(outcome::conclude(self.session, step, seen, followed, progress, self.outcome).await)),
        }
    }
}
