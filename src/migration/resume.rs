//! Writes that the record tells of: this person's own of an earlier call, or somebody else's.

use std::time::Duration;

use serde_json::Value;

use super::{Step, follow};
use crate::checks::Snapshot;
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::plan::REHEARSAL_ANNOTATION;
use crate::record::{OwnersChange, Pending};
use crate::session::Session;
use crate::terminal::time::ago;
use crate::verdict::{Baseline, Carried, Observation};

/// A write that somebody noted a moment ago and that has not arrived yet.
fn begun_by_somebody<'a>(session: &Session, snapshot: &'a Snapshot) -> Option<&'a Pending> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    let age = session.ui().terminal().now().duration_since(pending.at);
    // The manifest's owner takes hours, not moments.
    let fresh = age.abs() < jiff::SignedDuration::from_secs(5) && pending.owner.is_none();
    (fresh && !is_applied(pending, &snapshot.deployment)).then_some(pending)
}

/// Gives a write that somebody began a moment ago the time to arrive. Whether there was one.
pub async fn somebody_is_writing(session: &mut Session, snapshot: &Snapshot) -> Result<bool, Failure> {
    let Some(pending) = begun_by_somebody(session, snapshot) else { return Ok(false) };
    let who = pending.by.as_deref().unwrap_or("somebody");
    session.ui().status(format!("{who} began {} a moment ago; waiting to see it written.", pending.command));
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(1)) => session.reread().await?,
        () = session.context.interrupt.wait() => return Err(Failure::told(Exit::Interrupted)),
    }
    Ok(true)
}

/// Whether the write that the record tells of has arrived, as far as the deployment shows.
pub fn is_applied(pending: &Pending, deployment: &Deployment) -> bool {
    let seen = Observation::of(deployment);
    let made = match (&pending.request, &pending.baseline.carried) {
        (Some(request), _) => deployment.annotation(REHEARSAL_ANNOTATION) == Some(request),
        // Somebody else may have changed the same while this write never arrived.
        (None, Carried::Active(_)) if pending.owner.is_none() && seen.has_mas => deployment.active_is_ours(),
        (None, _) => true,
    };
    made && pending.baseline.uid == seen.uid && pending.baseline.carried.is_in(&seen)
}

/// Whether it was that very write for sure, so that its baseline tells what stood before it. A component that is gone
/// does not show who took it out.
pub fn is_proven(pending: &Pending, deployment: &Deployment) -> bool {
    let shown = match pending.owner {
        Some(owner) => owner == OwnersChange::Arrived,
        None => pending.request.is_some() || deployment.mas().is_some(),
    };
    shown && is_applied(pending, deployment)
}

/// The write that the record tells of, if it is this command's and has arrived.
pub fn recorded(snapshot: &Snapshot, step: Step) -> Option<&Pending> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    (pending.command == step.command() && is_applied(pending, &snapshot.deployment)).then_some(pending)
}

/// Who waits for the manifest's owner to make a change that has not been seen yet, for whoever comes next.
pub fn left_to_the_owner(session: &Session, snapshot: &Snapshot) -> Option<String> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    if pending.owner != Some(OwnersChange::Awaited) || is_applied(pending, &snapshot.deployment) {
        return None;
    }
    let who = pending.by.as_deref().unwrap_or("somebody");
    let ago = ago(pending.at, session.ui().terminal().now());
    Some(format!(
        "{who} left a change to the manifest's owner, and it has not arrived ({} --via-owner, {ago}).",
        pending.command
    ))
}

/// Who made the change that is there already, and when: the record knows, or the API server's field managers.
pub fn since_when(session: &Session, snapshot: &Snapshot, step: Step) -> String {
    let recorded = snapshot
        .recorded()
        .and_then(|record| record.pending.as_ref())
        .filter(|pending| pending.command == step.command());
    let (by, at) = match recorded {
        Some(pending) => (pending.by.clone(), Some(pending.at)),
        None => match session.deployment.active_written_by() {
            Some((manager, at)) => (Some(format!("field manager {manager}")), at.and_then(|at| at.parse().ok())),
            None => (None, None),
        },
    };
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    let now = session.ui().terminal().now();
    let at = at.map_or_else(String::new, |at| format!(", {}", ago(at, now)));
    format!("The change is there already{by}{at}; following the operator.")
}

/// The baseline of the write that the record tells of, if it is this command's and has arrived for sure.
pub fn recorded_baseline(snapshot: &Snapshot, step: Step) -> Option<Baseline> {
    let pending = recorded(snapshot, step)?;
    is_proven(pending, &snapshot.deployment).then(|| pending.baseline.clone())
}

/// A run was under way when the change was written, or it cannot be told who wrote it and when; that run is over, and the
/// operator rests. Whether that run worked on the change cannot be told, and no other one will come by itself (an operator
/// that was restarted meanwhile does not start again for a change it has seen): waiting would have no end.
pub fn unproven(snapshot: &Snapshot, step: Step) -> bool {
    let Some(pending) = recorded(snapshot, step) else { return false };
    let untold = pending.baseline.at_write.running || !is_proven(pending, &snapshot.deployment);
    untold && follow::rests(&snapshot.deployment)
}

/// A baseline for a change that is there without a record of it.
pub fn present_baseline(snapshot: &Snapshot, carried: Carried) -> Baseline {
    Baseline::of_present(&Observation::of(&snapshot.deployment), carried)
}

/// The annotation's value that asks for a rehearsal: it only has to differ from the one before.
pub fn request_stamp(session: &Session) -> String {
    let now = session.ui().terminal().now();
    let before = session.deployment.object()["metadata"]["annotations"][REHEARSAL_ANNOTATION].clone();
    let stamp = now.to_string();
    if before == Value::String(stamp.clone()) { format!("{stamp}+") } else { stamp }
}

/// The same for one more request of the same call.
pub fn fresh(stamp: &str, deployment: &Deployment) -> String {
    match deployment.annotation(REHEARSAL_ANNOTATION) {
        Some(before) if before.starts_with(stamp) => format!("{before}+"),
        _ => stamp.to_owned(),
    }
}
