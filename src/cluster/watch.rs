//! Following one object through everything that happens to a connection.
//!
//! A watch is resumed at the last `resourceVersion` that was received, so an interruption loses nothing. When the
//! server no longer knows that version (410), the object is read afresh; only then may events have been missed, and the
//! item that follows says so ([`Continuity::Gap`]).
//!
//! What ends a connection and what is done then:
//!
//! | end | next |
//! | --- | --- |
//! | the server's own time limit, a cut, half a line, silence, waking up from sleep | again from the last version |
//! | 410, as an answer or as an event; a version from the server's future | a fresh read, then from its version |
//! | 401, 403, 429, 5xx, no connection, an answer that cannot be read | again after a pause, for ever; told as trouble |
//!
//! The fresh read is a list of one: a list has the collection's version, while the object's own may be older than what
//! the server still knows, and then every watch from it would end in 410 again.

use std::time::Duration;

use serde_json::Value;
use tokio::{sync::mpsc, task::AbortHandle};

use super::{connect::Cluster, errors::ClusterError, resource::Target};
use crate::verdict::Continuity;

mod collection;
mod follow;
mod pause;

pub use collection::{Collection, Onlook};

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

/// What a task tells while it follows something. Dropping it ends the task.
///
/// The connection is held by the task, so that [`Following::next`] can be dropped at any time (in a `select!` with a clock that
/// ticks every second, say) without losing an event or a connection attempt.
#[derive(Debug)]
pub struct Following<T> {
    items: mpsc::Receiver<T>,
    task: AbortHandle,
}

impl<T: Send + 'static> Following<T> {
    /// Begins; when the caller is busy the connection waits with it, after this many items.
    fn begin<F: Future<Output = ()> + Send + 'static>(slack: usize, task: impl FnOnce(mpsc::Sender<T>) -> F) -> Self {
        let (sender, items) = mpsc::channel(slack);
        Self { items, task: tokio::spawn(task(sender)).abort_handle() }
    }

    /// The next item; waits as long as nothing happens. Cancel-safe.
    pub async fn next(&mut self) -> Option<T> {
        self.items.recv().await
    }
}

impl<T> Drop for Following<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The clockwork of a watch; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// What the server is asked to end the watch after. Below five minutes, where many load balancers cut.
    pub(super) server_limit: Duration,
    pub(super) answer: Duration,
    /// A connection without a byte for this long is given up. The server sends a bookmark about every minute, so a live
    /// one is not silent for longer; a server without bookmarks costs 20 requests in half an hour.
    pub(super) silence: Duration,
    /// How often the clocks are compared, to notice that the machine slept.
    pub(super) tick: Duration,
    /// A connection that lived this long counts as healthy although nothing came.
    pub(super) settled: Duration,
    /// Trouble that turns into another kind of trouble is told again after this long at the earliest.
    pub(super) retell: Duration,
    pub(super) pauses: pause::Pauses,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_limit: Duration::from_secs(290),
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(90),
            tick: Duration::from_secs(5),
            settled: Duration::from_secs(2),
            retell: Duration::from_secs(10),
            pauses: pause::Pauses::default(),
        }
    }
}

impl Cluster {
    /// Follows an ElementDeployment from `seen` on: the object as it was last read, or as a write returned it. Nothing
    /// is told about `seen` itself.
    pub fn follow(&self, target: &Target, seen: &Value) -> Watch {
        self.follow_with(target, seen, Settings::default())
    }

    pub(super) fn follow_with(&self, target: &Target, seen: &Value, settings: Settings) -> Watch {
        Following::begin(16, |items| follow::Follower::new(self.clone(), target, seen, settings, items).run())
    }
}

#[cfg(test)]
mod tests;
