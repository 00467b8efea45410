//! The task behind the watch of one object: one connection after the other, and what is remembered between them.

use std::mem::{Discriminant, discriminant};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kube::core::{ApiResource, ObjectList, WatchEvent};
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::following::Following;
use super::timing::{Clocks, Timing};
use crate::cluster::client::connect::{Cluster, Limits};
use crate::cluster::client::transport::Outgoing;
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::read::with_kind;
use crate::cluster::resource::{Action, Target, address, query};
use crate::verdict::Continuity;

#[derive(Debug)]
pub enum WatchItem {
    /// The object as it is now. Another `metadata.uid` than before: it was deleted and made anew.
    Seen {
        object: Value,
        /// Whether anything may have been missed before it.
        continuity: Continuity,
    },
    /// The object is gone; its last state, where it was seen. The watch goes on: another one may be made under its name.
    Deleted(Option<Value>),
    /// The object cannot be followed at the moment; it is tried again for ever. Told once per kind of trouble.
    Trouble(ClusterError),
    /// Trouble that was told is over.
    Recovered,
}

/// A running watch of one object; its [`Following::next`] is `None` only when the runtime is shutting down.
pub type Watch = Following<WatchItem>;

impl Cluster {
    /// Follows an ElementDeployment from `seen` on: the object as it was last read, or as a write returned it. Nothing
    /// is told about `seen` itself.
    pub fn follow(&self, target: &Target, seen: &Value) -> Watch {
        self.follow_with(target, seen, Timing::default())
    }

    pub fn follow_with(&self, target: &Target, seen: &Value, timing: Timing) -> Watch {
        let (cluster, known) = (self.clone(), identity(seen));
        let (resource, namespace, name) =
            (target.api_version.resource(), target.namespace.clone(), target.name.clone());
        Following::begin(16, |items| {
            let version = known.as_ref().map(|(_, version)| version.clone()).unwrap_or_default();
            let (untried, failures, told) = (false, 0, None);
            let follower =
                Follower { cluster, resource, namespace, name, timing, items, version, untried, known, failures, told };
            follower.run()
        })
    }
}

struct Follower {
    cluster: Cluster,
    resource: ApiResource,
    namespace: String,
    name: String,
    timing: Timing,
    items: Sender<WatchItem>,
    /// Everything up to this version has been received; empty when nothing is known.
    version: String,
    /// True when the version comes from a fresh read and no watch from it has worked yet.
    untried: bool,
    /// uid and version of the object as last told; `None` when it is gone.
    known: Option<(String, String)>,
    failures: u32,
    /// The kind of trouble last told, and when.
    told: Option<(Discriminant<ErrorKind>, Instant)>,
}

impl Follower {
    async fn run(mut self) {
        loop {
            let ended = if self.version.is_empty() { self.read_afresh().await } else { self.connection().await };
            // As connections do: go on from the last version at once.
            let Err(error) = ended else { continue };
            if error.is_expired_version() {
                self.version.clear();
                // A server that forgets the version it has just given would be asked in circles without a pause.
                if !self.untried {
                    continue;
                }
            }
            let pause = self.failed(error).await;
            sleep(pause).await;
        }
    }

