//! Writes to the ElementDeployment: first the record, then compare-and-set.

use super::confirm::Approved;
use super::resume::Start;
use super::step::Request;
use crate::checks::{Known, Snapshot};
use crate::cluster::{ErrorKind, Write, WriteOutcome};
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::plan::{Change, Plan};
use crate::record::{Backup, OwnersChange, Pending, Record};
use crate::session::Session;
use crate::session::interrupt::InterruptState;
use crate::verdict::{Baseline, Continuity, Observation};

/// What the record stores about an approved write before it is sent or handed to the manifest owner.
pub struct Intent<'a> {
    go: &'a Approved,
    seen: &'a Snapshot,
    what: String,
    pending: Pending,
}

impl<'a> Intent<'a> {
    /// `answer` is the object of the server-side dry run.
    pub async fn of(
        session: &Session,
        request: &Request,
        seen: &'a Snapshot,
        go: &'a Approved,
        answer: &Deployment,
    ) -> Result<Self, Failure> {
        let by = session.cluster.who_am_i().await;
        if session.interrupt().raised() {
            return Err(Failure::told(Exit::Interrupted));
        }
        let (step, plan) = (request.step, go.plan());
        let before = Observation::of(&plan.before);
        let carried = plan.carried(&Observation::of(answer));
        let generation = before.generation + i64::from(!request.via_owner && plan.changes_spec());
        let mut baseline = Baseline::of_write(&before, carried, generation, None);
        // Without a running reconcile, none can have worked on an earlier `active: true`.
        baseline.mas_active_tells = !request.via_owner && plan.change == Change::Activate && before.run != Run::Running;
        let (secret_digest, secret_fingerprints) = seen.secret_digests();
        let stamp = match &plan.change {
            // The owner changes only the spec.
            _ if request.via_owner => None,
            Change::AddMas(_, stamp) | Change::RequestDryRun(stamp) | Change::RequestReconcile(stamp) => {
                Some(stamp.clone())
            }
            _ => None,
        };
        let pending = Pending {
            step,
            at: session.now(),
            by,
            baseline,
            owner: request.via_owner.then_some(OwnersChange::Awaited),
            request: stamp,
            secret_digest,
            secret_fingerprints,
        };
        let what = match &plan.change {
            _ if request.via_owner => format!("{}: handed to the manifest owner", step.command()),
            Change::RequestReconcile(_) => format!("{}: requested another reconcile", step.command()),
            _ => step.history().to_owned(),
        };
        Ok(Self { go, seen, what, pending })
    }

    /// Records a change that the manifest owner makes.
    pub async fn record(&self, session: &Session) -> Result<(), Failure> {
        session.interrupt().begin_write();
        let recorded = session.change_record(|record| self.note(record)).await;
        if recorded.is_ok() && session.interrupt().raised() {
            self.withdraw(session).await;
            session.ui().status("The ElementDeployment was not changed.");
            return Err(Failure::told(Exit::Interrupted));
        }
        session.interrupt().end_write();
        recorded
    }

    /// Removes the write from the record, because it was not stored; also after an interrupt.
    async fn withdraw(&self, session: &Session) {
        let removed = session.change_record(|record| {
            // Another user may have started one since.
            if record.pending.as_ref() == Some(&self.pending) {
                record.pending = self.seen.recorded().and_then(|earlier| earlier.pending.clone());
            }
            record.history.retain(|entry| entry.at != self.pending.at || entry.what != self.what);
        });
        session.warn_unrecorded(removed.await);
        session.interrupt().end_write();
    }

    fn note(&self, record: &mut Record) {
        let Pending { at, by, .. } = &self.pending;
        let before = Observation::of(&self.go.plan().before);
        record.pending = Some(self.pending.clone());
        record.note(*at, by.as_deref(), self.what.clone());
        record.chart.clone_from(&self.seen.chart);
        // An activation failed unobserved, so the dry run is no longer valid.
        if let Some(failure) =
            before.failure.as_ref().filter(|failure| before.active == Some(true) && failure.completion.is_some())
        {
            record.failed_since(&failure.message);
        }
        if let Some(statement) = self.go.backup() {
            record.backup = Some(Backup { statement: statement.to_owned(), at: *at, by: by.clone() });
        }
    }
}

