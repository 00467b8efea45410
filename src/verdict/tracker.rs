//! The verdict on one write, into which events are folded.

use std::collections::HashSet;

use super::baseline::{Baseline, Carried, Marks};
use super::observation::{Continuity, Event, Observation};
use crate::deployment::{FailureReport, Run};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaiting {
    /// The operator has not reported anything since the write.
    Start,
    /// A reconcile is running whose start was not seen with this change; it must end and another one start.
    EarlierRun,
    /// A reconcile that works on this change is running.
    End,
    /// The operator reported an internal error; the next reconcile counts.
    NextRun(FailureReport),
    /// A reconcile on the change ended without success while an earlier failure is still reported. Older operators keep
    /// the first failure of a streak in the status, also after internal errors, so the cause of this end is unknown.
    Untold(FailureReport),
    /// The reconcile ended without an error, but `Available` is not true.
    Available,
    /// The reconcile ended without an error, but `mas_active` is not true.
    MasActive,
    /// The reconcile ended, but its conditions don't report success yet.
    Successful,
}

/// The operator's answer to one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pending(Awaiting),
    /// A reconcile that works on this change succeeded, and everything that success requires was observed.
    Succeeded(Box<Observation>),
    /// A reconcile that works on this change failed. The operator retries by itself.
    Failed(FailureReport),
    /// Somebody reverted the change before a reconcile with it was observed to end.
    Overtaken(Box<Observation>),
    /// The object was deleted, or replaced by another one of the same name.
    Gone,
}

impl Verdict {
    /// Whether no later event can change the verdict.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending(_))
    }
}

/// What is known about the reconcile in the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunState {
    Idle,
    /// One is running, but its start was not seen with the change.
    Unproven,
    /// One is running that works on the change.
    Counting,
    /// One with the change ended without an error, and none has started since.
    Concluded,
}

/// Follows the operator after one write. Expects every event; a final verdict never changes.
#[derive(Debug, Clone)]
pub struct Tracker {
    /// The change, and the state at the write.
    baseline: Baseline,
    current: RunState,
    /// The marks of the last event, except `mas_active`, which stays that of the write.
    last: Marks,
    last_generation: i64,
    seen: HashSet<String>,
    newest: Option<u64>,
    hiccup: Option<FailureReport>,
    untold: Option<FailureReport>,
    verdict: Verdict,
}

impl Tracker {
    pub fn new(baseline: Baseline) -> Self {
        let marks = baseline.at_write.clone();
        let current = if marks.running { RunState::Unproven } else { RunState::Idle };
        let awaiting = if marks.running { Awaiting::EarlierRun } else { Awaiting::Start };
        Self {
            current,
            last: marks,
            last_generation: baseline.generation,
            seen: baseline.resource_version.iter().cloned().collect(),
            newest: baseline.resource_version.as_deref().and_then(|text| text.parse().ok()),
            hiccup: None,
            untold: None,
            verdict: Verdict::Pending(awaiting),
            baseline,
        }
    }

    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Processes one event and returns the verdict so far.
    pub fn observe(&mut self, event: &Event) -> &Verdict {
        if self.verdict.is_final() {
            return &self.verdict;
        }
        match event {
            Event::Deleted(uid) => {
                if uid.as_ref().is_none_or(|uid| *uid == self.baseline.uid) {
                    self.verdict = Verdict::Gone;
                }
            }
            // A replay may show an earlier object of the same name, so age is compared before identity.
            Event::Seen(seen, _) if !self.is_new(seen) => {}
            Event::Seen(seen, _) if seen.uid != self.baseline.uid => self.verdict = Verdict::Gone,
            Event::Seen(seen, continuity) => self.verdict = self.step(seen, *continuity),
        }
        &self.verdict
    }

    /// A watch may repeat events; a repeated one would look like a new start.
    fn is_new(&mut self, seen: &Observation) -> bool {
        if !self.seen.insert(seen.resource_version.clone()) {
            return false;
        }
        // Kubernetes lets clients compare resourceVersions of one resource as numbers; for servers that use another form
        // the set above has to do.
        let number: Option<u64> = seen.resource_version.parse().ok();
        if let (Some(newest), Some(number)) = (self.newest, number)
            && number < newest
        {
            return false;
        }
        self.newest = number.or(self.newest);
        true
    }

    fn step(&mut self, seen: &Observation, continuity: Continuity) -> Verdict {
        // Comes first, whatever else the object shows: while a reconcile with the change runs, another may take its place
        // without an event (rule 2), and nothing tells their ends apart.
        if !self.baseline.carried.is_in(seen) {
            return Verdict::Overtaken(Box::new(seen.clone()));
        }
        let change = RunEvidence::between(&self.last, self.last_generation, seen);
        let failed = self.advance(seen, &change, continuity == Continuity::Continuous);
        self.remember(seen);
        if let Some(report) = failed {
            return Verdict::Failed(report);
        }
        if self.is_success(seen) {
            return Verdict::Succeeded(Box::new(seen.clone()));
        }
        Verdict::Pending(self.awaiting(seen))
    }

