//! Writes objects and determines the outcome.
//!
//! Every write is a compare-and-set: a patch or replacement contains the `resourceVersion` that it is for, a creation
//! requires that the object doesn't exist. The API server stores at most one of several identical requests and responds 409 to
//! the others. That decides which writes are retried:
//!
//! | response | reaction |
//! | --- | --- |
//! | no connection, TLS failure | not sent: retry after a pause |
//! | 429 | refused by flow control before any handler: retry after `Retry-After` |
//! | 400, 401, 403, 404, 409, 422 | refused, nothing stored: not applied |
//! | 5xx, reset, incomplete response, time-out | may have been stored: **read back**. The change is present: applied. The object has another version without the change: this write can no longer be stored, not applied. Unchanged for a while: retry, which compare-and-set makes safe |
//! | the object cannot be read back | unknown |
//! | own time-out, and still unchanged | unknown: the server may still process the request |
//!
//! Dropping the future of [`Cluster::write`] leaves the outcome unknown, so callers must not cancel it on a signal.

use std::time::Duration;

use http::Method;
use kube::core::ApiResource;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::client::connect::Cluster;
use super::client::transport::{Outgoing, Reply};
use super::errors::{ClusterError, ErrorKind};
use super::read::object;
use super::resource::{Action, Target, address, query};
use crate::field_manager::FIELD_MANAGER;
use crate::secrets::wipe;

/// One write: [`Cluster::dry_run`] and [`Cluster::write`] send the same body.
///
/// No `Debug`: the body may be a Secret.
#[derive(Clone)]
pub struct Write {
    method: Method,
    resource: ApiResource,
    namespace: String,
    name: String,
    /// The `resourceVersion` that the write requires; `None` for a creation.
    made_for: Option<String>,
    /// Includes a Secret's values.
    pub body: Value,
}

impl Drop for Write {
    fn drop(&mut self) {
        if self.resource.kind == "Secret" {
            wipe(&mut self.body);
        }
    }
}

impl Write {
    /// A merge patch (RFC 7386) of the object with the patch's `resourceVersion`. Without that, a new object, to which
    /// namespace, name and kind are added; fails if one of this name exists.
    pub fn patch(resource: ApiResource, namespace: &str, name: &str, patch: Value) -> Self {
        Self::new(Method::PATCH, resource, namespace, name, patch)
    }

    pub fn patch_deployment(target: &Target, patch: Value) -> Self {
        Self::patch(target.api_version.resource(), &target.namespace, &target.name, patch)
    }

    /// A whole object that replaces the one with its `resourceVersion`. Without that, a new object, as with [`Self::patch`].
    pub fn replace(resource: ApiResource, namespace: &str, name: &str, object: Value) -> Self {
        Self::new(Method::PUT, resource, namespace, name, object)
    }

    fn new(existing: Method, resource: ApiResource, namespace: &str, name: &str, mut body: Value) -> Self {
        let made_for = body["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        let method = if made_for.is_some() { existing } else { Method::POST };
        if method != Method::PATCH {
            body["apiVersion"] = resource.api_version.as_str().into();
            body["kind"] = resource.kind.as_str().into();
            body["metadata"]["namespace"] = namespace.into();
            body["metadata"]["name"] = name.into();
        }
        Self { method, resource, namespace: namespace.to_owned(), name: name.to_owned(), made_for, body }
    }

    fn outgoing(&self, dry_run: bool) -> Outgoing {
        let (verb, name, content_type) = match self.method {
            Method::POST => ("create", None, "application/json"),
            Method::PUT => ("update", Some(self.name.as_str()), "application/json"),
            _ => ("patch", Some(self.name.as_str()), "application/merge-patch+json"),
        };
        // Strict: otherwise the server silently drops fields that this release of ESS doesn't have.
        let mut pairs = vec![("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict")];
        if dry_run {
            pairs.push(("dryRun", "All"));
        }
        let address = address(&self.resource, Some(&self.namespace), name) + &query(&pairs);
        Outgoing {
            method: self.method.clone(),
            content_type: Some(content_type),
            body: self.body.to_string().into_bytes(),
            ..Outgoing::get(address, Action::new(verb, &self.resource, Some(&self.namespace), Some(&self.name)))
        }
    }
}

#[derive(Debug)]
pub struct Stored {
    /// The object as stored, or as a server-side dry run would store it. A Secret's values are included.
    pub object: Value,
    /// The server's `Warning` headers; empty after a lost response.
    pub warnings: Vec<String>,
    /// Whether the response was lost and the change was found by reading the object, which may be newer than the write.
    pub read_back: bool,
}

#[derive(Debug)]
pub enum WriteOutcome {
    Applied(Stored),
    /// Not applied, because another client changed or created the object.
    Conflict {
        error: ClusterError,
        /// The object as read afterwards, if it exists and can be read.
        now: Option<Value>,
    },
    /// Not stored, and will not be.
    NotApplied(ClusterError),
    /// Could not be determined; the error is that of the write's response. A retry is safe: the server refuses the same write
    /// once it is stored.
    Unknown(ClusterError),
}

impl WriteOutcome {
    pub const APPLIED: &'static str = "applied";
    pub const NOT_APPLIED: &'static str = "not-applied";

