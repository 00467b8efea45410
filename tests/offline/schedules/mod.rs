//! Tests the tracker with generated histories: every verdict must be true, and there must be one when it is due.
//!
//! A schedule is a list of actions from a seed: of the operator (starts, successes, failures, polls, errors, crashes, restarts, and
//! playbooks that survive their operator, as after a change of the leader), of other clients (settings, changes of `active`,
//! annotations, deletion), and of the watch (lost connections, late or stale reads, duplicates, replays). The model writes the status
//! exactly as the recorded operator; a test in `status` replays every recording. The watch passes whole objects, so parsing is tested
//! too.
//!
//! # What is true
//! A reconcile (run) *counts* if it started after the write, on the written object, with a spec that contains the write. (For an
//! activation by another client: any reconcile with `active: true`.)
//!
//! - *Succeeded* is true if a run that counts has succeeded; for an activation also if `mas_active` is true from a run with
//!   `active: true`. The object must show it: it still contains the write, `Successful` is True, there is no failure, and `Available`
//!   is absent or True.
//! - *Failed* is true if a run that counts has failed, with that message and that completion.
//! - *Overtaken* is true if the newest passed object does not contain the write.
//! - *Gone* is true if it was deleted or has another uid.
//! - No verdict may be based on an event that is older than an earlier one.
//!
//! # When a verdict is due
//! With the event itself, whenever:
//!
//! - the newest passed object is another one, deleted, or does not contain the write; or
//! - it shows a failure with a completion, or everything that success requires, and
//!   - the watch passed every event from before the start of that run's period of `Running` to its end, or
//!   - a read after a gap found that period in progress where none was before, or with a failure that was not there before, with the
//!     same spec, and the watch passed every event from there to its end, or
//!   - a read after a gap finds a new failure after a success, with the same spec, or
//!   - no run was in progress at the write, the spec has not changed since, and the end is that of a later run; or
//! - it shows everything that an activation requires, `mas_active` was not true at the write, the spec has not changed since, and the
//!   caller knows that no run in progress at the write had `active: true`.
//!
//! Not due, because the object does not show it: the end of a run that started without an event (after a poll or a crash) while one
//! was in progress at the write. The next run decides.
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

/// The number of schedules of a whole sweep.
const SCHEDULES: usize = 20_000;

/// Plays the schedules of these seeds; stops at the first wrong verdict, with the details.
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
fn every_verdict_is_true_and_given_when_it_is_due() {
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
