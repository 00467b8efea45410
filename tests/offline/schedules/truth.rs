//! The true state of a simulated world, and the verdict that is due. Based on the simulated runs, never on conditions.

use super::schedule::Goal;
use super::world::{End, Run, Snapshot, Spec, World};

/// The write, its time, and the state before it.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) goal: Goal,
    /// The spec with the write.
    pub(crate) written: Spec,
    pub(crate) uid: usize,
    /// The tick of the write, or of the first read if another client made the write.
    pub(crate) since: usize,
    /// The entry of the baseline.
    pub(crate) entry: usize,
    /// Another client made the write: for an activation, any reconcile with `active: true` counts.
    pub(crate) present: bool,
    /// Whether a reconcile was in progress at the write, according to the status.
    pub(crate) running: bool,
    /// Whether `mas_active` can prove an activation (see `Baseline::mas_active_tells`).
    pub(crate) mas_tells: bool,
}

/// The passed part of the history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    /// Every entry from this one on was passed, in order.
    pub(crate) unbroken: usize,
    /// A period of `Running` that was in progress at `unbroken`, and that must have begun after the previous read, with
    /// the same spec.
    proven: Option<usize>,
    /// `unbroken` has a failure that follows a success, both since the previous read, with the same spec.
    second_failed: bool,
}

impl Chain {
    /// From the write on.
    pub(crate) fn at_write(entry: usize) -> Self {
        Self { unbroken: entry, proven: None, second_failed: false }
    }

    /// A read at `now`, after entries since `last` may have been missed.
    pub(crate) fn broken(world: &World, last: usize, now: usize) -> Self {
        let (was, is) = (&world.history[last], &world.history[now]);
        let same_spec = was.uid == is.uid && was.generation == is.generation;
        let failed_since =
            is.told.is_some_and(|run| matches!(world.runs[run].end, Some(End::Failed { at, .. }) if at > was.tick));
        let succeeded = |at: &Snapshot| at.status.get("Successful").map(|condition| condition.since.clone());
        let moved = succeeded(was).is_some() && succeeded(was) != succeeded(is);
        let began = !was.status.shows_running() || failed_since;
        Self {
            unbroken: now,
            proven: is.streak.filter(|_| same_spec && began && is.status.shows_running()),
            second_failed: same_spec && failed_since && moved,
        }
    }
}

impl Truth {
    /// Whether a spec contains the write.
    pub(crate) fn carried_by(&self, spec: Spec) -> bool {
        match self.goal {
            Goal::DryRun => spec.active() == Some(false) && spec.settings() == self.written.settings(),
            Goal::Active(true) => spec.active() == Some(true),
            Goal::Active(false) => spec.active() == Some(false) || spec.mas.is_none(),
            Goal::Removed => spec.mas.is_none(),
        }
    }

    /// Whether the end of a reconcile counts for the write.
    fn counts(&self, run: &Run) -> bool {
        let earlier_is_fine = self.present && self.goal == Goal::Active(true);
        run.uid == self.uid && self.carried_by(run.spec) && (run.started > self.since || earlier_is_fine)
    }

    /// Whether success is true at this entry.
    pub(crate) fn has_succeeded(&self, world: &World, at: &Snapshot) -> bool {
        let ended_well =
            |run: &Run| matches!(run.end, Some(End::Good { at: end }) if end <= at.tick && end > self.since);
        let mas_is_on = || {
            at.status.mas_active.is_true() && at.mas_by.is_some_and(|run| world.runs[run].spec.active() == Some(true))
        };
        world.runs.iter().any(|run| self.counts(run) && ended_well(run))
            && (self.goal != Goal::Active(true) || mas_is_on())
    }

    /// Whether a failure with this message is true at this entry.
    pub(crate) fn has_failed(&self, world: &World, at: &Snapshot, words: &str, of: Option<&str>) -> bool {
        world.runs.iter().filter(|run| self.counts(run)).any(|run| {
            matches!(&run.end, Some(End::Failed { at: end, message, completion })
                if *end <= at.tick && *end > self.since && message == words && Some(completion.as_str()) == of)
        })
    }

    /// Whether the status alone shows everything that success requires.
    pub(crate) fn shows_all(&self, at: &Snapshot) -> bool {
        at.status.shows_success()
            && at.status.available_is_absent_or_true()
            && (self.goal != Goal::Active(true) || at.status.mas_active.is_true())
    }

    /// Why a verdict is due at this entry, if it is.
    pub(crate) fn owed(&self, world: &World, index: usize, chain: Chain) -> Option<&'static str> {
        let at = &world.history[index];
        if at.deleted || at.uid != self.uid {
            return Some("the object is gone");
        }
        if !self.carried_by(at.spec) {
            return Some("the write was taken back");
        }
        let failed = at.told.is_some_and(|run| matches!(world.runs[run].end, Some(End::Failed { .. })));
        if !(self.shows_all(at) || failed) {
            return None;
        }
        let idle = !at.status.shows_running();
        if idle && at.told.is_some() && at.streak.is_some_and(|start| start > chain.unbroken) {
            return Some("a run was seen from its start to its end");
        }
        if idle && at.told.is_some() && at.streak == chain.proven {
            return Some("a run that must have started after the write was seen to its end");
        }
        if chain.second_failed {
            return Some("a good end and after it a failure came to pass while nobody looked");
        }
        if at.generation != world.history[self.entry].generation {
            return None;
        }
        if !self.running && at.told.is_some_and(|run| world.runs[run].started > self.since) {
            return Some("nothing was under way at the write, the spec stayed, and the end of a run stands there");
        }
        let mas_was_on = world.history[self.entry].status.mas_active.is_true();
        if self.goal == Goal::Active(true)
            && self.mas_tells
            && !mas_was_on
            && self.shows_all(at)
            && at.tick > self.since
        {
            return Some("mas_active turned true and the run ended well");
        }
        None
    }
}