    /// One watch connection, from the last version to its end. Half a line at the end is dropped, and the version it would have
    /// brought was not taken over, so it comes again.
    async fn connection(&mut self) -> Result<(), ClusterError> {
        let limit = self.timing.server_limit.as_secs().to_string();
        let selector = format!("metadata.name={}", self.name);
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
            let clocks = Clocks::now();
            let wait = if healthy { self.timing.tick } else { self.timing.tick.min(self.timing.settled) };
            let event = timeout(wait, events.next()).await;
            if !healthy && began.elapsed() >= self.timing.settled {
                healthy = true;
                self.recovered().await;
            }
            match event {
                Err(_) if clocks.jumped(&Clocks::now(), wait) || last_event.elapsed() >= self.timing.silence => {
                    return Ok(());
                }
                Err(_) => {}
                Ok(Some(Ok(event))) => {
                    last_event = Instant::now();
                    healthy |= self.event(event).await;
                }
                // What worked for a while may be resumed at once; what ends as soon as it begins needs a pause.
                Ok(None) if healthy => return Ok(()),
                Ok(None) => return Err(self.lost(&outgoing)),
                Ok(Some(Err(error))) if healthy && matches!(error.kind(), ErrorKind::ConnectionLost { .. }) => {
                    return Ok(());
                }
                Ok(Some(Err(error))) => return Err(error),
            }
        }
    }

    fn lost(&self, outgoing: &Outgoing) -> ClusterError {
        let lost = ErrorKind::ConnectionLost("it ended at once".to_owned());
        self.cluster.error(ClusterError::new(lost), outgoing)
    }

    /// Takes an event over; true when it brought news of the object.
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
        // The selector leaves one name; a server that ignores it must not make another object pass for ours.
        if object["metadata"]["name"] != *self.name {
            return false;
        }
        self.recovered().await;
        if deleted {
            if self.known.take().is_some() {
                self.tell(WatchItem::Deleted(Some(object))).await;
            }
            return true;
        }
        let seen = Some((uid, version));
        // The same state twice is no news.
        if self.known == seen {
            return false;
        }
        self.known = seen;
        self.tell(WatchItem::Seen { object, continuity: Continuity::Continuous }).await;
        true
    }

    /// Reads the object anew, together with a version to go on from.
    async fn read_afresh(&mut self) -> Result<(), ClusterError> {
        let selector = format!("metadata.name={}", self.name);
        let outgoing = self.outgoing("list", &[("fieldSelector", &selector)]);
        let answer = self.cluster.exchange(&outgoing, Limits::default()).await?;
        let list: ObjectList<Value> = serde_json::from_slice(&answer.body)
            .map_err(|error| self.cluster.unreadable(&outgoing, &error, &answer.body))?;
        let version = list.metadata.resource_version.filter(|version| !version.is_empty()).ok_or_else(|| {
            let error = ClusterError::new(ErrorKind::Unreadable("the list has no version".to_owned()));
            self.cluster.error(error, &outgoing)
        })?;
        let object = list.items.into_iter().find(|item| item["metadata"]["name"] == *self.name);
        let now = object.as_ref().and_then(identity);
        // Every change gives a new version, so an unchanged one proves that nothing was missed.
        if now != self.known {
            self.known = now;
            self.tell(match object {
                None => WatchItem::Deleted(None),
                Some(object) => {
                    WatchItem::Seen { object: with_kind(object, &self.resource), continuity: Continuity::Gap }
                }
            })
            .await;
        }
        self.version = version;
        self.untried = true;
        Ok(())
    }

    fn outgoing(&self, verb: &'static str, pairs: &[(&str, &str)]) -> Outgoing {
        Outgoing::get(
            address(&self.resource, Some(&self.namespace), None) + &query(pairs),
            Action::new(verb, &self.resource, Some(&self.namespace), Some(&self.name)),
        )
    }

    /// Counts a failure, tells of trouble that lasts, and says how long to wait.
    async fn failed(&mut self, error: ClusterError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let pause = self.timing.pause_after(self.failures, error.retry_after());
        tracing::debug!(%error, failures = self.failures, ?pause, "the watch was interrupted");
        let kind = discriminant(error.kind());
        // The first failure is mostly a blip. Kinds that alternate are told now and then, not each time.
        let news = match self.told {
            None => self.failures >= 2,
            Some((told, at)) => told != kind && at.elapsed() >= self.timing.retell,
        };
        if news {
            self.told = Some((kind, Instant::now()));
            self.tell(WatchItem::Trouble(error)).await;
        }
        pause
    }

    async fn recovered(&mut self) {
        self.failures = 0;
        self.untried = false;
        if self.told.take().is_some() {
            self.tell(WatchItem::Recovered).await;
        }
    }

    /// Where nobody listens any more, this task has been ended.
    async fn tell(&self, item: WatchItem) {
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
