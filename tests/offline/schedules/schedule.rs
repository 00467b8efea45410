//! A schedule as a list of actions, so that a failing one can be reduced to the relevant actions.

use std::fmt;

use ess_mas_sandbox::random::Rng;

use super::world::{Mas, Spec, World};

/// The intended write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    DryRun,
    Active(bool),
    Removed,
}

/// What the program knows about its own write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The API server's response: everything.
    Answer,
    /// The response was lost: only the object before the write.
    Lost,
    /// Nothing; the object is first read after this number of the later actions.
    Present(usize),
}

/// One action. An action that is impossible in the current state is skipped, so every list is a valid schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The operator starts a reconcile: after a change, as a retry, or after a poll.
    Start,
    /// The playbook writes `mas_active`, possibly as text, and `false` possibly by omission.
    ReportMas {
        as_text: bool,
        absent_if_not: bool,
    },
    /// The same by a reconcile that its operator has lost.
    ReportOrphan {
        as_text: bool,
    },
    EndWell,
    Fail(&'static str),
    /// `requeue_after`, or the write of the end failed.
    EndUnreported,
    Hiccup(&'static str),
    Kill,
    Revive {
        hiccup: bool,
    },
    /// Another client changes a setting that is unrelated to MAS.
    WriteUnrelated(u8),
    WriteSettings(u8),
    WriteActive(Option<bool>),
    RemoveMas,
    Annotate,
    /// A patch without effect.
    PatchNothing,
    Available(Option<&'static str>),
    Delete,
    Recreate,
    /// The watch is interrupted.
    Cut,
    /// The watch resumes, first with the object as it was this number of changes ago (a stale cache).
    Reconnect {
        stale: usize,
    },
    Duplicate,
    /// Repeats the last events, the oldest first.
    Replay(usize),
}

/// The parameters of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) goal: Goal,
    pub(crate) spec: Spec,
    /// Variation in the API server's data.
    pub(crate) noise: usize,
    pub(crate) before: Vec<(u64, Action)>,
    /// The write also changes an annotation, so that it is an event even if the spec already contained it.
    pub(crate) annotates: bool,
    pub(crate) known: Known,
    /// The caller states, if it is true, that no reconcile in progress at the write has `active: true`.
    pub(crate) inactive_said: bool,
    /// The watch exists from the write on.
    pub(crate) connected: bool,
    pub(crate) after: Vec<(u64, Action)>,
}

impl Action {
    /// Applies the action if it is possible now. The player handles actions of the watch.
    pub(crate) fn apply(self, world: &mut World) {
        let spec = world.now.spec;
        let with_mas = |change: &dyn Fn(&mut Mas)| {
            let mut mas = spec.mas.unwrap_or(Mas { active: None, settings: 0 });
            change(&mut mas);
            Spec { mas: Some(mas), ..spec }
        };
        match self {
            Self::Start => world.start(),
            Self::ReportMas { as_text, absent_if_not } => world.report_mas(as_text, absent_if_not),
            Self::ReportOrphan { as_text } => world.report_orphan(as_text),
            Self::EndWell => world.end_well(),
            Self::Fail(message) => world.fail(message),
            Self::EndUnreported => world.lose_run(),
            Self::Hiccup(message) => world.hiccup(message),
            Self::Kill => world.kill(),
            Self::Revive { hiccup } => world.revive(hiccup),
            Self::WriteUnrelated(unrelated) => world.write_spec(Spec { unrelated, ..spec }),
            Self::WriteSettings(settings) => world.write_spec(with_mas(&|mas| mas.settings = settings)),
            Self::WriteActive(active) => world.write_spec(with_mas(&|mas| mas.active = active)),
            Self::RemoveMas => world.write_spec(Spec { mas: None, ..spec }),
            Self::Annotate => world.annotate(),
            Self::PatchNothing => world.write_spec(spec),
            Self::Available(status) => world.set_available(status),
            Self::Delete => world.delete(),
            Self::Recreate => world.recreate(),
            Self::Cut | Self::Reconnect { .. } | Self::Duplicate | Self::Replay(_) => {}
        }
    }
}

impl Goal {
    /// The spec with the intended write.
    pub(crate) fn write(self, spec: Spec) -> Spec {
        let active = |active| Spec {
            mas: Some(Mas { active: Some(active), settings: spec.mas.map_or(1, |m| m.settings) }),
            ..spec
        };
        match self {
            Self::DryRun => active(false),
            Self::Active(value) => active(value),
            Self::Removed => Spec { mas: None, ..spec },
        }
    }
}

const MESSAGES: [&str; 3] =
    ["unknown playbook failure", "syn2mas check failed: an OIDC provider is missing", "two\nlines"];
const HICCUPS: [&str; 2] = ["Failed to get ansible-runner stdout", "Unable to run reconciliation"];
/// Pauses: none, the operator's reaction, a reconcile, a poll, and the longest back-off.
const PAUSES: [u64; 6] = [0, 16, 300, 2_700, 60_000, 1_020_000];

/// In a calm schedule, other clients don't change the object; in a wild one, they may.
fn action(rng: &mut Rng, calm: bool, watch: usize) -> Action {
    let others = usize::from(!calm);
    let roll = rng.weighted(&[
        (30, 0),
        (8, 1),
        (14, 2),
        (9, 3),
        (3, 4),
        (2, 5),
        (2, 6),
        (4, 7),
        (others, 8),
        (others, 9),
        (3 * others, 10),
        (others, 11),
        (3, 12),
        (1, 13),
        (2, 14),
        (watch, 15),
        (3 * watch, 16),
        (watch, 17),
        (watch, 18),
        (others, 19),
        (4, 20),
    ]);
    match roll {
        0 => Action::Start,
        1 => Action::ReportMas { as_text: rng.chance(30), absent_if_not: rng.chance(30) },
        2 => Action::EndWell,
        3 => Action::Fail(rng.pick(&MESSAGES)),
        4 => Action::EndUnreported,
        5 => Action::Hiccup(rng.pick(&HICCUPS)),
        6 => Action::Kill,
        7 => Action::Revive { hiccup: rng.chance(50) },
        8 => Action::WriteUnrelated(rng.pick(&[0, 1])),
        9 => Action::WriteSettings(rng.pick(&[0, 1])),
        10 => Action::WriteActive(rng.pick(&[Some(true), Some(false), Some(true), Some(false), None])),
        11 => Action::RemoveMas,
        12 => Action::Annotate,
        13 => Action::PatchNothing,
        14 => Action::Available(rng.pick(&[Some("True"), Some("True"), Some("False"), Some("Unknown"), None])),
        15 => Action::Cut,
        16 => Action::Reconnect { stale: rng.weighted(&[(8, 0), (1, 1), (1, 4)]) },
        17 => Action::Duplicate,
        18 => Action::Replay(1 + rng.below(6)),
        20 => Action::ReportOrphan { as_text: rng.chance(30) },
        _ if rng.chance(60) => Action::Delete,
        _ => Action::Recreate,
    }
}

/// Another client reverts the write and repeats it, while the operator reconciles in between. Random schedules rarely
/// do this, and it misleads rules that miss the events in between.
fn there_and_back(rng: &mut Rng, goal: Goal, hidden: bool) -> Vec<Action> {
    let (away, back) = match goal {
        Goal::DryRun if rng.chance(50) => (Action::WriteSettings(0), Action::WriteSettings(1)),
        Goal::DryRun => (Action::WriteActive(Some(true)), Action::WriteActive(Some(false))),
        Goal::Active(active) => (Action::WriteActive(Some(!active)), Action::WriteActive(Some(active))),
        Goal::Removed => (Action::WriteActive(Some(true)), Action::RemoveMas),
    };
    let for_good = rng.chance(20);
    let mut all = Vec::new();
    if hidden {
        all.push(Action::Cut);
    }
    let mut work = |all: &mut Vec<Action>, most: usize| {
        if rng.chance(30) {
            // A complete reconcile.
            let report = Action::ReportMas { as_text: false, absent_if_not: false };
            all.extend([Action::Revive { hiccup: false }, Action::Start, report, Action::EndWell]);
        }
        (0..rng.below(most + 1)).for_each(|_| all.push(action(rng, true, 0)));
    };
    work(&mut all, 2);
    all.push(away);
    work(&mut all, 3);
    // Or no repetition.
    if !for_good {
        all.push(back);
        work(&mut all, 1);
    }
    if hidden {
        all.push(Action::Reconnect { stale: 0 });
    }
    all
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} on {:?}, noise {}", self.goal, self.spec, self.noise)?;
        self.before.iter().try_for_each(|(pause, action)| writeln!(f, "  {pause} ms, {action:?}"))?;
        writeln!(
            f,
            "the write; annotates: {}, known: {:?}, inactive said: {}, connected: {}",
            self.annotates, self.known, self.inactive_said, self.connected
        )?;
        self.after.iter().try_for_each(|(pause, action)| writeln!(f, "  {pause} ms, {action:?}"))
    }
}

