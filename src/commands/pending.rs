//! Writes that the record tells of: this person's own of an earlier call, or somebody else's.

use std::time::Duration;

use serde_json::Value;

use super::exit::{Failure, INTERRUPTED};
use super::session::Session;
use crate::checks::Snapshot;
use crate::deployment::Deployment;
use crate::plan::REHEARSAL_ANNOTATION;
use crate::reconcile::{Baseline, Carried, Observation};
use crate::record::Pending;
use crate::terminal::time::ago;

/// A write that somebody noted a moment ago and that has not arrived yet.
pub fn begun_by_somebody(session: &Session, snapshot: &Snapshot) -> Option<Pending> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    let age = session.ui().terminal().now().duration_since(pending.at);
    let fresh = age.abs() < jiff::SignedDuration::from_secs(5);
    (fresh && !is_applied(pending, &snapshot.deployment)).then(|| pending.clone())
}

/// Gives it a moment to arrive.
pub async fn wait_for_their_write(session: &mut Session, pending: &Pending) -> Result<(), Failure> {
    let who = pending.by.as_deref().unwrap_or("somebody");
    session.ui().status(format!("{who} began {} a moment ago; waiting to see it written.", pending.command));
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(1)) => session.reread().await,
        () = session.context.interrupt.wait() => Err(Failure::told(INTERRUPTED)),
    }
}

/// Whether the write that the record tells of has arrived.
pub fn is_applied(pending: &Pending, deployment: &Deployment) -> bool {
    let seen = Observation::of(deployment);
    let requested =
        pending.request.as_deref().is_none_or(|request| deployment.annotation(REHEARSAL_ANNOTATION) == Some(request));
    requested && pending.baseline.uid == seen.uid && pending.baseline.carried.is_in(&seen)
}

/// Who made the change that is there already, and when: the record knows, or the API server's field managers.
pub fn since_when(session: &Session, snapshot: &Snapshot, command: &str) -> String {
    let recorded =
        snapshot.recorded().and_then(|record| record.pending.as_ref()).filter(|pending| pending.command == command);
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

/// The baseline of the write that the record tells of, if it is this command's and has arrived.
pub fn recorded_baseline(snapshot: &Snapshot, command: &str) -> Option<Baseline> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    (pending.command == command && is_applied(pending, &snapshot.deployment)).then(|| pending.baseline.clone())
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
