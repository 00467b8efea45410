//! Watches the writes to one object.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use serde_json::Value;
use tokio::time::timeout;

use crate::Result;

/// The time limit for the next event.
const PATIENCE: Duration = Duration::from_mins(1);

/// Receives every write to one object through a watch.
pub struct Follower {
    events: BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>,
    last: Value,
}

impl Follower {
    /// Starts with the current object as [`Self::last`].
    pub async fn start(api: &Api<DynamicObject>, name: &str) -> Result<Self> {
        let only = format!("metadata.name={name}");
        // The version of the list: the object's own may be older than the server's cache.
        let found = api.list(&ListParams::default().fields(&only)).await?;
        let version = found.metadata.resource_version.unwrap_or_default();
        let now = found.items.into_iter().next().ok_or_else(|| format!("there is no {name}"))?;
        let events = api.watch(&WatchParams::default().fields(&only), &version).await?.boxed();
        Ok(Self { events, last: serde_json::to_value(now)? })
    }

    pub fn last(&self) -> &Value {
        &self.last
    }

    /// The object after the next write.
    pub async fn next(&mut self) -> Result<&Value> {
        loop {
            let event = timeout(PATIENCE, self.events.next()).await;
            let event = event.map_err(|_| format!("no write for {} s; {}", PATIENCE.as_secs(), self.describe()))?;
            match event.ok_or("the watch ended")?? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.last = serde_json::to_value(object)?;
                    return Ok(&self.last);
                }
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Deleted(_) => return Err("the object was deleted".into()),
                WatchEvent::Error(status) => return Err(format!("the watch failed: {}", status.message).into()),
            }
        }
    }

    /// The last seen object, or the one after the first write, for which the condition holds.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<&Value> {
        while !wanted(&self.last) {
            self.next().await?;
        }
        Ok(&self.last)
    }

    fn describe(&self) -> String {
        let (version, status) = (&self.last["metadata"]["resourceVersion"], &self.last["status"]);
        format!("the last one was resourceVersion {version} with the status {status}")
    }

    /// Whether there is no write for this time.
    pub async fn quiet_for(&mut self, while_: Duration) -> bool {
        timeout(while_, self.next()).await.is_err()
    }
}
