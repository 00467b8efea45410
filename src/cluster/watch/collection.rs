//! Looking on at a whole namespace's objects of one kind, cheaply and without any promise.
//!
//! For what is shown to a person who waits. One request lasts as long as the server lets it (an hour is asked for): a
//! watch without a version begins with every object that is there, so no list is needed. Whoever may not watch them, or
//! meets a server that keeps breaking off, is told nothing more; nobody may come to rely on it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use tokio::{
    sync::mpsc::{self, Sender},
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::lines::{Event, Lines};
use crate::cluster::{
    connect::Cluster,
    resource::{Action, Resource, query},
    transport::{Outgoing, split},
};

/// What is seen of a collection.
#[derive(Debug, Clone, PartialEq)]
pub enum Onlook {
    /// An object, as it is now.
    Seen(Value),
    /// An object that is gone, as it last was.
    Gone(Value),
    /// Something may have been missed: everything that is there follows anew, if anything does.
    Doubt,
}

/// A running look at a collection. Dropping it ends it.
#[derive(Debug)]
pub struct Collection {
    items: mpsc::Receiver<Onlook>,
    task: AbortHandle,
}

impl Collection {
    /// The next item. Cancel-safe. `None` when there is nothing more to see, for whatever reason.
    pub async fn next(&mut self) -> Option<Onlook> {
        self.items.recv().await
    }
}

impl Drop for Collection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How patient a look is; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// What the server is asked to end the watch after.
    pub(super) server_limit: Duration,
    /// The longest wait for the beginning of an answer.
    pub(super) answer: Duration,
    /// A connection without a byte for this long is given up; the server sends a bookmark about every minute.
    pub(super) silence: Duration,
    /// The first pause after an attempt that got no answer at all: the server is being restarted, or the network is down.
    /// Doubled after each further one. Nobody's budget is spent by such attempts.
    pub(super) unreachable: Duration,
    /// Pauses before a connection is made again; when they are used up there is no other. Together with the watch of the
    /// deployment itself an activation of half an hour stays within 30 requests.
    pub(super) pauses: [Duration; 4],
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            server_limit: Duration::from_hours(1),
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(90),
            unreachable: Duration::from_secs(4),
            pauses: [2, 300, 1200, 1200].map(Duration::from_secs),
        }
    }
}

/// After a shorter pause the watch goes on where it was; after a longer one what was seen is too old to be shown.
const FRESH: Duration = Duration::from_secs(10);
/// Attempts without an answer, one after the other, after which there is no other: half an hour.
const UNREACHABLE: u32 = 9;
/// More objects than this are somebody else's: a namespace of one deployment holds a few dozen.
const MOST: usize = 1000;

impl Cluster {
    /// Looks on at the objects of a namespace.
    pub fn look_on(&self, resource: Resource, namespace: &str) -> Collection {
        self.look_on_with(resource, namespace, Patience::default())
    }

    pub(super) fn look_on_with(&self, resource: Resource, namespace: &str, patience: Patience) -> Collection {
        let (sender, items) = mpsc::channel(64);
        let looker = Looker {
            cluster: self.clone(),
            resource,
            namespace: namespace.to_owned(),
            patience,
            items: sender,
            version: String::new(),
            names: HashSet::new(),
        };
        Collection { items, task: tokio::spawn(looker.run()).abort_handle() }
    }
}

/// How a connection ended.
enum End {
    /// It may be tried again.
    Over,
    /// It was none.
    Unreachable,
    /// The version is too old.
    Expired,
    /// There is nothing to see, or nobody looks.
    Final,
}

struct Looker {
    cluster: Cluster,
    resource: Resource,
    namespace: String,
    patience: Patience,
    items: Sender<Onlook>,
    /// Everything up to this version has been received.
    version: String,
    /// Names of what is there.
    names: HashSet<String>,
}

impl Looker {
    async fn run(mut self) {
        for pause in self.patience.pauses {
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
            sleep(self.patience.unreachable * 2_u32.pow(attempt)).await;
        }
        End::Unreachable
    }

    async fn connection(&mut self) -> End {
        let limit = self.patience.server_limit.as_secs().to_string();
        let mut pairs = vec![("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", limit.as_str())];
        if !self.version.is_empty() {
            pairs.push(("resourceVersion", self.version.as_str()));
        }
        let outgoing = Outgoing::get(
            self.resource.path(Some(&self.namespace), None) + &query(&pairs),
            Action::new("watch", self.resource, Some(&self.namespace), None),
        );
        let Ok(response) = self.cluster.open(&outgoing, Some(self.patience.answer)).await else {
            return End::Unreachable;
        };
        let (status, _, body) = split(response);
        match status.as_u16() {
            200 => self.events(body).await,
            410 => End::Expired,
            // Not allowed, or no such resource.
            400..=499 if status.as_u16() != 429 => End::Final,
            _ => End::Over,
        }
    }

    async fn events(&mut self, mut body: Body) -> End {
        let mut lines = Lines::default();
        self.names.clear();
        let mut last_byte = Instant::now();
        loop {
            let left = self.patience.silence.saturating_sub(last_byte.elapsed());
            let Ok(Some(Ok(frame))) = timeout(left, body.frame()).await else { return End::Over };
            last_byte = Instant::now();
            let Ok(data) = frame.into_data() else { continue };
            if lines.push(&data).is_err() {
                return End::Over;
            }
            while let Some(event) = lines.next() {
                let item = match event {
                    Err(_) => return End::Over,
                    Ok(Event::Error(status)) => return if status["code"] == 410 { End::Expired } else { End::Over },
                    Ok(Event::Bookmark(version)) => {
                        self.version = version;
                        continue;
                    }
                    Ok(Event::State(object)) => {
                        let name = self.take(&object);
                        self.names.insert(name);
                        Onlook::Seen(object)
                    }
                    Ok(Event::Deleted(object)) => {
                        let name = self.take(&object);
                        self.names.remove(&name);
                        Onlook::Gone(object)
                    }
                };
                if self.names.len() > MOST || self.items.send(item).await.is_err() {
                    return End::Final;
                }
            }
        }
    }

    /// Notes the version of an object that was received, and gives its name.
    fn take(&mut self, object: &Value) -> String {
        // The objects that a watch begins with come in no order. Going on from one of their versions repeats what is known
        // already, at the worst.
        if let Some(version) = object["metadata"]["resourceVersion"].as_str() {
            version.clone_into(&mut self.version);
        }
        object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests;
