//! Watching all objects of one kind in a namespace, cheaply and without any promise: for what is shown to a person who waits.
//!
//! kube's `watcher` would do, but lists first and asks again every five minutes, for three kinds. Here one request lasts as long
//! as the server lets it: a watch without a version begins with every object that is there. Whoever may not watch them, or meets a
//! server that keeps breaking off, is told nothing more.

use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use kube::core::{ApiResource, WatchEvent};
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::following::Following;
use crate::cluster::client::connect::Cluster;
use crate::cluster::client::transport::Outgoing;
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::resource::{Action, address, query};

#[derive(Debug, Clone, PartialEq)]
pub enum CollectionEvent {
    /// An object, as it is now.
    Seen(Value),
    /// An object that is gone, as it last was.
    Deleted(Value),
    /// Something may have been missed: everything that is there follows anew, if anything does.
    Reset,
}

/// How long the watch waits; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub answer: Duration,
    /// A connection without a byte for this long is given up; the server sends a bookmark about every minute.
    pub silence: Duration,
    /// The first pause after an attempt that got no answer at all: the server is being restarted, or the network is down.
    /// Doubled after each further one. Nobody's budget is spent by such attempts.
    pub unreachable: Duration,
    /// Pauses before a connection is made again; when they are used up there is no other. Together with the watch of the
    /// deployment itself an activation of half an hour stays within 30 requests.
    pub pauses: [Duration; 4],
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(90),
            unreachable: Duration::from_secs(4),
            pauses: [2, 300, 1200, 1200].map(Duration::from_secs),
        }
    }
}

/// What the server is asked to end the watch after: an hour.
const SERVER_LIMIT: &str = "3600";
/// Attempts without an answer, one after the other, after which there is no other: half an hour.
const UNREACHABLE: u32 = 9;
/// More objects than this are somebody else's: a namespace of one deployment holds a few dozen.
const MOST: usize = 1000;

impl Cluster {
    /// Begins to watch; it ends when there is nothing more to see, for whatever reason.
    pub fn watch_all(&self, resource: &ApiResource, namespace: &str) -> Following<CollectionEvent> {
        self.watch_all_with(resource, namespace, Waits::default())
    }

    pub fn watch_all_with(&self, resource: &ApiResource, namespace: &str, waits: Waits) -> Following<CollectionEvent> {
        let pairs = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", SERVER_LIMIT)];
        let outgoing = Outgoing::get(
            address(resource, Some(namespace), None) + &query(&pairs),
            Action::new("watch", resource, Some(namespace), None),
        );
        let cluster = self.clone();
        Following::begin(64, |items| Watcher { cluster, outgoing, waits, items }.run())
    }
}

struct Watcher {
    cluster: Cluster,
    outgoing: Outgoing,
    waits: Waits,
    items: Sender<CollectionEvent>,
}

impl Watcher {
    async fn run(self) {
        for pause in self.waits.pauses {
            let go_on = self.connection().await;
            // What was seen would otherwise be shown for ever. Where nobody listens any more, this task has been ended.
            let _ = self.items.send(CollectionEvent::Reset).await;
            if !go_on {
                return;
            }
            sleep(pause).await;
        }
    }

    /// One connection, after as many attempts as it takes; whether another one makes sense.
    async fn connection(&self) -> bool {
        for attempt in 0..UNREACHABLE {
            match self.cluster.events(&self.outgoing, self.waits.answer).await {
                Ok(events) => return self.pass_on(events).await,
                Err(error) => match error.kind() {
                    ErrorKind::Gone { .. } | ErrorKind::ServerFailed { .. } => return true,
                    _ if error.is_transient() => sleep(self.waits.unreachable * 2_u32.pow(attempt)).await,
                    // Not allowed, or no such resource.
                    _ => return false,
                },
            }
        }
        false
    }

    async fn pass_on(&self, events: impl Stream<Item = Result<WatchEvent<Value>, ClusterError>>) -> bool {
        let mut events = pin!(events);
        let mut there = 0;
        while let Ok(Some(Ok(event))) = timeout(self.waits.silence, events.next()).await {
            let item = match event {
                WatchEvent::Added(object) => {
                    there += 1;
                    CollectionEvent::Seen(object)
                }
                WatchEvent::Modified(object) => CollectionEvent::Seen(object),
                WatchEvent::Deleted(object) => CollectionEvent::Deleted(object),
                WatchEvent::Bookmark(_) | WatchEvent::Error(_) => continue,
            };
            if there > MOST || self.items.send(item).await.is_err() {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
