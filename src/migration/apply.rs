//! Writes to the ElementDeployment: first the record, then compare-and-set.

use super::confirm::Approved;
use super::follow::Start;
use super::outcome::Outcome;
use super::step::Step;
use super::{resume, server_dry_run};
use crate::checks::{Known, Snapshot};
use crate::cluster::{ErrorKind, WriteOutcome};
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::plan::{Change, Plan};
use crate::record::{Backup, Pending, Record};
use crate::session::Session;
use crate::session::interrupt::InterruptState;
use crate::verdict::{Baseline, Continuity, Observation};

/// What the record stores about a write before it is sent.
pub struct Intent<'a> {
    pub step: Step,
    pub by: Option<String>,
    /// The source of the Secret's digest.
    pub snapshot: &'a Snapshot,
    pub what: String,
}

/// The record for the write. A rollback works without it.
pub fn record(session: &Session, step: Step, seen: &Snapshot) -> Result<Record, Failure> {
    match &seen.record {
        Known::Known(Some(record)) => Ok(record.clone()),
        Known::Unreadable(why) if !step.goes_back() => {
            let text =
                format!("can't read the record, which is required before a write to the ElementDeployment: {why}");
            Err(Failure::failed(text)
                .then("Fix the cause, then run the command again:", session.command(step.command())))
        }
        Known::Known(None) | Known::Unreadable(_) => Ok(Record::new(&seen.deployment)),
    }
}

/// Records the intent and sends the write. `None` after a conflict on the deployment or the record: nothing was written, and
/// the deployment was read again.
pub async fn send(
    session: &mut Session,
    approved: &Approved,
    answer: &Deployment,
    record: &mut Record,
    intent: Intent<'_>,
    outcome: &mut Outcome,
) -> Result<Option<Start>, Failure> {
    let plan = approved.plan();
    let before = Observation::of(&plan.before);
    let generation = before.generation + i64::from(plan.changes_spec());
    let carried = plan.carried(&Observation::of(answer));
    let mut baseline = Baseline::of_write(&before, carried, generation, None);
    // Without a running reconcile, none can have worked on an earlier `active: true`.
    baseline.mas_active_tells = plan.change == Change::Activate && before.run != Run::Running;
    let others = record.pending.clone();
    let ours = pending(session, plan, &intent, baseline.clone());
    // Only our own entry: another user may have started a write since.
    let withdraw = |record: &mut Record| {
        if record.pending.as_ref() == Some(&ours) {
            record.pending.clone_from(&others);
        }
    };
    note(record, approved, &intent, &ours);
    // From here on, at least the record is written.
    session.interrupt().set(InterruptState::Writing);
    match session.write_record(record).await {
        Ok(Ok(())) => {}
        // A rollback works without the record.
        Err(failure) if intent.step.goes_back() => session.warn_unrecorded(Err(failure)),
        Ok(Err(_)) => {
            session.interrupt().set(InterruptState::NothingWritten);
            session.reread().await?;
            return Ok(None);
        }
        Err(failure) => {
            session.interrupt().set(InterruptState::NothingWritten);
            return Err(failure);
        }
    }
    if session.interrupt().raised() {
        session.change_record(withdraw).await?;
        session.ui().status("The ElementDeployment was not changed.");
        return Err(Failure::told(Exit::Interrupted));
    }
    let uid = plan.before.uid().to_owned();
    let write = server_dry_run::request(session, plan);
    let result =
        session.cluster.write(&write, |found| found["metadata"]["uid"] == uid.as_str() && plan.is_in(found)).await;
    let name = result.name();
    match result {
        WriteOutcome::Applied(written) => {
            outcome.write = Some(name);
            let seen = Deployment::from_value(written.object).map_err(|error| Failure::failed(error.to_string()))?;
            if written.read_back && !is_surely_ours(session, plan, &seen, &ours).await {
                // Another client made the same change, at an unknown time: the next attempt follows it.
                outcome.write = Some(WriteOutcome::NOT_APPLIED);
                session.interrupt().set(InterruptState::NothingWritten);
                session.warn_unrecorded(session.change_record(withdraw).await);
                session.deployment = seen;
                return Ok(None);
            }
            let continuity = if written.read_back { Continuity::Gap } else { Continuity::Continuous };
            if !written.read_back {
                // What was stored: a webhook may have changed it since the server-side dry run.
                baseline.carried = plan.carried(&Observation::of(&seen));
            }
            Ok(Some(Start { baseline, seen, continuity, changed: ours.at }))
        }
        WriteOutcome::Conflict { now, .. } => {
            session.interrupt().set(InterruptState::NothingWritten);
            // The record must not contain a write that was not stored.
            session.warn_unrecorded(session.change_record(withdraw).await);
            match now.and_then(|now| Deployment::from_value(now).ok()) {
                Some(now) => session.deployment = now,
                None => session.reread().await?,
            }
            Ok(None)
        }
        WriteOutcome::NotApplied(error) => {
            session.interrupt().set(InterruptState::NothingWritten);
            outcome.write = Some(name);
            // Otherwise the next command waits for a write that doesn't come. Without a connection this would only delay
            // the error.
            if !matches!(error.kind(), ErrorKind::Unreachable { .. } | ErrorKind::TlsFailed { .. }) {
                let _ = session.change_record(withdraw).await;
            }
            Err(Failure::from(error).advise("The change was not applied; the ElementDeployment is unchanged."))
        }
        WriteOutcome::Unknown(error) => {
            outcome.write = Some(name);
            Err(Failure::from(error).then("Couldn't determine whether the change was applied. Check the status, then run the command again to resume:", session.command("status")))
        }
    }
}

