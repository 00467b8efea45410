//! One write to the ElementDeployment: noted in the record, then compare-and-set.

use super::confirm::Approved;
use super::follow::Start;
use super::outcome::Outcome;
use super::server_dry_run;
use super::step::Step;
use crate::checks::{Known, Snapshot};
use crate::cluster::{ErrorKind, WriteOutcome};
use crate::deployment::{Deployment, Run};
use crate::error::{Exit, Failure};
use crate::plan::{Change, Plan};
use crate::record::{Backup, Pending, Record};
use crate::session::Session;
use crate::session::interrupt::InterruptState;
use crate::verdict::{Baseline, Continuity, Observation};

/// What the record keeps of a write before it is sent.
pub struct Intent<'a> {
    pub step: Step,
    pub by: Option<String>,
    /// What was read, for the Secret's digest.
    pub snapshot: &'a Snapshot,
    /// For the history, in the past tense.
    pub what: String,
}

/// The record to note the write in. Going back must not hang on it.
pub fn record(session: &Session, step: Step, seen: &Snapshot) -> Result<Record, Failure> {
    match &seen.record {
        Known::Known(Some(record)) => Ok(record.clone()),
        Known::Unreadable(why) if !step.goes_back() => {
            let text = format!("can't read the record, which is required before a write to the ElementDeployment: {why}");
            Err(Failure::failed(text)
                .then("Fix the cause, then run the command again:", session.command(step.command())))
        }
        Known::Known(None) | Known::Unreadable(_) => Ok(Record::new(&seen.deployment)),
    }
}