impl Schedule {
    /// A schedule without other clients, lost events or lost responses.
    pub(crate) fn is_ordinary(&self) -> bool {
        let disturbs = |action: Action| {
            matches!(
                action,
                Action::WriteUnrelated(_)
                    | Action::WriteSettings(_)
                    | Action::WriteActive(_)
                    | Action::RemoveMas
                    | Action::Delete
                    | Action::Cut
            )
        };
        self.connected && self.known == Known::Answer && !self.after.iter().any(|(_, action)| disturbs(*action))
    }

    /// Generates the schedule of a seed.
    pub(crate) fn generate(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let goal =
            rng.pick(&[Goal::DryRun, Goal::Active(true), Goal::Active(true), Goal::Active(false), Goal::Removed]);
        // Most schedules start in the state that the guide requires for the step.
        let active = match goal {
            Goal::DryRun | Goal::Active(true) => Some(false),
            _ => rng.pick(&[Some(true), Some(false), None]),
        };
        let has_mas = goal != Goal::DryRun || rng.chance(30);
        let spec = Spec { mas: has_mas.then_some(Mas { active, settings: 1 }), unrelated: 0 };
        let calm = rng.chance(50);
        let watch = rng.pick(&[0, 0, 1, 3]);
        let some = |rng: &mut Rng, least: usize, spread: usize, watch: usize| -> Vec<(u64, Action)> {
            let count = least + rng.below(spread);
            (0..count).map(|_| (rng.pick(&PAUSES), action(rng, calm, watch))).collect()
        };
        let mut before = some(&mut rng, 0, 9, 0);
        if !calm && rng.chance(30) {
            // An earlier attempt and its rollback.
            let report = Action::ReportMas { as_text: false, absent_if_not: false };
            let earlier = [Action::WriteActive(Some(true)), Action::Start, report, Action::EndWell];
            before.extend(earlier.map(|action| (300, action)));
            before.push((300, Action::WriteActive(Some(false))));
        }
        if rng.chance(70) {
            // Healthy and idle, which the program requires before a write.
            let healthy =
                [Action::Revive { hiccup: false }, Action::Start, Action::Available(Some("True")), Action::EndWell];
            before.extend(healthy.map(|action| (2_700, action)));
        }
        if rng.chance(25) {
            before.push((16, Action::Start));
        }
        let mut after = some(&mut rng, 3, 16, watch);
        if !calm && rng.chance(50) {
            let hidden = rng.chance(70);
            let at = rng.below(after.len());
            let burst: Vec<_> =
                there_and_back(&mut rng, goal, hidden).into_iter().map(|action| (300, action)).collect();
            after.splice(at..at, burst);
        }
        if rng.chance(60) {
            // In the end, no client writes any more, and the operator finishes its reconciles.
            let settled = [
                Action::Revive { hiccup: false },
                Action::EndWell,
                Action::Reconnect { stale: 0 },
                Action::Start,
                Action::ReportMas { as_text: false, absent_if_not: false },
                Action::Available(Some("True")),
                Action::EndWell,
            ];
            after.extend(settled.map(|action| (300, action)));
        }
        Self {
            goal,
            spec,
            noise: rng.below(16),
            before,
            annotates: rng.chance(50),
            known: rng.weighted(&[(7, Known::Answer), (2, Known::Lost), (1, Known::Present(rng.clone().below(5)))]),
            inactive_said: rng.chance(50),
            connected: rng.chance(75),
            after,
        }
    }
}
