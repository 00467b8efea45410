//! The background task that watches one object over consecutive connections.

use std::mem::{Discriminant, discriminant};
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use futures::StreamExt as _;
use kube::core::{ObjectList, WatchEvent};
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::following::Following;
use crate::cluster::client::connect::{Cluster, Limits};
use crate::cluster::client::transport::{Outgoing, Reply};
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::read::with_kind;
use crate::cluster::resource::{Action, Target, address, query};
use crate::verdict::Continuity;

/// By this much longer than was waited for, something was suspended.
const SUSPENDED: Duration = Duration::from_secs(20);
/// The requested duration of a watch. Below five minutes, the limit of many load balancers.
const SERVER_LIMIT: Duration = Duration::from_secs(290);
/// The shortest time between reports of different kinds of trouble.
const RETELL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub enum WatchItem {
    /// The current object. A new `metadata.uid` means that it was deleted and created again.
    Seen {
        object: Value,
        /// Whether events before it may have been missed.
        continuity: Continuity,
    },
    /// The object was deleted; its last state, if known. The watch continues, because it may be created again.
    Deleted(Option<Value>),
    /// The watch is interrupted and retries without end. Reported once for each kind of trouble.
    Trouble(ClusterError),
    /// The reported trouble is over.
    Recovered,
}

/// Time limits and pauses of a watch; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    pub answer: Duration,
    /// A connection without data for this long is closed. The server sends a bookmark about every minute; one without
    /// bookmarks costs 20 requests in half an hour.
    pub silence: Duration,
    /// The interval in which the clock is read to detect a suspend.
    pub tick: Duration,
    /// A connection of this age counts as healthy even without events.
    pub settled: Duration,
    /// The pause after the first failure; doubled after each further one.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// The longest `Retry-After` that is respected.
    pub longest_retry_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(90),
            tick: Duration::from_secs(5),
            settled: Duration::from_secs(2),
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

/// A watch of one object; its [`Following::next`] is `None` only when the runtime shuts down.
pub type Watch = Following<WatchItem>;

impl Cluster {
    /// Watches an ElementDeployment for changes after `seen`: the object as last read, or as a write returned it.
    pub fn follow(&self, target: &Target, seen: &Value) -> Watch {
        self.follow_with(target, seen, Timing::default())
    }

    pub fn follow_with(&self, target: &Target, seen: &Value, timing: Timing) -> Watch {
        let (cluster, target, known) = (self.clone(), target.clone(), identity(seen));
        Following::begin(16, |items| {
            let version = known.as_ref().map(|(_, version)| version.clone()).unwrap_or_default();
            let (untried, failures, told) = (false, 0, None);
            Follower { cluster, target, timing, items, version, untried, known, failures, told }.run()
        })
    }
}

struct Follower {
    cluster: Cluster,
    target: Target,
    timing: Timing,
    items: Sender<WatchItem>,
    /// The last received version; empty if unknown.
    version: String,
    /// Whether the version is from a read and no watch from it has worked yet.
    untried: bool,
    /// uid and version of the object as last reported; `None` if it is deleted.
    known: Option<(String, String)>,
    failures: u32,
    /// The kind and time of the last reported trouble.
    told: Option<(Discriminant<ErrorKind>, Instant)>,
}

impl Follower {
    async fn run(mut self) {
        loop {
            let ended = if self.version.is_empty() { self.read_again().await } else { self.connection().await };
            // A regular end of the connection: resume at once.
            let Err(error) = ended else { continue };
            if error.is_expired_version() {
                self.version.clear();
                // If even the version of the last read has expired, a pause prevents a busy loop.
                if !self.untried {
                    continue;
                }
            }
            let pause = self.failed(error).await;
            sleep(pause).await;
        }
    }

    /// One watch connection from the last version. An event that is incomplete at its end comes again with the next one.
    async fn connection(&mut self) -> Result<(), ClusterError> {
        let limit = SERVER_LIMIT.as_secs().to_string();
        let selector = format!("metadata.name={}", self.target.name);
        let outgoing = self.outgoing(
            "watch",
            &[
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("fieldSelector", &selector),
                ("resourceVersion", &self.version),
                ("timeoutSeconds", &limit),
            ],
        );
        let mut events = pin!(self.cluster.events(&outgoing, self.timing.answer).await?);
        let began = Instant::now();
        let mut last_event = began;
        let mut healthy = false;
        loop {
            let before = SystemTime::now();
            let wait = if healthy { self.timing.tick } else { self.timing.tick.min(self.timing.settled) };
            let event = timeout(wait, events.next()).await;
            if !healthy && began.elapsed() >= self.timing.settled {
                healthy = true;
                self.recovered().await;
            }
            match event {
                // After a suspend of the machine or the process the connection may be dead without notice.
                Err(_) if before.elapsed().unwrap_or_default() > wait + SUSPENDED => return Ok(()),
                Err(_) if last_event.elapsed() >= self.timing.silence => return Ok(()),
                Err(_) => {}
                Ok(Some(Ok(event))) => {
                    last_event = Instant::now();
                    healthy |= self.event(event).await;
                }
                // A healthy connection is resumed at once; one that ends immediately needs a pause.
                Ok(None) if healthy => return Ok(()),
                Ok(None) => {
                    let lost = ErrorKind::ConnectionLost("it ended immediately".to_owned());
                    return Err(self.cluster.error(ClusterError::new(lost), &outgoing));
                }
                Ok(Some(Err(error))) if healthy && matches!(error.kind(), ErrorKind::ConnectionLost { .. }) => {
                    return Ok(());
                }
                Ok(Some(Err(error))) => return Err(error),
            }
        }
    }

