//! Plays a schedule: the simulated world, a tracker, and a lossy watch between them.

use ess_mas::deployment::Deployment;
use ess_mas::verdict::{Baseline, Carried, Continuity, Event, Observation, Tracker, Verdict};

use super::naive::Naive;
use super::schedule::{Action, Goal, Known, Schedule};
use super::truth::{Chain, Truth};
use super::world::{Snapshot, World};

/// A rule's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Nothing,
    Done,
    DoneFalsely,
    Failed,
    Overtaken,
    Gone,
}

impl Said {
    /// Number of results.
    pub(crate) const COUNT: usize = 6;
}

/// The outcome of one schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Played {
    pub(crate) ours: Said,
    pub(crate) naive: [Said; 2],
    /// The watch had passed every event when a due verdict was given.
    pub(crate) owed: bool,
    /// Success was true and visible at the end of the schedule, and our rule did not report it.
    pub(crate) unproven: bool,
}

/// A wrong result of the tracker.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// The wrong or missing verdict, and the reason.
    pub(crate) why: String,
    /// The events that the watch had passed until then.
    pub(crate) events: Vec<String>,
}

const RULES: [Naive; 2] = [Naive::Condition, Naive::NewCompletion];

fn observe(world: &World, entry: &Snapshot) -> Observation {
    Observation::of(&Deployment::from_value(world.json(entry)).expect("the model makes whole objects"))
}

struct Player {
    world: World,
    truth: Truth,
    tracker: Tracker,
    connected: bool,
    /// The next entry to pass.
    position: usize,
    /// The newest entry that was passed, or that is known from the write.
    newest: Option<usize>,
    chain: Chain,
    played: Played,
    /// The passed events with the tracker's results.
    said: Vec<(usize, Continuity, Verdict)>,
}

/// Serializes the baseline and parses it again, as the record does.
fn kept(baseline: &Baseline) -> Baseline {
    let text = serde_json::to_string(baseline).expect("a baseline is plain data");
    serde_json::from_str(&text).expect("what was written can be read")
}

impl Player {
    /// Plays everything until the tracker starts; `None` if another client's write was reverted by then.
    fn begin(schedule: &Schedule) -> Option<Self> {
        let mut world = World::new(schedule.spec, schedule.noise);
        for (pause, action) in &schedule.before {
            world.pass(*pause);
            action.apply(&mut world);
        }
        world.pass(100);
        world.recreate();
        let before = observe(&world, &world.now);
        world.pass(100);
        let under_way = world.current;
        let written = schedule.goal.write(world.now.spec);
        if written == world.now.spec && schedule.annotates {
            world.annotate();
        }
        world.write_spec(written);
        let answer = observe(&world, &world.now);
        let carried = match schedule.goal {
            Goal::DryRun => Carried::DryRun(answer.spec_digest.clone()),
            Goal::Active(active) => Carried::Active(active),
            Goal::Removed => Carried::Removed,
        };
        let mut truth = Truth {
            goal: schedule.goal,
            written,
            uid: world.now.uid,
            since: world.tick,
            entry: world.history.len() - 1,
            present: false,
            running: world.now.status.shows_running(),
            mas_tells: false,
        };
        let inactive = under_way.into_iter().chain(world.orphan).all(|run| world.runs[run].spec.active() != Some(true));
        let baseline = match schedule.known {
            Known::Answer | Known::Lost => {
                let version = (schedule.known == Known::Answer).then_some(answer.resource_version);
                let baseline = Baseline::of_write(&before, carried, answer.generation, version);
                truth.mas_tells = schedule.inactive_said && inactive;
                Baseline { mas_active_tells: truth.mas_tells, ..baseline }
            }
            Known::Present(count) => {
                for (pause, action) in schedule.after.iter().take(count) {
                    world.pass(*pause);
                    action.apply(&mut world);
                }
                if !world.exists || world.now.uid != truth.uid || !truth.carried_by(world.now.spec) {
                    return None;
                }
                // With an existing migration, the report of a lost reconcile can't be distinguished from that of the
                // one in progress.
                world.orphan = None;
                truth.since = world.tick;
                truth.entry = world.history.len() - 1;
                truth.present = true;
                truth.running = world.now.status.shows_running();
                truth.mas_tells = true;
                Baseline::of_present(&observe(&world, &world.now), carried)
            }
        };
        let mut player = Self {
            tracker: Tracker::new(kept(&baseline)),
            connected: schedule.connected,
            position: truth.entry,
            newest: None,
            chain: Chain::at_write(truth.entry),
            played: Played { ours: Said::Nothing, naive: [Said::Nothing; 2], owed: false, unproven: false },
            said: Vec::new(),
            truth,
            world,
        };
        // Every follower first reads the object.
        player.ask_naive(player.truth.entry);
        Some(player)
    }

    fn ask_naive(&mut self, index: usize) {
        let at_write = &self.world.history[self.truth.entry].status;
        let at = &self.world.history[index];
        for (rule, said) in RULES.iter().zip(&mut self.played.naive) {
            if *said == Said::Nothing && !at.deleted && rule.says_done(at_write, &at.status) {
                let right = self.truth.has_succeeded(&self.world, at);
                *said = if right { Said::Done } else { Said::DoneFalsely };
            }
        }
    }

    fn wrong(&self, why: impl Into<String>) -> Wrong {
        let tell = |(index, continuity, verdict): &(usize, Continuity, Verdict)| {
            describe(&self.world.history[*index], *continuity, verdict)
        };
        Wrong { why: why.into(), events: self.said.iter().map(tell).collect() }
    }

