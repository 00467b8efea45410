//! Waits without a verdict: for the end of an earlier reconcile, and for the manifest owner's change.

use std::ops::ControlFlow;

use super::follow::End;
use super::step::Step;
use crate::cluster::WatchItem;
use crate::deployment::{Deployment, Run};
use crate::error::Failure;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::interrupt::InterruptState;
use crate::terminal::progress::{Progress, Waiting};
use crate::verdict::{Awaiting, Continuity, Verdict};

pub struct Wait<'a> {
    pub deadline: Deadline,
    pub timed_out: End,
    /// Whether a suspend past the time-out gives extra time. Without it, the time-out ends the command, so that nothing is
    /// written hours after the confirmation.
    pub catch_up: bool,
    pub interrupted: InterruptState,
    pub progress: &'a Progress,
    /// The line to show.
    pub waiting: Waiting,
}

/// Watches the deployment, and updates `session.deployment`, until `found` returns a value.
pub async fn until<T>(
    session: &mut Session,
    wait: Wait<'_>,
    mut found: impl FnMut(&Session, Continuity) -> Result<Option<T>, Failure>,
) -> Result<ControlFlow<End, T>, Failure> {
    session.interrupt().set(wait.interrupted);
    wait.progress.waiting(wait.waiting);
    if wait.deadline.once {
        return Ok(ControlFlow::Break(wait.timed_out));
    }
    let mut end = wait.deadline;
    let mut watch = session.cluster.follow(&session.target, session.deployment.object());
    loop {
        tokio::select! {
            biased;
            item = watch.next() => match item {
                Some(WatchItem::Seen { object, continuity }) => {
                    let Ok(now) = Deployment::from_value(object) else { continue };
                    session.deployment = now;
                    if let Some(found) = found(session, continuity)? {
                        return Ok(ControlFlow::Continue(found));
                    }
                }
                Some(WatchItem::Deleted(_)) => return Ok(ControlFlow::Break(End::Verdict(Verdict::Gone))),
                Some(WatchItem::Trouble(error)) => {
                    wait.progress.note(format!("can't watch the ElementDeployment; retrying: {error}"));
                }
                Some(WatchItem::Recovered) => {}
                None => watch = session.follow_anew().await,
            },
            () = session.interrupt().wait() => return Ok(ControlFlow::Break(End::Interrupted)),
            () = end.over() => {
                if !wait.catch_up || !end.catch_up() {
                    return Ok(ControlFlow::Break(wait.timed_out));
                }
                watch = session.cluster.follow(&session.target, session.deployment.object());
            }
        }
    }
}

/// Waits until no reconcile is running. Returns what else ended the wait.
pub async fn until_idle(session: &mut Session, deadline: Deadline, step: Step) -> Result<Option<End>, Failure> {
    let idle = |session: &Session| session.deployment.conditions().run() != Run::Running;
    if idle(session) {
        return Ok(None);
    }
    let progress = session.ui().progress();
    let text = "waiting for the running reconcile to finish before the write";
    let waiting = Waiting::new(text, session.now()).ends_at(deadline.ends_at);
    // The caller exits, because it may have to print data.
    let doing = "nothing was changed".to_owned();
    let interrupted = InterruptState::Following { doing, come_back: session.command(step.command()) };
    let wait = Wait {
        deadline,
        timed_out: End::TimedOut(Awaiting::End),
        catch_up: false,
        interrupted,
        progress: &progress,
        waiting,
    };
    if let ControlFlow::Break(end) = until(session, wait, |session, _| Ok(idle(session).then_some(()))).await? {
        return Ok(Some(end));
    }
    session.interrupt().set(InterruptState::NothingWritten);
    progress.done("operator finished the earlier reconcile");
    Ok(None)
}