    /// The value in `-o json`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Applied(_) => Self::APPLIED,
            Self::Conflict { .. } | Self::NotApplied(_) => Self::NOT_APPLIED,
            Self::Unknown(_) => "unknown",
        }
    }

    fn found(object: Value) -> Self {
        Self::Applied(Stored { object, warnings: Vec::new(), read_back: true })
    }
}

fn stored(answer: &Reply) -> Result<Stored, serde_json::Error> {
    Ok(Stored { object: object(answer)?, warnings: answer.warnings.clone(), read_back: false })
}

const TRIES: u32 = 3;

/// Pauses of a write; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryPolicy {
    /// The pause before the first retry without `Retry-After`; doubled and tripled afterwards.
    pub(super) pause: Duration,
    /// Pauses before the reads after a lost response. Several, because the server may store an interrupted request a moment
    /// later.
    pub(super) read_back: [Duration; 4],
    /// The time limit for reading back from an unreachable server.
    pub(super) unreachable: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            pause: Duration::from_millis(300),
            read_back: [20, 300, 700, 1500].map(Duration::from_millis),
            unreachable: Duration::from_secs(20),
        }
    }
}

/// The result of reading the object after a lost response.
enum ReadBack {
    Ours(Value),
    /// The object has another version than the write requires, without the change.
    Moved,
    Unchanged,
    Unreadable,
}

impl Cluster {
    /// A server-side dry run: validation, defaults and webhooks without storing. Retried like a read.
    pub async fn dry_run(&self, write: &Write) -> Result<Stored, ClusterError> {
        self.ask_for(&write.outgoing(true), stored).await
    }

    /// Writes once and determines the outcome (see the module's table).
    ///
    /// `is_ours` returns whether an object contains this change; it is called only after a lost response. If others may make the
    /// same change at the same time, it has to check a mark of this process.
    pub async fn write(&self, write: &Write, is_ours: impl Fn(&Value) -> bool) -> WriteOutcome {
        self.write_with(write, is_ours, RetryPolicy::default()).await
    }

    pub(super) async fn write_with(
        &self,
        write: &Write,
        is_ours: impl Fn(&Value) -> bool,
        patience: RetryPolicy,
    ) -> WriteOutcome {
        let outgoing = write.outgoing(false);
        let mut lost_before = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.exchange(&outgoing, self.limits, stored).await {
                Ok(stored) => return WriteOutcome::Applied(stored),
                Err(error) => error,
            };
            tracing::debug!(%error, tries, "the write failed");
            let pause = error.retry_after().unwrap_or(patience.pause * tries).min(Duration::from_secs(5));
            if error.certainly_not_processed() {
                if error.is_transient() && tries < TRIES {
                    sleep(pause).await;
                    continue;
                }
                return self.refused(write, error, lost_before, &is_ours).await;
            }
            lost_before = true;
            match self.read_back(write, &is_ours, patience).await {
                ReadBack::Ours(object) => return WriteOutcome::found(object),
                ReadBack::Moved => return WriteOutcome::NotApplied(error),
                ReadBack::Unreadable => return WriteOutcome::Unknown(error),
                // The server may still process a request that timed out here.
                ReadBack::Unchanged if matches!(error.kind(), ErrorKind::Timeout { .. }) => {
                    return WriteOutcome::Unknown(error);
                }
                ReadBack::Unchanged if tries >= TRIES => return WriteOutcome::NotApplied(error),
                ReadBack::Unchanged => sleep(pause.min(Duration::from_millis(500))).await,
            }
        }
    }

    /// The outcome after a refusal or a failed connection. After a lost response of an earlier attempt, a 409 may be caused by that
    /// try.
    async fn refused(
        &self,
        write: &Write,
        error: ClusterError,
        lost_before: bool,
        is_ours: &impl Fn(&Value) -> bool,
    ) -> WriteOutcome {
        let conflict = matches!(error.kind(), ErrorKind::Conflict { .. } | ErrorKind::AlreadyExists);
        if !lost_before && !conflict {
            return WriteOutcome::NotApplied(error);
        }
        match self.find(&write.resource, Some(&write.namespace), &write.name).await {
            Ok(Some(object)) if lost_before && is_ours(&object) => WriteOutcome::found(object),
            // The outcome of the earlier attempt is unknown and can't be read.
            Err(_) if lost_before => WriteOutcome::Unknown(error),
            now if conflict => WriteOutcome::Conflict { error, now: now.ok().flatten() },
            _ => WriteOutcome::NotApplied(error),
        }
    }

    /// Reads the object until the change is present, can no longer be stored, or the reads are used up.
    async fn read_back(&self, write: &Write, is_ours: &impl Fn(&Value) -> bool, patience: RetryPolicy) -> ReadBack {
        let deadline = Instant::now() + patience.unreachable;
        for pause in patience.read_back {
            sleep(pause).await;
            let found = loop {
                match self.find(&write.resource, Some(&write.namespace), &write.name).await {
                    Ok(found) => break found,
                    Err(error) if error.is_transient() && Instant::now() < deadline => {
                        sleep(Duration::from_millis(500)).await;
                    }
                    Err(_) => return ReadBack::Unreadable,
                }
            };
            match (&write.made_for, found) {
                (_, Some(object)) if is_ours(&object) => return ReadBack::Ours(object),
                (Some(version), Some(object)) if object["metadata"]["resourceVersion"] == **version => {}
                (None, None) => {}
                _ => return ReadBack::Moved,
            }
        }
        ReadBack::Unchanged
    }
}

#[cfg(test)]
mod tests;
