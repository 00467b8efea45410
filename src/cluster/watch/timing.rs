//! Time limits of a watch, and the detection of a system suspend. Pure.

use std::time::{Duration, Instant, SystemTime};

/// Time limits and pauses of a watch; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// The requested duration of a watch. Below five minutes, the limit of many load balancers.
    pub server_limit: Duration,
    pub answer: Duration,
    /// A connection without data for this long is closed. The server sends a bookmark about every minute; one without
    /// bookmarks costs 20 requests in half an hour.
    pub silence: Duration,
    /// The interval in which the clocks are compared to detect a suspend.
    pub tick: Duration,
    /// A connection of this age counts as healthy even without events.
    pub settled: Duration,
    /// The shortest time between reports of different kinds of trouble.
    pub retell: Duration,
    /// The pause after the first failure; doubled after each further one.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// The longest `Retry-After` that is respected.
    pub longest_retry_after: Duration,
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
            longest_retry_after: Duration::from_secs(15),
        }
    }
}

impl Timing {
    /// The pause after this many consecutive failures (at least 1).
    pub fn pause_after(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let own = (self.first_pause * 2_u32.pow(failures.saturating_sub(1).min(16))).min(self.longest_pause);
        retry_after.map_or(own, |after| after.min(self.longest_retry_after).max(own))
    }
}

/// Two clocks; the monotonic one stops during a suspend. (For a stopped process both jump.)
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    monotonic: Instant,
    wall: SystemTime,
}

impl Clocks {
    pub fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    /// Whether much more time has passed between the two readings than was waited for: connections may be dead without notice.
    pub fn jumped(&self, later: &Self, waited: Duration) -> bool {
        const MUCH: Duration = Duration::from_secs(20);
        let monotonic = later.monotonic.saturating_duration_since(self.monotonic);
        // A wall clock that was set back is no suspend.
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
    fn retry_after_lengthens_a_pause_up_to_a_limit() {
        let pauses = Timing::default();
        assert_eq!(pauses.pause_after(1, Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(pauses.pause_after(1, Some(Duration::from_hours(1))), Duration::from_secs(15));
        assert_eq!(pauses.pause_after(6, Some(Duration::ZERO)), Duration::from_secs(5));
    }

    #[test]
    fn a_suspended_machine_and_a_stopped_process_are_detected() {
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