/// Notes the intent in the record and sends the write. `None`: somebody else was faster, with the deployment or the record,
/// and nothing was written; the deployment was read afresh.
pub async fn send(
    session: &mut Session,
    approved: &Approved,
    answer: &Deployment,
    record: &mut Record,
    intent: Intent<'_>,
    outcome: &mut Outcome,
) -> Result<Option<Start>, Failure> {
    let plan = approved.plan();
    let before = Observation::of(plan.before());
    let generation = before.generation + i64::from(plan.changes_spec());
    let carried = plan.carried(&Observation::of(answer));
    let mut baseline = Baseline::of_write(&before, carried, generation, None);
    if *plan.change() == Change::Activate && before.run != Run::Running {
        baseline = baseline.inactive_until_write();
    }
    let others = record.pending.clone();
    let ours = pending(session, plan, &intent, baseline.clone());
    // Only as long as it is ours: somebody who waited for us in vain may have begun a write of their own.
    let withdraw = |record: &mut Record| {
        if record.pending.as_ref() == Some(&ours) {
            record.pending.clone_from(&others);
        }
    };
    note(record, approved, &intent, &ours);
    // From here on something is written, if only to the record.
    session.interrupt().set(InterruptState::Writing);
    match session.write_record(record).await {
        Ok(Ok(())) => {}
        // Going back must not hang on the record.
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
    let uid = plan.before().uid().to_owned();
    let write = server_dry_run::request(session, plan);
    let result =
        session.cluster.write(&write, |found| found["metadata"]["uid"] == uid.as_str() && plan.is_in(found)).await;
    let name = result.name();
    match result {
        WriteOutcome::Applied(written) => {
            outcome.write = Some(name);
            let seen = Deployment::from_value(written.object).map_err(|error| Failure::failed(error.to_string()))?;
            if written.read_back && !is_surely_ours(session, plan, &seen, &ours).await {
                // Somebody else made the same change, when and on what state is not known: the next round follows it.
                outcome.write = Some(WriteOutcome::NOT_APPLIED);
                session.interrupt().set(InterruptState::NothingWritten);
                session.warn_unrecorded(session.change_record(withdraw).await);
                session.deployment = seen;
                return Ok(None);
            }
            let continuity = if written.read_back { Continuity::Gap } else { Continuity::Continuous };
            if !written.read_back {
                // Exactly what was stored, should a webhook have made more of it than in the dry run.
                baseline.carried = plan.carried(&Observation::of(&seen));
            }
            Ok(Some(Start { baseline, seen, continuity, changed: ours.at }))
        }
        WriteOutcome::Conflict { now, .. } => {
            session.interrupt().set(InterruptState::NothingWritten);
            // What the record says of a write must be true of the one that was stored, and that was not this one.
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
            // Else whoever comes next waits a moment for a write that nobody sends. A server that cannot be reached
            // is not waited for.
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

/// Puts a write that is about to be made into the record.
pub fn note(record: &mut Record, approved: &Approved, intent: &Intent<'_>, ours: &Pending) {
    let before = Observation::of(approved.plan().before());
    record.pending = Some(ours.clone());
    record.note(ours.at, intent.by.as_deref(), intent.what.clone());
    record.chart.clone_from(&intent.snapshot.chart);
    // An activation that failed while nobody was looking: after it the rehearsal proves nothing.
    if let Some(failure) =
        before.failure.as_ref().filter(|failure| before.active == Some(true) && failure.completion.is_some())
    {
        record.failed_since(&failure.message);
    }
    if let Some(statement) = approved.backup() {
        record.backup = Some(Backup { statement: statement.to_owned(), at: ours.at, by: intent.by.clone() });
    }
}

/// After a lost answer: whether the change that was read back is this write. The same change by somebody else may have
/// come after a run began, and then what stood before this write says nothing about theirs.
async fn is_surely_ours(session: &Session, plan: &Plan, seen: &Deployment, ours: &Pending) -> bool {
    let by_us = match plan.change() {
        // The annotation is of this very call.
        Change::AddMas(..) | Change::AskForRehearsal(_) | Change::AskForRun(_) => return true,
        Change::Activate | Change::Deactivate => seen.active_is_ours(),
        // What is gone does not show who took it out.
        Change::Remove => true,
    };
    // Another person with this program notes their write first, in the place of ours.
    let others = match session.read_record().await {
        Known::Known(Some(record)) => record.pending.as_ref() != Some(ours),
        Known::Known(None) | Known::Unreadable(_) => false,
    };
    by_us && !others
}

pub fn pending(session: &Session, plan: &Plan, intent: &Intent<'_>, baseline: Baseline) -> Pending {
    let keys = intent.snapshot.secret_keys();
    let secret = intent.snapshot.secret.known().and_then(Option::as_ref);
    Pending {
        step: intent.step,
        at: session.now(),
        by: intent.by.clone(),
        baseline,
        owner: None,
        request: match plan.change() {
            Change::AddMas(_, request) | Change::AskForRehearsal(request) | Change::AskForRun(request) => {
                Some(request.clone())
            }
            _ => None,
        },
        secret_digest: secret.and_then(|secret| secret.digest(&keys)).map(|digest| format!("{digest:#}")),
        secret_fingerprints: secret.map(|secret| secret.fingerprints(&keys)).unwrap_or_default(),
    }
}

/// How often a plan is made anew because somebody changed what was decided upon.
const CHANGES: usize = 8;
/// The same where only the status or the record moved. An operator that fails and tries again at once moves the status
/// many times a second, and just then somebody wants to abort.
const MOVES: usize = 100;

#[derive(Default)]
pub struct Attempts {
    last: Option<Deployment>,
    changed: usize,
    moved: usize,
}

impl Attempts {
    /// Counts one more; an error where the deployment keeps changing, or somebody has interrupted meanwhile.
    pub fn one_more(&mut self, session: &Session) -> Result<(), Failure> {
        if !self.is_worth_it(&session.deployment) {
            let text = format!("gave up after repeated update conflicts on ElementDeployment {}", session.place());
            return Err(Failure::failed(text));
        }
        if session.interrupt().raised() {
            // It came while a write was on its way that the server then refused.
            return Err(Failure::told(Exit::Interrupted));
        }
        Ok(())
    }

    fn is_worth_it(&mut self, now: &Deployment) -> bool {
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
    fn an_abort_gave_up_while_the_operator_moved_the_status_all_the_time() {
        let mut attempts = Attempts::default();
        assert!((0..60).all(|version| attempts.is_worth_it(&deployment(version, 0))));
        assert!(!(60..200).all(|version| attempts.is_worth_it(&deployment(version, 0))), "it ends some time");
    }

    #[test]
    fn a_spec_that_somebody_changes_again_and_again_is_given_up_soon() {
        let mut attempts = Attempts::default();
        let count = (0..60).take_while(|version| attempts.is_worth_it(&deployment(*version, *version))).count();
        assert_eq!(count, CHANGES);
    }
}
