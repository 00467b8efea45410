//! Writes to the ElementDeployment: first the record, then compare-and-set.

use super::confirm::Approved;
use super::follow::Start;
use super::outcome::Outcome;
use super::server_dry_run::ServerDryRun;
use super::step::{Request, Step};
use super::{resume, server_dry_run};
use crate::checks::{Known, Snapshot};
use crate::cluster::{ErrorKind, WriteOutcome};
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::plan::{Change, Plan};
use crate::record::{Backup, Pending, Record};
use crate::session::Session;
use crate::session::interrupt::InterruptState;
use crate::session::reading::Extent;
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

/// Writes the approved change; `None` after a conflict.
pub async fn write(
    session: &mut Session,
    request: &Request,
    seen: &Snapshot,
    go: &Approved,
    shown: &ServerDryRun,
    outcome: &mut Outcome,
) -> Result<Option<Start>, Failure> {
    let step = request.step;
    let mut record = record(session, step, seen)?;
    let by = session.cluster.who_am_i().await;
    if session.interrupt().raised() {
        return Err(Failure::told(Exit::Interrupted));
    }
    let intent = Intent { step, by, snapshot: seen, what: step.history().to_owned() };
    let written = send(session, go, &shown.answer, &mut record, intent, outcome).await?;
    if written.is_none() {
        refuse_other_changes(session, request, go).await?;
    }
    Ok(written)
}

/// Handles a conflict. The same change by another client and a changed status are accepted. Any other change is shown
/// again, and refused in a script.
async fn refuse_other_changes(session: &Session, request: &Request, go: &Approved) -> Result<(), Failure> {
    if go.plan().before.differs_only_in_status(&session.deployment) {
        return Ok(());
    }
    let step = request.step;
    if step.goes_back() && go.plan().is_in(session.deployment.object()) {
        // Also an earlier write of this command that arrived late, after its record was withdrawn.
        return Ok(());
    }
    let now = session.gather(Extent::Abort).await;
    if step.found(&now).is_some() || step.reached(&now).is_some() {
        return Ok(());
    }
    let by = session.deployment.active_written_by();
    let by = by.map_or_else(String::new, |(manager, _)| format!(" (field manager {manager})"));
    let text = format!("another client{by} changed ElementDeployment {} in the meantime", session.place());
    if request.is_script(session) {
        let again = session.command("status");
        return Err(Failure::failed(text).then("Check the status, then run the command again:", again));
    }
    session.ui().warning(text + "; nothing was written");
    Ok(())
}

/// Records the intent and sends the write. `None` after a conflict on the deployment or the record: nothing was written, and
/// the deployment was read again.
async fn send(
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
            Ok(Some(Start { baseline, seen, continuity, changed: ours.at, existing: false }))
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