/// Records the intent and sends the write. `None` after a conflict on the deployment or the record: nothing was written, and
/// the deployment was read again. `outcome` is the `write` of the contract.
pub async fn write(
    session: &mut Session,
    request: &Request,
    intent: Intent<'_>,
    outcome: &mut Option<&'static str>,
) -> Result<Option<Start>, Failure> {
    let plan = intent.go.plan();
    let mut record = match &intent.seen.record {
        Known::Known(Some(record)) => record.clone(),
        Known::Known(None) | Known::Unreadable(_) => Record::new(&intent.seen.deployment),
    };
    intent.note(&mut record);
    // From here on, at least the record is written.
    session.interrupt().begin_write();
    let (recorded, goes_back) = (session.write_record(&mut record).await, request.step.goes_back());
    let is_recorded = matches!(recorded, Ok(Ok(())));
    match (recorded, &intent.seen.record) {
        (Ok(Ok(())), _) => {}
        // A rollback works without the record.
        (Ok(Err(_)), Known::Unreadable(why)) if goes_back => {
            session.warn_unrecorded(Err(Failure::failed(why.clone())));
        }
        (Err(failure), _) if goes_back => session.warn_unrecorded(Err(failure)),
        (Ok(Err(_)), _) => {
            session.interrupt().end_write();
            session.reread().await?;
            return Ok(None);
        }
        (Err(failure), _) => {
            session.interrupt().end_write();
            return Err(failure);
        }
    }
    // An earlier write of this command stays applied.
    let earlier = outcome.filter(|earlier| *earlier == WriteOutcome::APPLIED);
    if session.interrupt().raised() {
        intent.withdraw(session).await;
        if earlier.is_none() {
            session.ui().status("The ElementDeployment was not changed.");
        }
        return Err(Failure::told(Exit::Interrupted));
    }
    let uid = plan.before.uid().to_owned();
    let write = Write::patch_deployment(&session.target, plan.patch.clone());
    let result =
        session.cluster.write(&write, |found| found["metadata"]["uid"] == uid.as_str() && plan.is_in(found)).await;
    let name = result.name();
    match result {
        WriteOutcome::Applied(written) => {
            *outcome = Some(name);
            let seen = Deployment::from_value(written.object).map_err(|error| Failure::failed(error.to_string()))?;
            if written.read_back && !is_surely_ours(session, plan, &seen, &intent.pending).await {
                // Another client made the same change, at an unknown time: the next attempt follows it.
                *outcome = earlier.or(Some(WriteOutcome::NOT_APPLIED));
                intent.withdraw(session).await;
                session.deployment = seen;
                return Ok(None);
            }
            let Pending { mut baseline, at, by, .. } = intent.pending;
            let continuity = if written.read_back { Continuity::Gap } else { Continuity::Continuous };
            if !written.read_back {
                // What was stored: a webhook may have changed it since the server-side dry run.
                baseline.carried = plan.carried(&Observation::of(&seen));
            }
            Ok(Some(Start { baseline, seen, continuity, by, changed: Some(at), existing: false }))
        }
        WriteOutcome::Conflict { now, .. } => {
            if is_recorded {
                intent.withdraw(session).await;
            }
            session.interrupt().end_write();
            match now.and_then(|now| Deployment::from_value(now).ok()) {
                Some(now) => session.deployment = now,
                None => session.reread().await?,
            }
            Ok(None)
        }
        WriteOutcome::NotApplied(error) => {
            *outcome = earlier.or(Some(name));
            // Otherwise the next command waits for a write that doesn't come. Without a connection this would only delay
            // the error.
            if is_recorded && !matches!(error.kind(), ErrorKind::Unreachable { .. } | ErrorKind::TlsFailed { .. }) {
                intent.withdraw(session).await;
            }
            session.interrupt().end_write();
            let failure = Failure::from(error);
            Err(match earlier {
                None => failure.advise("This command didn't change the ElementDeployment."),
                Some(_) => {
                    failure.suggest("The change was made before. To follow the operator:", request.step.command())
                }
            })
        }
        WriteOutcome::Unknown(error) => {
            *outcome = earlier.or(Some(name));
            session.interrupt().set(InterruptState::Ending { done: "the outcome of the write is unknown" });
            Err(Failure::from(error).suggest("Couldn't determine whether the change was applied. Check the status, then run the command again to resume:", "status"))
        }
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
