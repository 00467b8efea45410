//! Looking on at a whole namespace's objects of one kind, cheaply and without any promise.
//!
//! For what is shown to a person who waits. One request lasts as long as the server lets it (an hour is asked for): a
//! watch without a version begins with every object that is there, so no list is needed. Whoever may not watch them, or
//! meets a server that keeps breaking off, is told nothing more; nobody may come to rely on it.

use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use kube::core::{ApiResource, WatchEvent};
use serde_json::Value;
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use super::following::Following;
use crate::cluster::client::connect::Cluster;
use crate::cluster::client::transport::Outgoing;
use crate::cluster::errors::sorted;
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::resource::{Action, address, query};

#[derive(Debug, Clone, PartialEq)]
pub enum Onlook {
    /// An object, as it is now.
    Seen(Value),
    /// An object that is gone, as it last was.
    Gone(Value),
    /// Something may have been missed: everything that is there follows anew, if anything does.
    Doubt,
}

/// A running look at a collection; its [`Following::next`] is `None` when there is nothing more to see, for whatever reason.
pub type Collection = Following<Onlook>;

/// How patient a look is; other values only in tests.
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
/// After a shorter pause the watch goes on where it was; after a longer one what was seen is too old to be shown.
const FRESH: Duration = Duration::from_secs(10);
/// Attempts without an answer, one after the other, after which there is no other: half an hour.
const UNREACHABLE: u32 = 9;
/// More objects than this are somebody else's: a namespace of one deployment holds a few dozen.
const MOST: usize = 1000;

impl Cluster {
    pub fn look_on(&self, resource: ApiResource, namespace: &str) -> Collection {
        self.look_on_with(resource, namespace, Waits::default())
    }

    pub fn look_on_with(&self, resource: ApiResource, namespace: &str, waits: Waits) -> Collection {
        let client = self.client(Some(waits.answer));
        let namespace = namespace.to_owned();
        Following::begin(64, |items| {
            Looker { client, resource, namespace, waits, items, version: String::new(), there: 0 }.run()
        })
    }
}

enum End {
    Over,
    Unreachable,
    Expired,
    /// There is nothing to see, or nobody looks.
    Final,
}

struct Looker {
    client: kube::Client,
    resource: ApiResource,
    namespace: String,
    waits: Waits,
    items: Sender<Onlook>,
    /// Everything up to this version has been received.
    version: String,
    there: usize,
}

impl Looker {
    async fn run(mut self) {
        for pause in self.waits.pauses {
            match self.answered_connection().await {
                End::Final | End::Unreachable => break,
                End::Over => {}
                End::Expired => self.version.clear(),
            }
            if pause > FRESH {
                self.version.clear();
            }
            if self.version.is_empty() && self.items.send(Onlook::Doubt).await.is_err() {
                return;
            }
            sleep(pause).await;
        }
        // What was seen would otherwise be shown for ever.
        let _ = self.items.send(Onlook::Doubt).await;
    }

    /// One connection, after as many attempts as it takes.
    async fn answered_connection(&mut self) -> End {
        for attempt in 0..UNREACHABLE {
            match self.connection().await {
                End::Unreachable => {}
                end => return end,
            }
            if attempt == 0 && self.items.send(Onlook::Doubt).await.is_err() {
                break;
            }
            self.version.clear();
            sleep(self.waits.unreachable * 2_u32.pow(attempt)).await;
        }
        End::Unreachable
    }

    async fn connection(&mut self) -> End {
        let mut pairs = vec![("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", SERVER_LIMIT)];
        if !self.version.is_empty() {
            pairs.push(("resourceVersion", self.version.as_str()));
        }
        let outgoing = Outgoing::get(
            address(&self.resource, Some(&self.namespace), None) + &query(&pairs),
            Action::new("watch", &self.resource, Some(&self.namespace), None),
        );
        let Ok(request) = outgoing.request() else { return End::Final };
        let opened = self.client.request_events::<Value>(request).await;
        match opened {
            Ok(events) => self.events(events).await,
            Err(error) => end_without(&sorted(error)),
        }
    }

    async fn events(&mut self, events: impl Stream<Item = kube::Result<WatchEvent<Value>>>) -> End {
        let mut events = pin!(events);
        self.there = 0;
        loop {
            let Ok(Some(Ok(event))) = timeout(self.waits.silence, events.next()).await else { return End::Over };
            let item = match event {
                WatchEvent::Error(status) => return if status.code == 410 { End::Expired } else { End::Over },
                WatchEvent::Bookmark(bookmark) => {
                    self.version = bookmark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Added(object) => {
                    self.there += 1;
                    Onlook::Seen(self.taken(object))
                }
                WatchEvent::Modified(object) => Onlook::Seen(self.taken(object)),
                WatchEvent::Deleted(object) => {
                    self.there = self.there.saturating_sub(1);
                    Onlook::Gone(self.taken(object))
                }
            };
            if self.there > MOST || self.items.send(item).await.is_err() {
                return End::Final;
            }
        }
    }

    /// Notes the version of an object that was received.
    fn taken(&mut self, object: Value) -> Value {
        // The objects that a watch begins with come in no order. Going on from one of their versions repeats what is known
        // already, at the worst.
        if let Some(version) = object["metadata"]["resourceVersion"].as_str() {
            version.clone_into(&mut self.version);
        }
        object
    }
}

/// What an answer without events means.
fn end_without(error: &ClusterError) -> End {
    match error.kind() {
        ErrorKind::Gone { .. } => End::Expired,
        ErrorKind::ServerTrouble { .. } => End::Over,
        // Not allowed, or no such resource.
        ErrorKind::Unauthorized
        | ErrorKind::Forbidden { .. }
        | ErrorKind::NotFound
        | ErrorKind::NoSuchApi
        | ErrorKind::Invalid { .. }
        | ErrorKind::Conflict { .. }
        | ErrorKind::Refused { .. } => End::Final,
        _ => End::Unreachable,
    }
}

#[cfg(test)]
mod tests;
