//! Waits without a verdict: for the end of an earlier reconcile, and for the manifest owner's change.

use std::ops::ControlFlow;

use super::follow::End;
use super::step::Step;
use crate::cluster::WatchItem;
use crate::deployment::{Deployment, Run};
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

/// Watches the deployment, and updates `session.deployment`, until `found` returns how the wait ended.
pub async fn until<T>(
    session: &mut Session,
    wait: Wait<'_>,
    mut found: impl FnMut(&Session, Continuity) -> Option<ControlFlow<End, T>>,
) -> ControlFlow<End, T> {
    session.interrupt().set(wait.interrupted);
    wait.progress.waiting(wait.waiting);
    let (mut end, mut missed) = (wait.deadline, false);
    if end.once {
        return ControlFlow::Break(wait.timed_out);
    }
    let mut watch = session.cluster.follow(&session.target, session.deployment.object());
    loop {
        tokio::select! {
            biased;
            item = watch.next() => match item {
                Some(WatchItem::Seen { object, continuity }) => {
                    let Ok(now) = Deployment::from_value(object) else {
                        missed = true;
                        continue;
                    };
                    // An event that could not be parsed is a gap.
                    let continuity = if std::mem::take(&mut missed) { Continuity::Gap } else { continuity };
                    session.deployment = now;
                    if let Some(found) = found(session, continuity) {
                        return found;
                    }
                }
                Some(WatchItem::Deleted(_)) => return ControlFlow::Break(End::Verdict(Verdict::Gone)),
                Some(WatchItem::Trouble(error)) => {
                    wait.progress.note(format!("can't watch the ElementDeployment; retrying: {error}"));
                }
                Some(WatchItem::Recovered) => {}
                None => watch = session.follow_anew().await,
            },
            () = session.interrupt().wait() => return ControlFlow::Break(End::Interrupted),
            () = end.over() => {
                if !wait.catch_up || !end.catch_up() {
                    return ControlFlow::Break(wait.timed_out);
                }
                watch = session.cluster.follow(&session.target, session.deployment.object());
            }
        }
    }
}

/// Waits until no reconcile is running. Returns what else ended the wait.
pub async fn until_idle(session: &mut Session, deadline: Deadline, step: Step) -> Option<End> {
    let progress = session.ui().progress();
    let text = "waiting for the running reconcile to finish before the write";
    let waiting = Waiting::new(text, session.now()).ends_at(deadline.ends_at);
    // The caller exits, because it may have to print data.
    let doing = "nothing was changed".to_owned();
    let interrupted = InterruptState::Following { doing, come_back: session.command(step.command()) };
    let timed_out = End::TimedOut(Awaiting::End);
    let wait = Wait { deadline, timed_out, catch_up: false, interrupted, progress: &progress, waiting };
    let idle = |session: &Session| session.deployment.conditions().run() != Run::Running;
    let waited = until(session, wait, |session, _| idle(session).then_some(ControlFlow::Continue(())));
    if let ControlFlow::Break(end) = waited.await {
        return Some(end);
    }
    session.interrupt().set(InterruptState::NothingWritten);
    progress.done("operator finished the earlier reconcile");
    None
}
