//! Reads are repeated a little, so that a blip does not end a command; a server that is gone is told within ten seconds.

use std::time::Duration;

use tokio::time::Instant;

use super::connect::Cluster;
use super::transport::{Answer, Outgoing};
use crate::cluster::errors::{ClusterError, ErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub tries: u32,
    /// Time in all; no try is begun after it.
    pub total: Duration,
    /// The longest wish of the server for a pause that is granted.
    pub longest_pause: Duration,
}

impl Backoff {
    /// For what a person waits for.
    pub const READ: Self = Self { tries: 4, total: Duration::from_secs(10), longest_pause: Duration::from_secs(4) };

    /// The pause before try number `next` (2 is the first repetition), or `None` when it is time to give up.
    pub fn pause(&self, next: u32, elapsed: Duration, wish: Option<Duration>) -> Option<Duration> {
        if next > self.tries {
            return None;
        }
        let own = Duration::from_millis(200) * 3_u32.pow(next.saturating_sub(2).min(4));
        let pause = wish.map_or(own, |wish| wish.min(self.longest_pause).max(own.min(Duration::from_millis(200))));
        (elapsed + pause < self.total).then_some(pause)
    }
}

impl Cluster {
    /// Sends a request that changes nothing, again where that may help, and reads the answer. One that cannot be read (cut on its
    /// way) counts like one that did not come.
    pub async fn ask_for<T>(
        &self,
        outgoing: &Outgoing,
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<(Answer, T), ClusterError> {
        let mut backoff = Backoff::READ;
        // Somebody who allows a request two seconds does not want to wait for ten.
        backoff.total = self.inner.limits.total.unwrap_or(backoff.total).min(backoff.total);
        let mut since = Instant::now();
        let mut next = 2;
        let mut telling: Option<ClusterError> = None;
        loop {
            let began = Instant::now();
            // A repetition must not outlive the time for all tries: what is left of it bounds the wait for the answer.
            let left = backoff.total.saturating_sub(since.elapsed()).max(Duration::from_secs(1));
            let mut limits = self.inner.limits;
            limits.read_answer = limits.read_answer.map(|own| own.min(left));
            let error = match self.exchange(outgoing, limits).await {
                Ok(answer) => match read(&answer.body) {
                    Ok(value) => return Ok((answer, value)),
                    Err(error) => self.unreadable(outgoing, &error),
                },
                Err(error) => error,
            };
            // A try that took far longer than it may have was slept through (a closed laptop, SIGSTOP): begin afresh.
            if began.elapsed() > backoff.total + Duration::from_secs(5)
                && self.inner.limits.total.is_none()
                && self.inner.limits.read_answer.is_some()
            {
                since = Instant::now();
            }
            if !error.is_transient() {
                return Err(error);
            }
            let Some(pause) = backoff.pause(next, since.elapsed(), error.retry_after()) else {
                // The last try has only what is left of the time; that it ran out tells less than what came before.
                let ran_out = matches!(error.kind(), ErrorKind::Timeout { .. });
                return Err(telling.filter(|_| ran_out).unwrap_or(error));
            };
            tracing::debug!(%error, ?pause, "asking again");
            tokio::time::sleep(pause).await;
            next += 1;
            telling = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let backoff = Backoff::READ;
        let pauses: Vec<Option<Duration>> = (2..=5).map(|next| backoff.pause(next, Duration::ZERO, None)).collect();
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(pauses, [millis(200), millis(600), millis(1800), None]);
    }

    #[test]
    fn the_servers_wish_is_granted_up_to_a_limit_and_within_the_time() {
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!(Backoff::READ.pause(2, seconds(0), Some(seconds(2))), Some(seconds(2)));
        assert_eq!(Backoff::READ.pause(2, seconds(0), Some(seconds(600))), Some(seconds(4)));
        assert_eq!(Backoff::READ.pause(2, seconds(9), Some(seconds(2))), None);
        // "Retry at once" still leaves the server a breath.
        assert_eq!(Backoff::READ.pause(2, seconds(0), Some(seconds(0))), Some(Duration::from_millis(200)));
    }
}