    /// Returns whether the event is about the object.
    async fn event(&mut self, event: WatchEvent<Value>) -> bool {
        let (object, deleted) = match event {
            WatchEvent::Bookmark(bookmark) => {
                self.version = bookmark.metadata.resource_version;
                return false;
            }
            WatchEvent::Error(_) => return false,
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
        };
        let Some((uid, version)) = identity(&object) else { return false };
        self.version.clone_from(&version);
        // Protects from a server that ignores the field selector.
        if object["metadata"]["name"] != *self.target.name {
            return false;
        }
        self.recovered().await;
        if deleted {
            if self.known.take().is_some() {
                self.send(WatchItem::Deleted(Some(object))).await;
            }
            return true;
        }
        let seen = Some((uid, version));
        if self.known == seen {
            return false;
        }
        self.known = seen;
        self.send(WatchItem::Seen { object, continuity: Continuity::Continuous }).await;
        true
    }

    /// Reads the object and a version to resume from.
    async fn read_again(&mut self) -> Result<(), ClusterError> {
        let selector = format!("metadata.name={}", self.target.name);
        let outgoing = self.outgoing("list", &[("fieldSelector", &selector)]);
        let read = |reply: &Reply| serde_json::from_slice::<ObjectList<Value>>(&reply.body);
        let list = self.cluster.exchange(&outgoing, Limits::default(), read).await?;
        let version = list.metadata.resource_version.filter(|version| !version.is_empty()).ok_or_else(|| {
            let error = ClusterError::new(ErrorKind::Unreadable("the list has no version".to_owned()));
            self.cluster.error(error, &outgoing)
        })?;
        let object = list.items.into_iter().find(|item| item["metadata"]["name"] == *self.target.name);
        let now = object.as_ref().and_then(identity);
        // Every change has a new version, so an unchanged one proves that no event was missed.
        if now != self.known {
            self.known = now;
            let object = object.map(|object| with_kind(object, &self.target.api_version.resource()));
            let seen = object.map(|object| WatchItem::Seen { object, continuity: Continuity::Gap });
            self.send(seen.unwrap_or(WatchItem::Deleted(None))).await;
        }
        self.version = version;
        self.untried = true;
        Ok(())
    }

    fn outgoing(&self, verb: &'static str, pairs: &[(&str, &str)]) -> Outgoing {
        let Target { api_version, namespace, name } = &self.target;
        let action = Action::new(verb, &api_version.resource(), Some(namespace), Some(name));
        Outgoing::get(address(&action.resource, Some(namespace), None) + &query(pairs), action)
    }

    /// Counts a failure, reports lasting trouble, and returns the pause.
    async fn failed(&mut self, error: ClusterError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let pause = self.timing.pause_after(self.failures, error.retry_after());
        tracing::debug!(%error, failures = self.failures, ?pause, "the watch was interrupted");
        let kind = discriminant(error.kind());
        // A single failure is not reported; alternating kinds are reported at intervals.
        let news = match self.told {
            None => self.failures >= 2,
            Some((told, at)) => told != kind && at.elapsed() >= RETELL,
        };
        if news {
            self.told = Some((kind, Instant::now()));
            self.send(WatchItem::Trouble(error)).await;
        }
        pause
    }

    async fn recovered(&mut self) {
        self.failures = 0;
        self.untried = false;
        if self.told.take().is_some() {
            self.send(WatchItem::Recovered).await;
        }
    }

    /// Ignores a closed channel: the task has been ended then.
    async fn send(&self, item: WatchItem) {
        let _ = self.items.send(item).await;
    }
}

/// uid and version.
fn identity(object: &Value) -> Option<(String, String)> {
    let text = |key: &str| object["metadata"][key].as_str().map(str::to_owned);
    Some((text("uid").unwrap_or_default(), text("resourceVersion").filter(|version| !version.is_empty())?))
}

#[cfg(test)]
mod tests;
