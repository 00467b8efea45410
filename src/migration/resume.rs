//! Writes of earlier calls and of other users, from the record.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::checks::Snapshot;
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::plan::DRY_RUN_ANNOTATION;
use crate::record::{OwnersChange, Pending, Step};
use crate::session::Session;
use crate::terminal::time::ago;
use crate::verdict::{Baseline, Carried, Continuity, Observation};

/// The start of following the operator.
pub struct Start {
    pub baseline: Baseline,
    pub seen: Deployment,
    /// Whether events between the write and `seen` may be missing.
    pub continuity: Continuity,
    /// Who made the change, and when, for display.
    pub by: Option<String>,
    pub changed: Option<Timestamp>,
    /// Whether the change existed before this call, so that an unobserved reconcile may have reached its goal.
    pub existing: bool,
}

/// The start for a change that the deployment already contains.
pub fn find(seen: &Snapshot, step: Step) -> Option<Start> {
    let baseline = match step {
        Step::DryRun => recorded_baseline(seen, step).filter(|_| !needs_another_reconcile(seen, step))?,
        Step::Activate if seen.deployment.active() != Some(true) => return None,
        Step::Activate => baseline(seen, step, Carried::Active(true)),
        Step::Abort | Step::Remove => {
            let pending = recorded(seen, step).filter(|_| !needs_another_reconcile(seen, step))?;
            baseline(seen, step, pending.baseline.carried.clone())
        }
    };
    let (by, changed) = changed(seen, step);
    let (seen, continuity) = (seen.deployment.clone(), Continuity::Gap);
    Some(Start { baseline, seen, continuity, by, changed, existing: true })
}

fn pending(snapshot: &Snapshot) -> Option<&Pending> {
    snapshot.recorded()?.pending.as_ref()
}

/// Waits a moment if the record has a write that started seconds ago and is not in the deployment yet. Returns whether it
/// waited.
pub async fn wait_for_other_write(session: &mut Session, snapshot: &Snapshot) -> Result<bool, Failure> {
    // A manifest owner's change takes hours.
    let is_fresh = |pending: &&Pending| {
        let age = session.now().duration_since(pending.at).abs();
        age < SignedDuration::from_secs(5) && pending.owner.is_none() && !pending.is_in(&snapshot.deployment)
    };
    let Some(pending) = pending(snapshot).filter(is_fresh) else { return Ok(false) };
    let who = pending.by.as_deref().unwrap_or("another user");
    session.ui().status(format!("{who} started {} a moment ago; waiting for that write.", pending.step.command()));
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(1)) => session.reread().await?,
        () = session.interrupt().wait() => return Err(Failure::told(Exit::Interrupted)),
    }
    Ok(true)
}

/// The recorded write, if it is of this step and in the deployment.
pub fn recorded(snapshot: &Snapshot, step: Step) -> Option<&Pending> {
    pending(snapshot).filter(|pending| pending.is_of(step, &snapshot.deployment))
}

/// A note about a change that another call handed to the manifest owner and that has not arrived.
pub fn awaited_from_owner(session: &Session, snapshot: &Snapshot) -> Option<String> {
    let pending = pending(snapshot)?;
    if pending.owner != Some(OwnersChange::Awaited) || pending.is_in(&snapshot.deployment) {
        return None;
    }
    let who = pending.by.as_deref().unwrap_or("another user");
    let ago = ago(pending.at, session.now());
    Some(format!(
        "{who} handed a change to the manifest owner ({} --via-owner, {ago}); it has not arrived yet.",
        pending.step.command()
    ))
}

/// The same without a hand-over, whose time is not that of the owner's change.
pub fn made(snapshot: &Snapshot, step: Step) -> Option<&Pending> {
    recorded(snapshot, step).filter(|pending| pending.owner != Some(OwnersChange::Awaited))
}

/// Who made the existing change, and when: from the record, else from the field managers.
fn changed(snapshot: &Snapshot, step: Step) -> (Option<String>, Option<Timestamp>) {
    match made(snapshot, step) {
        Some(pending) => (pending.by.clone(), Some(pending.at)),
        None => snapshot.deployment.active_written_by().map_or((None, None), |(manager, at)| {
            (Some(format!("field manager {manager}")), at.and_then(|at| at.parse().ok()))
        }),
    }
}

/// The baseline of the recorded write, if it is certainly this write.
fn recorded_baseline(snapshot: &Snapshot, step: Step) -> Option<Baseline> {
    let pending = recorded(snapshot, step)?;
    pending.is_proven_in(&snapshot.deployment).then(|| pending.baseline.clone())
}

/// The same, else a baseline for an existing change without a record.
fn baseline(snapshot: &Snapshot, step: Step, carried: Carried) -> Baseline {
    let present = || Baseline::of_present(&Observation::of(&snapshot.deployment), carried);
    recorded_baseline(snapshot, step).unwrap_or_else(present)
}

/// Whether the operator is idle although no reconcile of the change was observed: a reconcile was running during the write,
/// or the author and time of the write are unknown. No other reconcile starts by itself (a restarted operator ignores a
/// change that it has seen), so waiting would never end.
pub fn needs_another_reconcile(snapshot: &Snapshot, step: Step) -> bool {
    let Some(pending) = recorded(snapshot, step) else { return false };
    let unknown = pending.baseline.at_write.running || !pending.is_proven_in(&snapshot.deployment);
    unknown && snapshot.deployment.conditions().at_rest()
}

/// A value of the annotation that requests a reconcile; it has to differ from the current one.
pub fn fresh(stamp: &str, deployment: &Deployment) -> String {
    match deployment.annotation(DRY_RUN_ANNOTATION) {
        Some(before) if before.starts_with(stamp) => format!("{before}+"),
        _ => stamp.to_owned(),
    }
}
