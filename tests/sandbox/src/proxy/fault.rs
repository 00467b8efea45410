//! The faults of a request.

use std::time::Duration;

use tokio::sync::watch;

/// A request at the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The number since the last [`super::Proxy::plan`], from 0.
    pub index: usize,
    /// `GET`, `PATCH`, …
    pub method: String,
    /// Path and query.
    pub address: String,
    /// The bearer token.
    pub token: Option<String>,
    /// The client certificate of its connection, as DER.
    pub certificate: Option<Vec<u8>>,
}

impl Request {
    pub fn is_watch(&self) -> bool {
        self.address.contains("watch=true")
    }

    /// Whether it watches workloads, which is only for the progress display.
    pub fn is_look(&self) -> bool {
        self.is_watch() && !self.address.contains("/elementdeployments")
    }

    /// Whether it is a write: no read, server-side dry run or review.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.address.contains("dryRun=All") && !self.address.contains("reviews")
    }

    /// Whether it is a write of an `ElementDeployment`.
    pub fn is_deployment_write(&self) -> bool {
        self.is_write() && self.address.contains("/elementdeployments")
    }

    /// Method, path and the relevant part of the query, for messages.
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

/// The fault of a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// The proxy responds; the request does not reach the server.
    Answer {
        /// The HTTP status.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// The server processes it, but the response has this status, as after a time-out of a load balancer.
    AnswerAfter(u16),
    /// The connection is reset; the request does not reach the server.
    ResetBefore,
    /// The server processes it, then the connection is reset.
    ResetAfter,
    /// The server processes it; the connection ends within the response body.
    Half,
    /// Forwarded after a delay.
    Late(Duration),
    /// The server processes it at once; the response is delayed.
    Slow(Duration),
    /// Waits for the test before it is forwarded.
    HoldBefore(Gate),
    /// The server processes it; the response waits for the test.
    HoldAfter(Gate),
    /// A watch with this number of events, then an `ERROR` event with this code.
    ErrorEvent {
        /// Events before it.
        after: usize,
        /// 410, 500, …
        code: u16,
    },
    /// A watch with this number of events, then the connection is reset within the next line.
    CutLine {
        /// Events before it.
        after: usize,
    },
    /// A watch with this number of events, then silence on an open connection.
    Silence {
        /// Events before it.
        after: usize,
    },
    /// A watch with only bookmarks for this time, then a regular end.
    Bookmarks(Duration),
}

impl Fault {
    /// Responds with this status, without `Retry-After`.
    pub fn answer(code: u16) -> Self {
        Self::Answer { code, retry_after: None }
    }
}

/// A gate at which a request waits for the test.
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
    /// Waits until a request has arrived.
    pub async fn reached(&self) {
        // The sender is in `self`.
        let _ = self.0.subscribe().wait_for(|stage| *stage != Stage::Nobody).await;
    }

    /// Releases the request and every later one.
    pub fn open(&self) {
        self.0.send_replace(Stage::Open);
    }

    /// Resets the connection of the request and of every later one.
    pub fn shut(&self) {
        self.0.send_replace(Stage::Shut);
    }

    /// Waits for the test; false means to reset the connection.
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
