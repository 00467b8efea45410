//! The tracker against generated operator schedules: never a verdict that is not true, and always one when it is due.
//!
//! A schedule is a list of actions from a seed: the operator's (starts, ends good and bad, polls, hiccups, deaths, returns,
//! and playbooks that go on after their operator's death, as when one leader follows another), other people's (settings,
//! `active` there and back, annotations, deletion), and the watch's (cuts, late or stale reads, duplicates, replays). The
//! model behind it writes status exactly as the recorded operator did; a test in `status` replays every recording. What
//! the watch hands on are whole objects, so parsing is tested too.
//!
//! # What is true
//! A run *counts* if it started after the write, on the very object that was written to, with a spec that carries
//! the write. (For an activation that somebody else made, and that was only found: any run on `active: true`.)
//!
//! - *Succeeded* is true if a run that counts ended well by then; for an activation also if `mas_active` is true from
//!   a run on `active: true`. The object must show it as well: it carries the write still, `Successful` True, no failure,
//!   `Available` absent or True.
//! - *Failed* is true if a run that counts failed by then, with that message and that completion.
//! - *Overtaken* is true if the newest object handed on does not carry the write.
//! - *Gone* is true if it was deleted or has another uid.
//! - No verdict may come from an event that is older than one handed on before.
//!
//! # When a verdict is due
//! At the event itself, not later, whenever:
//!
//! - the newest object handed on is another, deleted, or does not carry the write; or
//! - it shows a failure with a completion, or everything that success needs, and
//!   - the watch handed on every event from before the start of that run's stretch of `Running` to its end, or
//!   - a look after a gap found that stretch under way where nothing was before, or beside a failure that was not
//!     there before, with the same spec, and the watch handed on every event from there to its end, or
//!   - a look after a gap finds a failure that is new and that a good end came before, with the same spec, or
//!   - nothing was under way at the write, the spec has not changed since, and the end shown is that of a later run; or
//! - it shows everything that an activation needs, `mas_active` was not true at the write, the spec has not changed
//!   since, and the caller knows that no run under way at the write worked on `active: true`.
//!
//! Not due, because nothing in the object tells: the end of a run that started without an event (after a poll or a
//! silent death) while one was under way at the write. The next run settles it.
//!
//! `ESS_MAS_SEED` is the seed of the first schedule; `ESS_MAS_SWEEP=100` plays 20,000 of them.

mod naive;
mod numbers;
mod play;
mod schedule;
mod shrink;
mod status;
mod truth;
mod world;

use std::thread;

use ess_mas_sandbox::Sweep;

use numbers::Numbers;
use schedule::Schedule;

/// How many schedules a whole sweep plays.
const SCHEDULES: usize = 20_000;

/// Plays the schedules of these seeds; stops at the first one that goes wrong, with everything needed to mend it.
fn play_all(seeds: impl Iterator<Item = u64>) -> [Numbers; 2] {
    let mut numbers = [Numbers::default(); 2];
    for seed in seeds {
        let schedule = Schedule::generate(seed);
        match play::play(&schedule) {
            Ok(played) => numbers[usize::from(schedule.is_ordinary())].add(played),
            Err(wrong) => {
                let (schedule, wrong) = shrink::shrink(schedule, wrong, |schedule| play::play(schedule).err());
                panic!("seed {seed}: {}\n{schedule}{}", wrong.why, wrong.events.join("\n"));
            }
        }
    }
    numbers
}

#[test]
fn a_seed_gives_the_same_schedule_every_time() {
    let again = |seed| Schedule::generate(seed) == Schedule::generate(seed);
    assert!((0..100).all(again));
    assert!((1..100).all(|seed| Schedule::generate(seed) != Schedule::generate(seed - 1)));
}

#[test]
fn never_a_false_verdict_and_always_one_when_it_is_due() {
    let sweep = Sweep::from_environment();
    let (first, count) = (sweep.seed(), sweep.share_of(SCHEDULES) as u64);
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let parts: Vec<_> = (0..threads)
        .map(|part| thread::spawn(move || play_all((first..first + count).filter(move |seed| seed % threads == part))))
        .collect();
    let [mut all, mut ordinary] = [Numbers::default(); 2];
    for part in parts {
        let [disturbed, undisturbed] = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        all.merge(&disturbed);
        all.merge(&undisturbed);
        ordinary.merge(&undisturbed);
    }
    println!("{}\n", all.lines("generated schedules").join("\n"));
    println!("{}", ordinary.lines("of them in which nobody else writes and no event is lost").join("\n"));
    all.assert_worth_something();
}
