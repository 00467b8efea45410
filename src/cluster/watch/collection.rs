//! Watches all objects of one kind in a namespace, with few requests and without guarantees, for the progress display.
//!
//! kube's `watcher` lists first and starts again every five minutes. Here one request lasts as long as the server permits: a watch
//! without a version begins with all existing objects. Without permission, or after repeated interruptions, the events end.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use kube::core::{ApiResource, WatchEvent};
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::following::Following;
use crate::cluster::client::connect::Cluster;
use crate::cluster::client::transport::Outgoing;
use crate::cluster::errors::ErrorKind;
use crate::cluster::resource::{Action, address, query};

#[derive(Debug, Clone, PartialEq)]
pub enum CollectionEvent {
    Seen(Value),
    /// The last state of a deleted object.
    Deleted(Value),
    /// Events may have been missed. All existing objects follow if the watch can be restarted.
    Reset,
}

/// Time limits and pauses of the watch; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub answer: Duration,
    /// A connection without data for this long is closed; the server sends a bookmark about every minute.
    pub silence: Duration,
    /// The first pause after an attempt without a response; doubled after each further one. Such attempts don't count as
    /// requests.
    pub unreachable: Duration,
    /// The pause before each new connection; after the last one the watch ends. Together with the watch of the deployment an
    /// activation of half an hour stays within 30 requests.
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

/// The requested duration of a watch, in seconds.
const SERVER_LIMIT: &str = "3600";
/// The number of consecutive attempts without a response: half an hour.
const UNREACHABLE: u32 = 9;
/// The largest number of objects; the namespace of one deployment has a few dozen.
const MOST: u32 = 1000;

impl Cluster {
    pub fn watch_all(&self, resource: &ApiResource, namespace: &str) -> Following<CollectionEvent> {
        self.watch_all_with(resource, namespace, Waits::default())
    }

    pub fn watch_all_with(&self, resource: &ApiResource, namespace: &str, waits: Waits) -> Following<CollectionEvent> {
        let pairs = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", SERVER_LIMIT)];
        let action = Action::new("watch", resource, Some(namespace), None);
        let outgoing = Outgoing::get(address(resource, Some(namespace), None) + &query(&pairs), action);
        let cluster = self.clone();
        Following::begin(64, async move |items| {
            for pause in waits.pauses {
                let again = cluster.collect(&outgoing, waits, &items).await;
                // Otherwise old objects would be displayed without end. Without a receiver the task has been ended.
                let _ = items.send(CollectionEvent::Reset).await;
                if !again {
                    return;
                }
                sleep(pause).await;
            }
        })
    }

    /// The events of one connection, after several attempts if necessary. Returns whether to try another one.
    async fn collect(&self, outgoing: &Outgoing, waits: Waits, items: &Sender<CollectionEvent>) -> bool {
        let mut attempts = 0..UNREACHABLE;
        let events = loop {
            let Some(attempt) = attempts.next() else { return false };
            match self.events(outgoing, waits.answer).await {
                Ok(events) => break events,
                Err(error) => match error.kind() {
                    ErrorKind::Gone(_) | ErrorKind::ServerFailed { .. } => return true,
                    _ if error.is_transient() => sleep(waits.unreachable * 2_u32.pow(attempt)).await,
                    // Forbidden, or the resource doesn't exist.
                    _ => return false,
                },
            }
        };
        let (mut events, mut there) = (pin!(events), 0);
        while let Ok(Some(Ok(event))) = timeout(waits.silence, events.next()).await {
            there += u32::from(matches!(event, WatchEvent::Added(_)));
            let item = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => CollectionEvent::Seen(object),
                WatchEvent::Deleted(object) => CollectionEvent::Deleted(object),
                WatchEvent::Bookmark(_) | WatchEvent::Error(_) => continue,
            };
            if there > MOST || items.send(item).await.is_err() {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
