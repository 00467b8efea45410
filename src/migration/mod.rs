//! The common flow of `dry-run`, `activate` and `abort`: findings, server-side dry run, confirmation, write, verdict.
//! Their differences are data: [`Step`].

mod advice;
mod apply;
mod attempts;
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

use crate::deployment::Run;
use crate::error::{Exit, Failure};
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::endpoints;
use crate::session::reading::Extent;
use crate::terminal::{Next, OutputFormat};
use crate::verdict::Continuity;

use attempts::Attempts;
use confirm::Approvals;
use follow::Start;
use outcome::{Ended, Ending, Outcome};
use preflight::Preflight;

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
        if let Some(baseline) = step.found(&seen) {
            session.ui().status(resume::since_when(session, &seen, step));
            if request.preview {
                session.ui().status("This is a preview; there is nothing to write.");
                return Ok((Ending::Unchanged, Ok(Exit::Done)));
            }
            let changed = resume::changed(&seen, step).1.unwrap_or(session.now());
            let continuity = Continuity::Gap;
            let start = Start { baseline, seen: seen.deployment.clone(), continuity, changed, existing: true };
            match outcome::follow_to_verdict(session, request, &seen, start, deadline, outcome).await? {
                Some(ended) => return Ok(ended),
                None => continue,
            }
        }
        if resume::wait_for_other_write(session, &seen).await? {
            continue;
        }
        if approvals.written.is_none() {
            preflight.check(session, request, &seen).await?;
        }
        let running = seen.deployment.conditions().run() == Run::Running;
        if running && !request.preview && step.waits(&seen) {
            match wait::until_idle(session, deadline, step).await? {
                Some(stopped) => return Ok(outcome::without_write(session, step, stopped)),
                None => continue,
            }
        }
        let plan = step.plan(&seen, &stamp)?;
        if !request.preview {
            // Fails before the prompt if the write can't be recorded.
            apply::record(session, step, &seen)?;
        }
        let Some(shown) = server_dry_run::ask(session, &plan).await? else {
            tokio::time::sleep(PAUSE).await;
            session.reread().await?;
            continue;
        };
        shown.refuse_more(step)?;
        let seen = shown.foresee(session, seen, step).await?;
        // `None` is a preview.
        let Some(go) = approvals.obtain(session, request, &seen, plan, &shown, preflight.times)? else {
            return Ok((Ending::Unchanged, Ok(Exit::Done)));
        };
        let start = if request.via_owner {
            match via_owner::hand_over(session, request, &seen, &go, &shown.answer, deadline).await? {
                ControlFlow::Continue(start) => start,
                ControlFlow::Break(ended) => return Ok(ended),
            }
        } else {
            let Some(start) = apply::write(session, request, &seen, &go, &shown, outcome).await? else {
                approvals.approved = Some(go);
                continue;
            };
            approvals.written = Some(go);
            start
        };
        if let Some(ended) = outcome::follow_to_verdict(session, request, &seen, start, deadline, outcome).await? {
            return Ok(ended);
        }
    }
}