    /// Passes one entry and judges the tracker's result.
    fn hand_on(&mut self, index: usize, continuity: Continuity) -> Result<(), Wrong> {
        let fresh = index >= self.truth.entry && self.newest.is_none_or(|newest| index > newest);
        if fresh {
            self.ask_naive(index);
            if continuity == Continuity::Gap {
                self.chain = Chain::broken(&self.world, self.newest.unwrap_or(self.truth.entry), index);
            }
            self.newest = Some(index);
        }
        if self.tracker.verdict().is_final() {
            return Ok(());
        }
        let at = &self.world.history[index];
        let event = match (at.deleted, continuity) {
            (true, Continuity::Continuous) => Event::Deleted(Some(format!("uid-{}", at.uid))),
            (true, Continuity::Gap) => Event::Deleted(None),
            (false, _) => Event::Seen(Box::new(observe(&self.world, at)), continuity),
        };
        let verdict = self.tracker.observe(&event).clone();
        self.said.push((index, continuity, verdict.clone()));
        let said = match &verdict {
            Verdict::Pending(_) => {
                return match self.truth.owed(&self.world, index, self.chain) {
                    Some(why) if fresh => Err(self.wrong(format!("no verdict although {why}"))),
                    _ => Ok(()),
                };
            }
            Verdict::Succeeded(_) => {
                let shown = at.status.shows_success() && at.status.available_is_absent_or_true();
                let carried = self.truth.carried_by(at.spec);
                if !(shown && carried && self.truth.has_succeeded(&self.world, at)) {
                    return Err(self.wrong("succeeded, which is not true"));
                }
                Said::Done
            }
            Verdict::Failed(report) => {
                if !self.truth.has_failed(&self.world, at, &report.message, report.completion.as_deref()) {
                    return Err(self.wrong("failed, which is not true"));
                }
                Said::Failed
            }
            Verdict::Overtaken(_) if at.uid == self.truth.uid && !self.truth.carried_by(at.spec) => Said::Overtaken,
            Verdict::Overtaken(_) => return Err(self.wrong("overtaken, which is not true")),
            Verdict::Gone if at.deleted || at.uid != self.truth.uid => Said::Gone,
            Verdict::Gone => return Err(self.wrong("gone, which is not true")),
        };
        if !fresh {
            return Err(self.wrong("a verdict from an event that was over already"));
        }
        self.played.owed = self.truth.owed(&self.world, index, self.chain).is_some();
        self.played.ours = said;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Wrong> {
        while self.connected && self.position < self.world.history.len() {
            self.position += 1;
            self.hand_on(self.position - 1, Continuity::Continuous)?;
        }
        Ok(())
    }

    fn watch(&mut self, action: Action) -> Result<(), Wrong> {
        match action {
            Action::Cut => self.connected = false,
            Action::Reconnect { stale } if !self.connected => {
                self.connected = true;
                let last = self.world.history.len() - 1;
                let mut index = last.saturating_sub(stale);
                // "Not found" follows only a read that bypasses the cache.
                if self.world.history[index].deleted {
                    index = last;
                }
                self.position = index + 1;
                self.hand_on(index, Continuity::Gap)?;
            }
            Action::Duplicate | Action::Replay(_) if self.connected && self.position > 0 => {
                let count = if let Action::Replay(count) = action { count } else { 1 };
                for index in self.position.saturating_sub(count)..self.position {
                    self.hand_on(index, Continuity::Continuous)?;
                }
            }
            _ => {}
        }
        self.flush()
    }
}

fn describe(at: &Snapshot, continuity: Continuity, verdict: &Verdict) -> String {
    let conditions: Vec<String> = at
        .status
        .conditions
        .iter()
        .map(|c| {
            let result = c.result.as_ref().map_or(String::new(), |result| format!(" {}", result["completion"]));
            format!("{}={}/{}{result}", c.kind, c.status, c.reason)
        })
        .collect();
    let verdict = match verdict {
        Verdict::Pending(awaiting) => format!("pending {awaiting:?}"),
        Verdict::Succeeded(_) => "SUCCEEDED".to_owned(),
        Verdict::Failed(report) => format!("FAILED {report:?}"),
        Verdict::Overtaken(_) => "OVERTAKEN".to_owned(),
        Verdict::Gone => "GONE".to_owned(),
    };
    format!(
        "{continuity:?} rv {} gen {} uid {}{} {:?} {:?} [{}] -> {verdict}",
        at.version,
        at.generation,
        at.uid,
        if at.deleted { " deleted" } else { "" },
        at.spec,
        at.status.mas_active,
        conditions.join(", ")
    )
}

/// Plays a schedule to its end.
pub(crate) fn play(schedule: &Schedule) -> Result<Played, Wrong> {
    let Some(mut player) = Player::begin(schedule) else {
        // An absent object is not followed, except by the writer, who follows it from the start.
        return play(&Schedule { known: Known::Answer, ..schedule.clone() });
    };
    let skipped = if let Known::Present(count) = schedule.known { count } else { 0 };
    player.flush()?;
    for (pause, action) in schedule.after.iter().skip(skipped) {
        player.world.pass(*pause);
        action.apply(&mut player.world);
        player.watch(*action)?;
    }
    let last = player.newest.map(|index| &player.world.history[index]);
    player.played.unproven = player.played.ours == Said::Nothing
        && last.is_some_and(|at| player.truth.shows_all(at) && player.truth.has_succeeded(&player.world, at));
    Ok(player.played)
}
