//! A deadline that tolerates system suspend.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

/// The largest delay after which the end of a time-out may be noticed. A longer one means that the program or the machine
/// was suspended, and that events in between have not been seen.
const LATE: Duration = Duration::from_secs(2);
/// The time to catch up after a suspend, and for connections to recover.
const CATCH_UP: Duration = Duration::from_secs(20);

/// The end of a time-out, in monotonic time from the start of the command. Extended once after a suspend.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    caught_up: bool,
    /// The same in wall-clock time, for display.
    pub ends_at: Timestamp,
    /// `--timeout 0`: check once.
    pub once: bool,
}

impl Deadline {
    pub fn new(now: Timestamp, timeout: Duration) -> Self {
        let span = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::from_hours(24 * 365));
        Self {
            at: Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + Duration::from_hours(8760)),
            caught_up: false,
            ends_at: now.checked_add(span).unwrap_or(Timestamp::MAX),
            once: timeout.is_zero(),
        }
    }

    pub async fn over(&self) {
        sleep_until(self.at).await;
    }

    /// Whether the program or the machine was suspended, so that the caller has to catch up before the time-out counts.
    /// Extends the time-out for that, once. The caller starts a new watch from the last resourceVersion, because the old
    /// connection may be dead without notice.
    pub fn catch_up(&mut self) -> bool {
        let missed = !self.caught_up && self.at.elapsed() > LATE;
        if missed {
            (self.at, self.caught_up) = (Instant::now() + CATCH_UP, true);
        }
        missed
    }
}