    /// Updates `current`; returns the failure of a reconcile that counts. The object carries the change.
    fn advance(&mut self, seen: &Observation, change: &RunEvidence, continuous: bool) -> Option<FailureReport> {
        // An unseen reconcile certainly worked on the change only if the spec never changed in between.
        let proven = change.same_spec;
        let running = seen.run == Run::Running;
        let failed = match self.current {
            RunState::Idle | RunState::Concluded => {
                if running {
                    self.current = if continuous || proven { RunState::Counting } else { RunState::Unproven };
                } else if change.fresh_success && proven {
                    self.current = RunState::Concluded;
                } else if self.current == RunState::Idle {
                    self.note_hiccup(seen);
                }
                // None was running, so a reconcile that failed since also started since.
                proven && change.fresh_failure
            }
            RunState::Unproven => {
                if !running {
                    self.note_hiccup(seen);
                    self.current = RunState::Idle;
                } else if !continuous && proven && (change.fresh_failure || change.good_end) {
                    // The earlier one ended, so the one that is running started since.
                    self.current = RunState::Counting;
                }
                // Success clears the failure, so a new failure beside a new success came after it: two have ended.
                !continuous && proven && change.fresh_failure && change.good_end
            }
            RunState::Counting if !continuous && !proven => {
                self.current = if running { RunState::Unproven } else { RunState::Idle };
                false
            }
            RunState::Counting => {
                if !running {
                    self.note_hiccup(seen);
                    self.untold = seen.failure.clone().filter(|report| report.completion.is_some());
                    self.current = if change.fresh_success { RunState::Concluded } else { RunState::Idle };
                }
                change.fresh_failure
            }
        };
        seen.failure.clone().filter(|_| failed)
    }

    fn note_hiccup(&mut self, seen: &Observation) {
        // A failure without a completion is an internal error of the operator, not the result of the reconcile.
        self.hiccup = seen.failure.clone().filter(|report| report.completion.is_none());
    }

    fn remember(&mut self, seen: &Observation) {
        self.last.running = seen.run == Run::Running;
        self.last_generation = seen.generation;
        self.last.successful_since.clone_from(&seen.successful_since);
        // The status has no completion while a reconcile is running; keep the last one for comparison.
        if seen.success_completion.is_some() {
            self.last.success.clone_from(&seen.success_completion);
        }
        if let Some(completion) = seen.failure_completion() {
            self.last.failure = Some(completion.to_owned());
        }
        if self.last.running {
            (self.hiccup, self.untold) = (None, None);
        }
    }

    fn is_success(&self, seen: &Observation) -> bool {
        if !seen.is_successful() {
            return false;
        }
        if self.baseline.carried != Carried::Active(true) {
            return self.current == RunState::Concluded;
        }
        if seen.mas_active != Some(true) {
            return false;
        }
        // No reconcile that was running at the write worked on `active: true`, so only a later one can have set
        // `mas_active`; the success in the status is that reconcile's or a later one's.
        let by_mas_active = self.baseline.mas_active_tells
            && self.baseline.at_write.mas_active != Some(true)
            && seen.generation == self.baseline.generation
            && seen.success_completion.is_some()
            && seen.success_completion != self.baseline.at_write.success;
        self.current == RunState::Concluded || by_mas_active
    }

    fn awaiting(&self, seen: &Observation) -> Awaiting {
        match self.current {
            RunState::Counting => Awaiting::End,
            RunState::Unproven => Awaiting::EarlierRun,
            RunState::Idle => match (&self.hiccup, &self.untold) {
                (Some(report), _) => Awaiting::NextRun(report.clone()),
                (None, Some(report)) => Awaiting::Untold(report.clone()),
                (None, None) => Awaiting::Start,
            },
            RunState::Concluded if seen.available == Some(false) => Awaiting::Available,
            RunState::Concluded if seen.successful != Some(true) => Awaiting::Successful,
            RunState::Concluded => Awaiting::MasActive,
        }
    }
}

/// What certainly happened between the last event and this one.
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each read by name")]
struct RunEvidence {
    /// The spec has not changed in between: the generation only grows.
    same_spec: bool,
    /// The status shows a new success, and nothing after it.
    fresh_success: bool,
    /// The status shows a failure with a new completion.
    fresh_failure: bool,
    /// A reconcile succeeded, whatever came after.
    good_end: bool,
}

impl RunEvidence {
    fn between(last: &Marks, last_generation: i64, seen: &Observation) -> Self {
        let is_new = |completion: Option<&str>, last: &Option<String>| {
            completion.is_some_and(|completion| last.as_deref() != Some(completion))
        };
        let fresh_success = seen.run == Run::Succeeded && is_new(seen.success_completion.as_deref(), &last.success);
        // A failed first reconcile writes `Successful` too: only a time that existed before can have changed.
        let moved = last.successful_since.is_some()
            && seen.successful_since.is_some()
            && seen.successful_since != last.successful_since;
        Self {
            same_spec: seen.generation == last_generation,
            fresh_success,
            fresh_failure: is_new(seen.failure_completion(), &last.failure),
            good_end: fresh_success || moved,
        }
    }
}
