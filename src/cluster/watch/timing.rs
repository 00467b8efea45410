//! How long to wait, and whether the machine slept. Pure.

use std::time::{Duration, Instant, SystemTime};

/// The clockwork of a watch; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// What the server is asked to end the watch after. Below five minutes, where many load balancers cut.
    pub server_limit: Duration,
    pub answer: Duration,
    /// A connection without a byte for this long is given up. The server sends a bookmark about every minute, so a live
    /// one is not silent for longer; a server without bookmarks costs 20 requests in half an hour.
    pub silence: Duration,
    /// How often the clocks are compared, to notice that the machine slept.
    pub tick: Duration,
    /// A connection that lived this long counts as healthy although nothing came.
    pub settled: Duration,
    /// Trouble that turns into another kind of trouble is told again after this long at the earliest.
    pub retell: Duration,
    /// The pause after the first failure; doubled after each further one.
    pub first_pause: Duration,
    /// The longest of our own: somebody is waiting for the verdict.
    pub longest_pause: Duration,
    /// The longest wish of the server that is granted.
    pub longest_wish: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            server_limit: Duration::from_secs(290),
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(90),
            tick: Duration::from_secs(5),
            settled: Duration::from_secs(2),
            retell: Duration::from_secs(10),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            longest_wish: Duration::from_secs(15),
        }
    }
}

impl Timing {
    /// The pause after this many failures in a row (at least 1).
    pub fn pause_after(&self, failures: u32, wish: Option<Duration>) -> Duration {
        let own = (self.first_pause * 2_u32.pow(failures.saturating_sub(1).min(16))).min(self.longest_pause);
        wish.map_or(own, |wish| wish.min(self.longest_wish).max(own))
    }
}

/// Two clocks, one of which stands still while the machine sleeps. (A stopped process sees both jump.)
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    monotonic: Instant,
    wall: SystemTime,
}

impl Clocks {
    pub fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    /// True when far more time has gone by between the two readings than was waited for: whatever connection there was
    /// may be dead without anybody having said so.
    pub fn jumped(&self, later: &Self, waited: Duration) -> bool {
        const MUCH: Duration = Duration::from_secs(20);
        let monotonic = later.monotonic.saturating_duration_since(self.monotonic);
        // A wall clock set back is no sleep.
        let wall = later.wall.duration_since(self.wall).unwrap_or_default();
        monotonic.max(wall) > waited + MUCH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_seconds() {
        let pauses = Timing::default();
        let millis: Vec<u128> = (1..=8).map(|failures| pauses.pause_after(failures, None).as_millis()).collect();
        assert_eq!(millis, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        assert_eq!(pauses.pause_after(4_000_000_000, None), Duration::from_secs(5));
    }

    #[test]
    fn the_servers_wish_lengthens_a_pause_but_not_beyond_reason() {
        let pauses = Timing::default();
        assert_eq!(pauses.pause_after(1, Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(pauses.pause_after(1, Some(Duration::from_hours(1))), Duration::from_secs(15));
        assert_eq!(pauses.pause_after(6, Some(Duration::ZERO)), Duration::from_secs(5));
    }

    #[test]
    fn a_closed_laptop_and_a_stopped_process_are_noticed() {
        let before = Clocks::now();
        let tick = Duration::from_secs(5);
        let ten_minutes = Duration::from_mins(10);
        let later =
            |monotonic, wall: Duration| Clocks { monotonic: before.monotonic + monotonic, wall: before.wall + wall };
        assert!(before.jumped(&later(tick, ten_minutes), tick));
        assert!(before.jumped(&later(ten_minutes, ten_minutes), tick));
        assert!(!before.jumped(&later(tick, tick), tick));
        assert!(!before.jumped(&Clocks { monotonic: before.monotonic + tick, wall: before.wall - ten_minutes }, tick));
    }
}
