//! The task behind a watch: one connection after the other, and what is remembered between them.

use std::pin::pin;
use std::time::Instant;

use futures::{Stream, StreamExt as _};
use kube::core::{ApiResource, ObjectList, WatchEvent};
use serde_json::Value;
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use super::following::Following;
use super::timing::{Clocks, Timing};
use crate::cluster::client::connect::Cluster;
use crate::cluster::client::connect::Limits;
use crate::cluster::client::transport::Outgoing;
use crate::cluster::errors::sorted;
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
        Following::begin(16, |items| Follower::new(self.clone(), target, seen, timing, items).run())
    }
}

enum End {
    /// As connections do: go on from the last version at once.
    Ordinary,
    /// The version is too old for the server (or too new, after its storage was restored).
    Expired(ClusterError),
    Failed(ClusterError),
    Unwanted,
}

struct Unwanted;

pub struct Follower {
    cluster: Cluster,
    client: kube::Client,
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
    told: Option<(std::mem::Discriminant<ErrorKind>, Instant)>,
}

impl Follower {
    pub fn new(cluster: Cluster, target: &Target, seen: &Value, timing: Timing, items: Sender<WatchItem>) -> Self {
        let known = identity(seen);
        Self {
            client: cluster.client(Some(timing.answer)),
            cluster,
            resource: target.api_version.resource(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            timing,
            items,
            version: known.as_ref().map(|(_, version)| version.clone()).unwrap_or_default(),
            untried: false,
            known: known.filter(|(_, version)| !version.is_empty()),
            failures: 0,
            told: None,
        }
    }

    pub async fn run(mut self) {
        loop {
            let end = if self.version.is_empty() { self.read_afresh().await } else { self.connection().await };
            let error = match end {
                End::Unwanted => return,
                End::Ordinary => continue,
                End::Expired(error) => {
                    self.version.clear();
                    // A server that forgets the version it has just given would be asked in circles without a pause.
                    if !self.untried {
                        continue;
                    }
                    error
                }
                End::Failed(error) => error,
            };
            let Ok(pause) = self.failed(error).await else { return };
            sleep(pause).await;
        }
    }

    /// One watch connection, from the last version to its end.
    async fn connection(&mut self) -> End {
        let limit = self.timing.server_limit.as_secs().to_string();
        let selector = format!("metadata.name={}", self.name);
        let pairs = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("fieldSelector", selector.as_str()),
            ("resourceVersion", self.version.as_str()),
            ("timeoutSeconds", limit.as_str()),
        ];
        let outgoing = self.outgoing("watch", &pairs);
        let request = match outgoing.request() {
            Ok(request) => request,
            Err(error) => return self.sort(error, &outgoing),
        };
        let opened = self.client.request_events::<Value>(request).await;
        match opened {
            Ok(events) => self.events(events, &outgoing).await,
            Err(error) => self.sort(sorted(error), &outgoing),
        }
    }

    fn sort(&self, error: ClusterError, outgoing: &Outgoing) -> End {
        let error = self.cluster.error(error, outgoing);
        match error.kind() {
            ErrorKind::Gone { .. } | ErrorKind::ServerTrouble { version_from_the_future: true, .. } => {
                End::Expired(error)
            }
            _ => End::Failed(error),
        }
    }

    /// Reads events until the connection ends. kube gives whole lines only; half of one at the end of a connection is dropped,
    /// and the version it would have brought was not taken over, so it comes again.
    async fn events(
        &mut self,
        events: impl Stream<Item = kube::Result<WatchEvent<Value>>>,
        outgoing: &Outgoing,
    ) -> End {
        let mut events = pin!(events);
        let began = Instant::now();
        let mut last_event = Instant::now();
        let mut healthy = false;
        loop {
            let clocks = Clocks::now();
            let wait = if healthy { self.timing.tick } else { self.timing.tick.min(self.timing.settled) };
            let event = timeout(wait, events.next()).await;
            if !healthy && began.elapsed() >= self.timing.settled {
                healthy = true;
                if self.recovered().await.is_err() {
                    return End::Unwanted;
                }
            }
            let lost = match event {
                Err(_) if clocks.jumped(&Clocks::now(), wait) || last_event.elapsed() >= self.timing.silence => {
                    return End::Ordinary;
                }
                Err(_) => continue,
                Ok(None) => ClusterError::new(ErrorKind::ConnectionLost { reason: "it ended at once".to_owned() }),
                Ok(Some(Err(error @ kube::Error::ReadEvents(_)))) => sorted(error),
                Ok(Some(Err(error))) => return self.sort(sorted(error), outgoing),
                Ok(Some(Ok(WatchEvent::Error(status)))) => {
                    return self.sort(sorted(kube::Error::Api(status)), outgoing);
                }
                Ok(Some(Ok(event))) => {
                    last_event = Instant::now();
                    match self.event(event).await {
                        Err(Unwanted) => return End::Unwanted,
                        Ok(news) => healthy |= news,
                    }
                    continue;
                }
            };
            // What worked for a while may be resumed at once; what ends as soon as it begins needs a pause.
            return if healthy { End::Ordinary } else { End::Failed(self.cluster.error(lost, outgoing)) };
        }
    }

