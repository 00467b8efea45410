//! What the record tells of writes: this person's own of an earlier call, or somebody else's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::checks::Snapshot;
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::plan::REHEARSAL_ANNOTATION;
use crate::record::{OwnersChange, Pending, Record, Rehearsal, RehearsalState, Step};
use crate::session::Session;
use crate::terminal::time::ago;
use crate::verdict::{Baseline, Carried, Observation};

fn pending(snapshot: &Snapshot) -> Option<&Pending> {
    snapshot.recorded()?.pending.as_ref()
}

/// Gives a write that somebody began a moment ago the time to arrive. Whether there was one.
pub async fn somebody_is_writing(session: &mut Session, snapshot: &Snapshot) -> Result<bool, Failure> {
    // The manifest's owner takes hours, not moments.
    let is_fresh = |pending: &&Pending| {
        let age = session.now().duration_since(pending.at).abs();
        age < SignedDuration::from_secs(5) && pending.owner.is_none() && !is_applied(pending, &snapshot.deployment)
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
    pending(snapshot).filter(|pending| is_of(pending, step, &snapshot.deployment))
}

/// Who waits for the manifest's owner to make a change that has not been seen yet, for whoever comes next.
pub fn left_to_the_owner(session: &Session, snapshot: &Snapshot) -> Option<String> {
    let pending = pending(snapshot)?;
    if pending.owner != Some(OwnersChange::Awaited) || is_applied(pending, &snapshot.deployment) {
        return None;
    }
    let who = pending.by.as_deref().unwrap_or("another user");
    let ago = ago(pending.at, session.now());
    Some(format!(
        "{who} handed a change to the manifest owner ({} --via-owner, {ago}); it has not arrived yet.",
        pending.step.command()
    ))
}

/// Who made the change that is there already, and when: the record knows, or the API server's field managers.
fn changed(snapshot: &Snapshot, step: Step) -> (Option<String>, Option<Timestamp>) {
    match pending(snapshot).filter(|pending| pending.step == step) {
        Some(pending) => (pending.by.clone(), Some(pending.at)),
        None => match snapshot.deployment.active_written_by() {
            Some((manager, at)) => (Some(format!("field manager {manager}")), at.and_then(|at| at.parse().ok())),
            None => (None, None),
        },
    }
}

pub fn changed_at(snapshot: &Snapshot, step: Step) -> Option<Timestamp> {
    changed(snapshot, step).1
}

/// The same in words.
pub fn since_when(session: &Session, snapshot: &Snapshot, step: Step) -> String {
    let (by, at) = changed(snapshot, step);
    let by = by.map_or_else(String::new, |by| format!(" by {by}"));
    let now = session.now();
    let at = at.map_or_else(String::new, |at| format!(", {}", ago(at, now)));
    format!("The change was already made{by}{at}; following the operator.")
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
    untold && rests(&snapshot.deployment)
}

/// A baseline for a change that is there without a record of it.
pub fn present_baseline(snapshot: &Snapshot, carried: Carried) -> Baseline {
    Baseline::of_present(&Observation::of(&snapshot.deployment), carried)
}

/// The value of the annotation that asks for a rehearsal: it only has to differ from the one before.
pub fn fresh(stamp: &str, deployment: &Deployment) -> String {
    match deployment.annotation(REHEARSAL_ANNOTATION) {
        Some(before) if before.starts_with(stamp) => format!("{before}+"),
        _ => stamp.to_owned(),
    }
}

/// Seconds since an earlier call made the write that this one only came back to.
pub fn since_the_write(session: &Session, step: Step, snapshot: &Snapshot) -> Option<u64> {
    let span = session.now().duration_since(recorded(snapshot, step)?.at);
    Some(u64::try_from(span.as_secs()).unwrap_or(0))
}

/// Whether what the record has pending is the very write that was followed: it may be an earlier one that never arrived, of
/// another Secret.
pub fn is_of(pending: &Pending, step: Step, deployment: &Deployment) -> bool {
    pending.step == step && is_applied(pending, deployment)
}

/// Takes the write that was followed off the record, and nobody else's: who began another one meanwhile needs it to come
/// back to.
pub fn take_pending(record: &mut Record, step: Step, deployment: &Deployment) -> Option<Pending> {
    record.pending.take_if(|pending| is_of(pending, step, deployment))
}

/// A rehearsal that ended, for the record.
pub fn rehearsal(
    snapshot: &Snapshot,
    seen: &Observation,
    pending: Option<&Pending>,
    at: Timestamp,
    seconds: u64,
    state: RehearsalState,
    message: Option<String>,
) -> Rehearsal {
    // The Secret as it was before the write, as noted then: one that was changed in between was not rehearsed for sure.
    let keys = snapshot.secret_keys();
    let secret = snapshot.secret.known().and_then(Option::as_ref);
    let digest_now = || secret.and_then(|secret| secret.digest(&keys)).map(|digest| format!("{digest:#}"));
    let prints_now = || secret.map(|secret| secret.fingerprints(&keys)).unwrap_or_default();
    Rehearsal {
        state,
        spec_digest: seen.spec_digest.clone(),
        spec_outline: None,
        release: snapshot.chart.clone(),
        secret_digest: pending
            .and_then(|pending| pending.secret_digest.clone())
            .or_else(digest_now)
            .unwrap_or_default(),
        secret_fingerprints: pending.map_or_else(prints_now, |pending| pending.secret_fingerprints.clone()),
        completion: match state {
            RehearsalState::Passed => seen.success_completion.clone(),
            RehearsalState::Failed => seen.failure.as_ref().and_then(|failure| failure.completion.clone()),
        },
        at,
        seconds,
        message,
        failed_since: None,
    }
}

/// Whether the last run ended well and none is under way.
pub fn rests(deployment: &Deployment) -> bool {
    let conditions = deployment.conditions();
    conditions.run() == Run::Succeeded && conditions.successful() == Some(true)
}
