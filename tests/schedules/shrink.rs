//! Cuts a failing schedule down to the actions that matter.

use super::play::{Wrong, play};
use super::schedule::{Known, Schedule};

/// Smaller schedules, the boldest cut first.
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

/// The smallest schedule found in which the tracker is still wrong, and how.
pub(crate) fn shrink(mut schedule: Schedule, mut wrong: Wrong) -> (Schedule, Wrong) {
    while let Some((cut, still)) = smaller(&schedule).into_iter().find_map(|s| play(&s).err().map(|wrong| (s, wrong))) {
        (schedule, wrong) = (cut, still);
    }
    (schedule, wrong)
}
