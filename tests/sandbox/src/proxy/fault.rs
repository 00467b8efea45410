//! What can happen to one request, as values.

use std::time::Duration;

use tokio::sync::watch;

/// A request as the proxy saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number since the last [`super::Proxy::plan`], from 0.
    pub index: usize,
    /// `GET`, `PATCH`, …
    pub method: String,
    /// Path and query.
    pub address: String,
}

impl Request {
    /// Whether it is a watch.
    pub fn is_watch(&self) -> bool {
        self.address.contains("watch=true")
    }

    /// Whether it only looks on at workloads, which the program does for a person's eyes: none of its decisions hangs on it.
    pub fn is_look(&self) -> bool {
        self.is_watch() && !self.address.contains("/elementdeployments")
    }

    /// Whether it stores something: no read, no server-side dry run, no review.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.address.contains("dryRun=All") && !self.address.contains("reviews")
    }

    /// Whether it stores a change of an `ElementDeployment`.
    pub fn is_deployment_write(&self) -> bool {
        self.is_write() && self.address.contains("/elementdeployments")
    }

    /// Method, path and what matters of the query, for a message.
    pub fn name(&self) -> String {
        let path = self.address.split('?').next().unwrap_or_default();
        let mark = if self.is_watch() {
            " (watch)"
        } else if self.address.contains("dryRun=All") {
            " (dry run)"
        } else {
            ""
        };
        format!("{} {path}{mark}", self.method)
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// Answered by the proxy; the server never hears of it.
    Answer {
        /// The HTTP status.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// Carried out by the server, but answered with this status, as a load balancer does that lost patience.
    AnswerAfter(u16),
    /// The connection is reset; the server never hears of the request.
    ResetBefore,
    /// Carried out by the server, then the connection is reset.
    ResetAfter,
    /// Carried out by the server; the connection ends in the middle of the answer's body.
    Half,
    /// Forwarded after a while.
    Late(Duration),
    /// Carried out by the server at once, answered after a while.
    Slow(Duration),
    /// Waits for the test, before the server hears of it.
    HoldBefore(Gate),
    /// Carried out by the server; the answer waits for the test.
    HoldAfter(Gate),
    /// A watch: this many events come, then an `ERROR` event with this code.
    ErrorEvent {
        /// Events before it.
        after: usize,
        /// 410, 500, …
        code: u16,
    },
    /// A watch: this many events come, then the connection is reset in the middle of the next line.
    CutLine {
        /// Events before it.
        after: usize,
    },
    /// A watch: nothing but bookmarks for a while, then an ordinary end.
    Bookmarks(Duration),
}

impl Fault {
    /// Answered with this status and no `Retry-After`.
    pub fn answer(code: u16) -> Self {
        Self::Answer { code, retry_after: None }
    }
}

/// Where a request waits until the test lets it go on.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<Stage>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Nobody,
    Waiting,
    Open,
    Shut,
}

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Nobody))
    }
}

impl Gate {
    /// Waits until a request has arrived here.
    pub async fn reached(&self) {
        // The sender lives in `self`.
        let _ = self.0.subscribe().wait_for(|stage| *stage != Stage::Nobody).await;
    }

    /// Lets the request, and every later one, go on.
    pub fn open(&self) {
        self.0.send_replace(Stage::Open);
    }

    /// Resets the connection of the request, and of every later one.
    pub fn shut(&self) {
        self.0.send_replace(Stage::Shut);
    }

    /// Waits for the test; false means that the connection is to be reset.
    pub(super) async fn pass(&self) -> bool {
        self.0.send_if_modified(|stage| {
            let first = *stage == Stage::Nobody;
            if first {
                *stage = Stage::Waiting;
            }
            first
        });
        let mut stages = self.0.subscribe();
        let decided = stages.wait_for(|stage| matches!(stage, Stage::Open | Stage::Shut)).await;
        decided.is_ok_and(|stage| *stage == Stage::Open)
    }
}
