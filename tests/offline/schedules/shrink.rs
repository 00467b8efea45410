//! Reduces a failing schedule to the relevant actions.

#[cfg(test)]
use super::schedule::Action;
use super::schedule::{Known, Schedule};

/// Smaller schedules, the largest cut first.
fn smaller(schedule: &Schedule) -> Vec<Schedule> {
    let mut all = Vec::new();
    for (in_after, len) in [(true, schedule.after.len()), (false, schedule.before.len())] {
        let mut size = len;
        while size > 0 {
            for start in (0..len).step_by(size) {
                let mut cut = schedule.clone();
                let list = if in_after { &mut cut.after } else { &mut cut.before };
                list.drain(start..(start + size).min(len));
                all.push(cut);
            }
            size /= 2;
        }
    }
    let plainer: [fn(&mut Schedule); 5] = [
        |s| s.noise = 0,
        |s| s.known = Known::Answer,
        |s| s.inactive_said = false,
        |s| s.annotates = false,
        |s| s.connected = true,
    ];
    for change in plainer {
        let mut cut = schedule.clone();
        change(&mut cut);
        if cut != *schedule {
            all.push(cut);
        }
    }
    all
}

/// The smallest schedule that `goes_wrong` still reports, and its report.
pub(crate) fn shrink<W>(schedule: Schedule, wrong: W, goes_wrong: impl Fn(&Schedule) -> Option<W>) -> (Schedule, W) {
    let mut least = (schedule, wrong);
    while let Some(less) = smaller(&least.0).into_iter().find_map(|s| goes_wrong(&s).map(|wrong| (s, wrong))) {
        least = less;
    }
    least
}

#[test]
fn a_schedule_is_reduced_to_the_relevant_actions() {
    let matters = |s: &Schedule| {
        let kills = |list: &[(u64, Action)]| list.iter().filter(|(_, action)| *action == Action::Kill).count();
        (kills(&s.before) + kills(&s.after) >= 2).then_some("killed twice")
    };
    let schedule = (0..1_000).map(Schedule::generate).find(|s| s.after.len() > 10 && matters(s).is_some()).unwrap();
    let (least, why) = shrink(schedule, "killed twice", matters);
    assert_eq!((least.before.len() + least.after.len(), why), (2, "killed twice"));
}
