//! Reads are repeated a little, so that a blip does not end a command; a server that is gone is told within ten seconds.

use std::time::Duration;

use tokio::time::Instant;

use super::connect::Cluster;
use super::transport::{Outgoing, Reply};
use crate::cluster::errors::{ClusterError, ErrorKind};

const TRIES: u32 = 4;
/// Time in all; no try is begun after it.
const TOTAL: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest wish of the server for a pause that is granted.
const LONGEST_WISH: Duration = Duration::from_secs(4);

/// The pause before try number `next` (2 is the first repetition), or `None` when it is time to give up.
fn pause(next: u32, elapsed: Duration, wish: Option<Duration>, total: Duration) -> Option<Duration> {
    let own = FIRST_PAUSE * 3_u32.pow(next - 2);
    let pause = wish.map_or(own, |wish| wish.clamp(FIRST_PAUSE, LONGEST_WISH));
    (next <= TRIES && elapsed + pause < total).then_some(pause)
}

impl Cluster {
    /// Sends a request that changes nothing, again where that may help, and reads the answer. One that cannot be read (cut on its
    /// way) counts like one that did not come.
    pub async fn ask_for<T>(
        &self,
        outgoing: &Outgoing,
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<(Reply, T), ClusterError> {
        let mut limits = self.inner.limits;
        // Somebody who allows a request two seconds does not want to wait for ten.
        let total = limits.total.map_or(TOTAL, |total| total.min(TOTAL));
        let mut since = Instant::now();
        let mut telling: Option<ClusterError> = None;
        for next in 2.. {
            let began = Instant::now();
            // A repetition must not outlive the time for all tries: what is left of it bounds the wait for the answer.
            let left = total.saturating_sub(since.elapsed()).max(Duration::from_secs(1));
            limits.read_answer = self.inner.limits.read_answer.map(|own| own.min(left));
            let error = match self.exchange(outgoing, limits).await {
                Ok(answer) => match read(&answer.body) {
                    Ok(value) => return Ok((answer, value)),
                    Err(error) => self.unreadable(outgoing, &error),
                },
                Err(error) => error,
            };
            // A try that took far longer than it may have was slept through (a closed laptop, SIGSTOP): begin afresh.
            if began.elapsed() > total + Duration::from_secs(5) && limits.read_answer.is_some() {
                since = Instant::now();
            }
            if !error.is_transient() {
                return Err(error);
            }
            let Some(pause) = pause(next, since.elapsed(), error.retry_after(), total) else {
                // The last try has only what is left of the time; that it ran out tells less than what came before.
                let ran_out = matches!(error.kind(), ErrorKind::Timeout { .. });
                return Err(telling.filter(|_| ran_out).unwrap_or(error));
            };
            tracing::debug!(%error, ?pause, "asking again");
            tokio::time::sleep(pause).await;
            telling = Some(error);
        }
        unreachable!("the tries are counted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<Option<Duration>> = (2..=5).map(|next| pause(next, Duration::ZERO, None, TOTAL)).collect();
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(pauses, [millis(200), millis(600), millis(1800), None]);
    }

    #[test]
    fn the_servers_wish_is_granted_up_to_a_limit_and_within_the_time() {
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!(pause(2, seconds(0), Some(seconds(2)), TOTAL), Some(seconds(2)));
        assert_eq!(pause(2, seconds(0), Some(seconds(600)), TOTAL), Some(seconds(4)));
        assert_eq!(pause(2, seconds(9), Some(seconds(2)), TOTAL), None);
        // "Retry at once" still leaves the server a breath.
        assert_eq!(pause(2, seconds(0), Some(seconds(0)), TOTAL), Some(Duration::from_millis(200)));
    }
}
