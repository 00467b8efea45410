//! Following one object's history, write by write.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::api::{Api, DynamicObject, WatchEvent, WatchParams};
use serde_json::Value;
use tokio::time::timeout;

use crate::Result;

/// How long the next event may take. Generous: nothing is proven by being quick.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sees every write to one object from a moment on, as a watch gives them: none is left out, none is merged.
pub struct Follower {
    events: BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>,
    last: Value,
}

impl Follower {
    /// Starts with the object as it is now, which is [`Self::last`] until something happens.
    pub async fn start(api: &Api<DynamicObject>, name: &str) -> Result<Self> {
        let now = api.get(name).await?;
        let version = now.metadata.resource_version.clone().unwrap_or_default();
        let only = WatchParams::default().fields(&format!("metadata.name={name}"));
        let events = api.watch(&only, &version).await?.boxed();
        Ok(Self { events, last: serde_json::to_value(now)? })
    }

    /// The object as last seen.
    pub fn last(&self) -> &Value {
        &self.last
    }

    /// The object after the next write to it.
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

    /// The object as last seen, or else after the first write that makes it like this.
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

    /// Whether nothing is written for a while.
    pub async fn quiet_for(&mut self, while_: Duration) -> bool {
        timeout(while_, self.next()).await.is_err()
    }
}
