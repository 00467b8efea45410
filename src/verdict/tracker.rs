//! The fold over events.

use std::collections::HashSet;

use super::baseline::{Baseline, Marks};
use super::observation::{Continuity, Event, Observation};
use super::outcome::{Awaiting, Verdict};
use crate::deployment::{FailureReport, Run};

/// What is known about the run that the last event shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunState {
    Idle,
    /// One is under way, but its start was not seen with the change in it.
    Unproven,
    /// One is under way that works on the change.
    Counting,
    /// One that worked on the change ended without an error, and none has started since.
    Concluded,
}

/// Follows the operator after one write. Feed it every event; once the verdict is final it stays.
#[derive(Debug, Clone)]
pub struct Tracker {
    baseline: Baseline,
    current: RunState,
    /// What the last event showed of what moves when a run ends; `mas_active` stays that of the write.
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

    /// What was written, and what stood then.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// Takes one event in and says what is known then.
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
            // A replay may show what had the name before our object had it, so age comes before identity.
            Event::Seen(seen, _) if !self.is_new(seen) => {}
            Event::Seen(seen, _) if seen.uid != self.baseline.uid => self.verdict = Verdict::Gone,
            Event::Seen(seen, continuity) => self.verdict = self.step(seen, *continuity),
        }
        &self.verdict
    }

    /// A watch may repeat events; one that was seen already would look like a run starting backwards in time.
    fn is_new(&mut self, seen: &Observation) -> bool {
        if !self.seen.insert(seen.resource_version.clone()) {
            return false;
        }
        // Kubernetes lets clients order resourceVersions of one resource as numbers; a server that uses another form
        // is left to the set above.
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
        // Said whatever else the object shows. With a run on the change under way, another may take its place without
        // an event (rule 2), and then nothing tells their ends apart; and an activation that ended well is no
        // activation any more.
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

    /// Moves `current` on; returns the failure of a run that counts. The object carries the change.
    fn advance(&mut self, seen: &Observation, change: &RunEvidence, continuous: bool) -> Option<FailureReport> {
        // A run that started unseen worked on the change for sure only if the spec never changed in between.
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
                // Nothing was under way, so a run that failed since started since.
                proven && change.fresh_failure
            }
            RunState::Unproven => {
                if !running {
                    self.note_hiccup(seen);
                    self.current = RunState::Idle;
                } else if !continuous && proven && change.some_ended() {
                    // That one is over, so the run that is under way started since.
                    self.current = RunState::Counting;
                }
                // A good end clears the failure, so a new failure beside a new good end came after it: the second.
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
        // A failure without a completion tells of the operator, not of the run.
        self.hiccup = seen.failure.clone().filter(|report| report.completion.is_none());
    }

    fn remember(&mut self, seen: &Observation) {
        self.last.running = seen.run == Run::Running;
        self.last_generation = seen.generation;
        self.last.successful_since.clone_from(&seen.successful_since);
        // Completions vanish from the status while a run is under way; the last one that was there is the one to
        // compare with.
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
        if !self.baseline.carried.wants_mas_active() {
            return self.current == RunState::Concluded;
        }
        if seen.mas_active != Some(true) {
            return false;
        }
        // No run that was under way at the write worked on `active: true`, so `mas_active` turning true is the work
        // of one that started after it; the good end that the status shows is that run's or a later one's.
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

/// What can be told to have happened between the last event and this one.
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each read by name")]
struct RunEvidence {
    /// The spec is the same, and was all the time: the generation only ever grows.
    same_spec: bool,
    /// A good end that was not there before is the last thing that the status shows.
    fresh_success: bool,
    /// A failure with a completion that was not there before is standing.
    fresh_failure: bool,
    /// A run ended well, whatever came after.
    good_end: bool,
}

impl RunEvidence {
    fn between(last: &Marks, last_generation: i64, seen: &Observation) -> Self {
        let is_new = |completion: Option<&str>, last: &Option<String>| {
            completion.is_some_and(|completion| last.as_deref() != Some(completion))
        };
        let fresh_success = seen.run == Run::Succeeded && is_new(seen.success_completion.as_deref(), &last.success);
        // A first run that fails writes `Successful` too: only a time that was there before can have moved.
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

    fn some_ended(&self) -> bool {
        self.fresh_failure || self.good_end
    }
}
