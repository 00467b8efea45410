//! Waits without a verdict: for the end of an earlier reconcile, and for the manifest owner's change.

use std::ops::ControlFlow;

use super::follow::FollowEnd;
use super::step::Step;
use crate::cluster::WatchItem;
use crate::deployment::{Deployment, Run};
use crate::error::Failure;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::interrupt::InterruptState;
use crate::terminal::progress::{Progress, Waiting};
use crate::verdict::{Awaiting, Continuity, Verdict};

/// Watches the deployment, and updates `session.deployment`, until `found` returns a value. `catch_up` gives a suspend past
/// the time-out extra time; without it, the time-out ends the command, so that nothing is written hours after the confirmation.
pub async fn until<T>(
    session: &mut Session,
    deadline: Deadline,
    (awaiting, catch_up): (Awaiting, bool),
    progress: &Progress,
    mut found: impl FnMut(&Session, Continuity) -> Result<Option<T>, Failure>,
) -> Result<ControlFlow<FollowEnd, T>, Failure> {
    let mut end = deadline;
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
                Some(WatchItem::Deleted(_)) => return Ok(ControlFlow::Break(FollowEnd::Verdict(Verdict::Gone))),
                Some(WatchItem::Trouble(error)) => {
                    progress.note(format!("can't watch the ElementDeployment; retrying: {error}"));
                }
                Some(WatchItem::Recovered) => {}
                None => watch = session.follow_anew().await,
            },
            () = session.interrupt().wait() => return Ok(ControlFlow::Break(FollowEnd::Interrupted)),
            () = end.over() => {
                if !catch_up || !end.catch_up() {
                    return Ok(ControlFlow::Break(FollowEnd::TimedOut(awaiting)));
                }
                watch = session.cluster.follow(&session.target, session.deployment.object());
            }
        }
    }
}

/// Waits until no reconcile is running. Returns what else ended the wait.
pub async fn until_idle(session: &mut Session, deadline: Deadline, step: Step) -> Result<Option<FollowEnd>, Failure> {
    let idle = |session: &Session| session.deployment.conditions().run() != Run::Running;
    if idle(session) {
        return Ok(None);
    }
    // The caller exits, because it may have to print data.
    session.interrupt().set(InterruptState::Following {
        doing: "nothing was changed".to_owned(),
        come_back: session.command(step.command()),
    });
    let progress = session.ui().progress();
    let text = "waiting for the running reconcile to finish before the write";
    progress.waiting(Waiting::new(text, session.now()).ends_at(deadline.ends_at));
    if deadline.once {
        return Ok(Some(FollowEnd::TimedOut(Awaiting::End)));
    }
    let awaiting = (Awaiting::End, false);
    let over = until(session, deadline, awaiting, &progress, |session, _| Ok(idle(session).then_some(()))).await?;
    if let ControlFlow::Break(end) = over {
        return Ok(Some(end));
    }
    session.interrupt().set(InterruptState::NothingWritten);
    progress.done("operator finished the earlier reconcile");
    Ok(None)
}
