//! A deadline that tolerates system suspend.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

/// How late the end of the time-out may be noticed. Later than that, the program or the machine was stopped, and what
/// happened meanwhile has not been looked at.
const LATE: Duration = Duration::from_secs(2);
/// The time to look at it then, and for the connections to come back.
const LAST_LOOK: Duration = Duration::from_secs(20);

/// How long to wait. Runs on monotonic time, from the command's start.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    /// The same by the clock, for a person.
    pub ends_at: Timestamp,
    /// `--timeout 0`: look once.
    pub once: bool,
}

impl Deadline {
    pub fn new(now: Timestamp, timeout: Duration) -> Self {
        let span = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::from_hours(24 * 365));
        Self {
            at: Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + Duration::from_hours(8760)),
            ends_at: now.checked_add(span).unwrap_or(Timestamp::MAX),
            once: timeout.is_zero(),
        }
    }

    pub fn end(&self) -> End {
        End { at: self.at, looked_again: false }
    }
}

/// The end of the time-out, put off once where nobody could look in time.
#[derive(Debug)]
pub struct End {
    at: Instant,
    looked_again: bool,
}

impl End {
    pub async fn over(&self) {
        sleep_until(self.at).await;
    }

    /// Whether what happened meanwhile has to be looked at before the time counts as up: the program or the machine was
    /// stopped. There is a little time for that then, once. What was followed before has to be followed anew: from the last
    /// version on, so nothing is lost; the old connection may be dead without a sign.
    pub fn last_look(&mut self) -> bool {
        let missed = !self.looked_again && self.at.elapsed() > LATE;
        if missed {
            *self = Self { at: Instant::now() + LAST_LOOK, looked_again: true };
        }
        missed
    }
}