pub fn note(record: &mut Record, approved: &Approved, intent: &Intent<'_>, ours: &Pending) {
    let before = Observation::of(&approved.plan().before);
    record.pending = Some(ours.clone());
    record.note(ours.at, intent.by.as_deref(), intent.what.clone());
    record.chart.clone_from(&intent.snapshot.chart);
    // An activation failed unobserved, so the dry run is no longer valid.
    if let Some(failure) =
        before.failure.as_ref().filter(|failure| before.active == Some(true) && failure.completion.is_some())
    {
        record.failed_since(&failure.message);
    }
    if let Some(statement) = approved.backup() {
        record.backup = Some(Backup { statement: statement.to_owned(), at: ours.at, by: intent.by.clone() });
    }
}

/// Whether the change that was read back after a lost response is this write. Another client may have made the same change
/// after a reconcile started, and the baseline of this write doesn't apply to it.
async fn is_surely_ours(session: &Session, plan: &Plan, seen: &Deployment, ours: &Pending) -> bool {
    // The annotation is unique to this call. A removed component doesn't show who removed it.
    let by_us = match &plan.change {
        Change::AddMas(..) | Change::RequestDryRun(_) | Change::RequestReconcile(_) => return true,
        Change::Activate | Change::Deactivate => seen.active_is_ours(),
        Change::Remove => true,
    };
    // Another user of this program replaces our entry before the write.
    let record = session.read_record().await;
    let record = record.known().and_then(Option::as_ref);
    by_us && record.is_none_or(|record| record.pending.as_ref() == Some(ours))
}

pub fn pending(session: &Session, plan: &Plan, intent: &Intent<'_>, baseline: Baseline) -> Pending {
    let (secret_digest, secret_fingerprints) = resume::secret_digests(intent.snapshot);
    Pending {
        step: intent.step,
        at: session.now(),
        by: intent.by.clone(),
        baseline,
        owner: None,
        request: match &plan.change {
            Change::AddMas(_, request) | Change::RequestDryRun(request) | Change::RequestReconcile(request) => {
                Some(request.clone())
            }
            _ => None,
        },
        secret_digest,
        secret_fingerprints,
    }
}

/// The most attempts after changes of the spec or the metadata.
const CHANGES: usize = 8;
/// The most attempts after changes of only the status or the record. An operator that retries at once changes the status many
/// times a second, and `abort` must still work then.
const MOVES: usize = 100;

#[derive(Default)]
pub struct Attempts {
    last: Option<Deployment>,
    changed: usize,
    moved: usize,
}

impl Attempts {
    /// Counts an attempt. Fails after too many conflicts or an interrupt.
    pub fn count(&mut self, session: &Session) -> Result<(), Failure> {
        if !self.may_retry(&session.deployment) {
            let text = format!("gave up after repeated update conflicts on ElementDeployment {}", session.place());
            return Err(Failure::failed(text));
        }
        if session.interrupt().raised() {
            // It came during a write that the server refused.
            return Err(Failure::told(Exit::Interrupted));
        }
        Ok(())
    }

    fn may_retry(&mut self, now: &Deployment) -> bool {
        if self.last.as_ref().is_some_and(|last| last.differs_only_in_status(now)) {
            self.moved += 1;
        } else {
            self.changed += 1;
        }
        self.last = Some(now.clone());
        self.changed <= CHANGES && self.moved <= MOVES
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(version: u32, active: u32) -> Deployment {
        let metadata = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version.to_string()});
        Deployment::from_value(json!({
            "apiVersion": "matrix.element.io/v1alpha2", "metadata": metadata,
            "spec": {"components": {"synapse": {"config": {"n": active}}}}, "status": {"conditions": [], "n": version},
        }))
        .unwrap()
    }

    #[test]
    fn status_updates_allow_many_attempts() {
        let mut attempts = Attempts::default();
        assert!((0..60).all(|version| attempts.may_retry(&deployment(version, 0))));
        assert!(!(60..200).all(|version| attempts.may_retry(&deployment(version, 0))), "attempts are limited");
    }

    #[test]
    fn spec_changes_allow_few_attempts() {
        let mut attempts = Attempts::default();
        let count = (0..60).take_while(|version| attempts.may_retry(&deployment(*version, *version))).count();
        assert_eq!(count, CHANGES);
    }
}
