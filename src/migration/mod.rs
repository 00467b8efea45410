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

pub use advice::{known, page};
pub use confirm::{Confirmed, NOTHING_CHANGED};
pub use step::{Request, Step};

use std::ops::ControlFlow;
use std::time::Duration;

use crate::deployment::Run;
use crate::error::{Exit, Failure};
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::endpoints::ConnectionTest;
use crate::session::reading::Extent;
use crate::terminal::OutputFormat;

use apply::Intent;
use attempts::Attempts;
use confirm::Approvals;
use follow::{End, Followed, follow};
use preflight::Preflight;

/// The delay after a conflict: the operator writes status in bursts.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a step and reports how it ended.
pub async fn take(session: &mut Session, request: &Request, format: OutputFormat) -> Result<Exit, Failure> {
    // Only a verdict of `dry-run` or `activate` is followed by a network test.
    let network =
        (request.wait && !request.preview && !request.step.goes_back()).then(|| ConnectionTest::begin(session));
    let mut write = None;
    let ended = run(session, request, &mut write).await;
    // On the heap: the future is large.
    Box::pin(outcome::report(session, request, format, write, ended, network)).await
}

/// Finds or makes the change, and follows the operator. Begins again after a conflict on the deployment or the record, after a
/// wait, and if the operator is idle without a reconcile of the change. `write` is that of the contract.
async fn run(
    session: &mut Session,
    request: &Request,
    write: &mut Option<&'static str>,
) -> Result<(End, Option<Followed>), Failure> {
    let step = request.step;
    let deadline = Deadline::new(session.now(), request.timeout.unwrap_or(step.timeout()));
    let stamp = session.now().to_string();
    let (mut attempts, mut preflight, mut approvals) =
        (Attempts::default(), Preflight::default(), Approvals::default());
    loop {
        attempts.count(session, approvals.written.is_some())?;
        // A rollback reads little, so that nothing else can block it.
        let seen = session.gather(if step.goes_back() { Extent::Abort } else { Extent::Step }).await;
        // After a write of this command, only its reconcile shows that the goal is reached.
        let written = approvals.written.is_some();
        if !written && let Some(words) = step.reached(&seen) {
            return Ok((End::Reached(words), None));
        }
        let (seen, start) = if let Some(start) = resume::find(&seen, step) {
            approvals.forget();
            (seen, start)
        } else {
            if resume::wait_for_other_write(session, &seen).await? {
                continue;
            }
            approvals.refuse_other_changes(session, request)?;
            if !written && preflight.check(session, request, &seen).await? {
                approvals.expire();
            }
            if !request.preview {
                Preflight::refuse_unrecordable(step, &seen)?;
                if seen.deployment.conditions().run() == Run::Running && step.waits(&seen) {
                    if let Some(end) = wait::until_idle(session, deadline, step).await {
                        return Ok((end, None));
                    }
                    approvals.expire();
                    continue;
                }
            }
            let plan = request.plan(&seen, &stamp, written)?;
            let Some(answer) = server_dry_run::ask(session, step, &plan).await? else {
                tokio::time::sleep(PAUSE).await;
                session.reread().await?;
                continue;
            };
            let seen = Preflight::foresee(session, step, seen, &answer).await?;
            // `None` is a preview.
            let Some(go) = approvals.obtain(session, request, &seen, plan, &answer, &preflight.downtime)? else {
                return Ok((End::Preview, None));
            };
            let intent = Intent::of(session, request, &seen, &go, &answer).await?;
            let start = if request.via_owner {
                intent.record(session).await?;
                match via_owner::hand_over(session, request, go.plan(), &answer, deadline).await? {
                    ControlFlow::Continue(start) => start,
                    ControlFlow::Break(end) => return Ok((end, None)),
                }
            } else {
                let Some(start) = apply::write(session, request, intent, write).await? else {
                    approvals.keep(go);
                    continue;
                };
                approvals.written = Some(go);
                start
            };
            (seen, start)
        };
        // Otherwise the operator is idle without a reconcile of the change, and another one is requested.
        if let (Some(end), followed) = follow(session, request, seen, start, deadline).await {
            return Ok((end, Some(followed)));
        }
    }
}