    /// Takes an event over; true when it brought news of the object.
    async fn event(&mut self, event: WatchEvent<Value>) -> Result<bool, Unwanted> {
        let (object, deleted) = match event {
            WatchEvent::Bookmark(bookmark) => {
                self.version = bookmark.metadata.resource_version;
                return Ok(false);
            }
            WatchEvent::Error(_) => return Ok(false),
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
        };
        let Some((uid, version)) = identity(&object) else { return Ok(false) };
        self.version.clone_from(&version);
        // The selector leaves one name; a server that ignores it must not make another object pass for ours.
        if object["metadata"]["name"] != *self.name {
            return Ok(false);
        }
        self.recovered().await?;
        if deleted {
            if self.known.take().is_some() {
                self.tell(WatchItem::Deleted(Some(object))).await?;
            }
            return Ok(true);
        }
        // The same state twice is no news.
        if self.known.as_ref().is_some_and(|known| *known == (uid.clone(), version.clone())) {
            return Ok(false);
        }
        self.known = Some((uid, version));
        self.tell(WatchItem::Seen { object, continuity: Continuity::Continuous }).await?;
        Ok(true)
    }

    /// Reads the object anew, together with a version to go on from.
    async fn read_afresh(&mut self) -> End {
        let selector = format!("metadata.name={}", self.name);
        let outgoing = self.outgoing("list", &[("fieldSelector", selector.as_str())]);
        let answer = match self.cluster.exchange(&outgoing, Limits::default()).await {
            Ok(answer) => answer,
            Err(error) => return End::Failed(error),
        };
        let list: ObjectList<Value> = match serde_json::from_slice(&answer.body) {
            Ok(list) => list,
            Err(error) => return End::Failed(self.cluster.unreadable(&outgoing, &error)),
        };
        let Some(version) = list.metadata.resource_version.filter(|version| !version.is_empty()) else {
            let error = ClusterError::new(ErrorKind::Unreadable { reason: "the list has no version".to_owned() });
            return End::Failed(self.cluster.error(error, &outgoing));
        };
        let object = list.items.into_iter().find(|item| item["metadata"]["name"] == *self.name);
        let told = match object {
            None if self.known.take().is_some() => self.tell(WatchItem::Deleted(None)).await,
            None => Ok(()),
            // Every change gives a new version, so an unchanged one proves that nothing was missed.
            Some(object) if identity(&object) == self.known => Ok(()),
            Some(object) => {
                self.known = identity(&object);
                let object = with_kind(object, &self.resource);
                self.tell(WatchItem::Seen { object, continuity: Continuity::Gap }).await
            }
        };
        self.version = version;
        self.untried = true;
        if told.is_err() { End::Unwanted } else { End::Ordinary }
    }

    fn outgoing(&self, verb: &'static str, pairs: &[(&str, &str)]) -> Outgoing {
        Outgoing::get(
            address(&self.resource, Some(&self.namespace), None) + &query(pairs),
            Action::new(verb, &self.resource, Some(&self.namespace), Some(&self.name)),
        )
    }

    /// Counts a failure, tells of trouble that lasts, and says how long to wait.
    async fn failed(&mut self, error: ClusterError) -> Result<std::time::Duration, Unwanted> {
        self.failures = self.failures.saturating_add(1);
        let pause = self.timing.pauses.after(self.failures, error.retry_after());
        tracing::debug!(%error, failures = self.failures, ?pause, "the watch was interrupted");
        let kind = std::mem::discriminant(error.kind());
        // The first failure is mostly a blip. Kinds that alternate are told now and then, not each time.
        let news = match self.told {
            None => self.failures >= 2,
            Some((told, at)) => told != kind && at.elapsed() >= self.timing.retell,
        };
        if news {
            self.told = Some((kind, Instant::now()));
            self.tell(WatchItem::Trouble(error)).await?;
        }
        Ok(pause)
    }

    async fn recovered(&mut self) -> Result<(), Unwanted> {
        self.failures = 0;
        self.untried = false;
        if self.told.take().is_some() {
            self.tell(WatchItem::Recovered).await?;
        }
        Ok(())
    }

    async fn tell(&self, item: WatchItem) -> Result<(), Unwanted> {
        self.items.send(item).await.map_err(|_| Unwanted)
    }
}

fn identity(object: &Value) -> Option<(String, String)> {
    let text = |key: &str| object["metadata"][key].as_str().map(str::to_owned);
    Some((text("uid").unwrap_or_default(), text("resourceVersion")?))
}

#[cfg(test)]
mod tests;
