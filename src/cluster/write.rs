//! Writing, with an outcome that is never a guess.
//!
//! Every write is a compare-and-set: a patch or replacement carries the `resourceVersion` it was made for, a creation
//! requires absence. So of several identical requests the API server stores at most one, and the others are answered
//! 409. That decides what may be repeated:
//!
//! | what came back | what is done |
//! | --- | --- |
//! | no connection, TLS failure | never sent: sent again after a pause |
//! | 429 | the server's flow control answers before any handler: sent again after its `Retry-After` |
//! | 400, 401, 403, 404, 409, 422 | refused, nothing stored: not applied |
//! | 5xx, reset, half an answer, time-out | may have been stored: **read back**. The change is there: applied. The object has another version without the change: this write can no longer be stored, not applied. Unchanged for a while: sent again, since compare-and-set makes that safe |
//! | the object cannot be read back | unknown |
//! | time-out of our own, and still unchanged | unknown: the server may still be at it |
//!
//! Dropping the future of [`Cluster::write`] leaves the outcome unknown; do not race it against a signal, look after it.

use std::time::Duration;

use http::Method;
use kube::core::ApiResource;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::client::connect::Cluster;
use super::client::transport::Outgoing;
use super::errors::{ClusterError, ErrorKind};
use super::read::object;
use super::resource::{Action, Target, address, query};
use super::write_outcome::{Stored, WriteOutcome};
use crate::field_manager::FIELD_MANAGER;
use crate::secrets::wipe;

/// One write as a value: what is shown by [`Cluster::dry_run`] is what [`Cluster::write`] sends.
///
/// No `Debug`: the body may be a Secret.
#[derive(Clone)]
pub struct Write {
    method: Method,
    resource: ApiResource,
    namespace: String,
    name: String,
    /// The version the write is made for; `None` for a creation, which is made for absence.
    made_for: Option<String>,
    body: Value,
}

/// A Secret's values do not outlive the write.
impl Drop for Write {
    fn drop(&mut self) {
        if self.resource.kind == "Secret" {
            wipe(&mut self.body);
        }
    }
}

impl Write {
    /// A merge patch (RFC 7386) of an object that has this `resourceVersion`, which is put into the patch.
    pub fn patch(resource: ApiResource, namespace: &str, name: &str, resource_version: &str, patch: Value) -> Self {
        Self::new(Method::PATCH, resource, namespace, name, Some(resource_version), patch)
    }

    /// A merge patch of the ElementDeployment, made for this `resourceVersion`.
    pub fn patch_deployment(target: &Target, resource_version: &str, patch: Value) -> Self {
        Self::patch(target.api_version.resource(), &target.namespace, &target.name, resource_version, patch)
    }

    /// A new object, only if there is none of this name. Namespace, name and kind are put into it.
    pub fn create(resource: ApiResource, namespace: &str, name: &str, object: Value) -> Self {
        Self::new(Method::POST, resource, namespace, name, None, object)
    }

    /// A whole object in place of the one that has this `resourceVersion`.
    pub fn replace(resource: ApiResource, namespace: &str, name: &str, resource_version: &str, object: Value) -> Self {
        Self::new(Method::PUT, resource, namespace, name, Some(resource_version), object)
    }

    fn new(
        method: Method,
        resource: ApiResource,
        namespace: &str,
        name: &str,
        made_for: Option<&str>,
        mut body: Value,
    ) -> Self {
        if method != Method::PATCH {
            body["apiVersion"] = resource.api_version.as_str().into();
            body["kind"] = resource.kind.as_str().into();
            body["metadata"]["namespace"] = namespace.into();
            body["metadata"]["name"] = name.into();
        }
        if let Some(version) = made_for {
            body["metadata"]["resourceVersion"] = version.into();
        }
        let (namespace, name, made_for) = (namespace.to_owned(), name.to_owned(), made_for.map(str::to_owned));
        Self { method, resource, namespace, name, made_for, body }
    }

    /// The body as it is sent. For a Secret this holds its values.
    pub fn body(&self) -> &Value {
        &self.body
    }

    fn outgoing(&self, dry_run: bool) -> Outgoing {
        let (verb, name, content_type) = match self.method {
            Method::POST => ("create", None, "application/json"),
            Method::PUT => ("update", Some(self.name.as_str()), "application/json"),
            _ => ("patch", Some(self.name.as_str()), "application/merge-patch+json"),
        };
        // Strict: without it the server drops fields that this release of ESS does not know, and says nothing.
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

/// How patient a write is; other values only in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// How often the write is sent at most.
    pub(super) tries: u32,
    /// The pause before the first repetition, where the server has no wish; doubled and tripled afterwards.
    pub(super) pause: Duration,
    /// Pauses before the reads that follow a lost answer. A request cut off on its way may still be stored a moment
    /// later, so one look is not enough.
    pub(super) read_back: [Duration; 4],
    /// Time for reading back while the server cannot be reached.
    pub(super) unreachable: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 3,
            pause: Duration::from_millis(300),
            read_back: [20, 300, 700, 1500].map(Duration::from_millis),
            unreachable: Duration::from_secs(20),
        }
    }
}

/// What reading back after a lost answer showed.
enum ReadBack {
    Ours(Value),
    /// The object is another than the write was made for, and the change is not in it.
    Moved,
    Unchanged,
    Unreadable,
}

impl Cluster {
    /// Lets the API server do everything but store the write: validation, defaults, webhooks. Repeated like a read.
    pub async fn dry_run(&self, write: &Write) -> Result<Stored, ClusterError> {
        let (answer, object) = self.ask_for(&write.outgoing(true), object).await?;
        Ok(Stored { object, warnings: answer.warnings, read_back: false })
    }

    /// Writes once, and finds out what became of it (see the module's table).
    ///
    /// `is_ours` tells whether an object carries this change; it is asked only after an answer was lost. Where two
    /// people may make the same change at the same time, let it look for a mark of this run.
    pub async fn write(&self, write: &Write, is_ours: impl Fn(&Value) -> bool) -> WriteOutcome {
        self.write_with(write, is_ours, Patience::default()).await
    }

    pub(super) async fn write_with(
        &self,
        write: &Write,
        is_ours: impl Fn(&Value) -> bool,
        patience: Patience,
    ) -> WriteOutcome {
        let outgoing = write.outgoing(false);
        let mut lost_before = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.exchange(&outgoing, self.inner.limits).await {
                Ok(answer) => match object(&answer.body) {
                    Ok(object) => {
                        return WriteOutcome::Applied(Stored { object, warnings: answer.warnings, read_back: false });
                    }
                    Err(error) => self.unreadable(&outgoing, &error, &answer.body),
                },
                Err(error) => error,
            };
            tracing::debug!(%error, tries, "the write was not answered with success");
            let pause = error.retry_after().unwrap_or(patience.pause * tries).min(Duration::from_secs(5));
            if error.certainly_not_processed() {
                if error.is_transient() && tries < patience.tries {
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
                // A request that we gave up while the server was silent may still be at work there.
                ReadBack::Unchanged if matches!(error.kind(), ErrorKind::Timeout { .. }) => {
                    return WriteOutcome::Unknown(error);
                }
                ReadBack::Unchanged if tries >= patience.tries => return WriteOutcome::NotApplied(error),
                ReadBack::Unchanged => sleep(pause.min(Duration::from_millis(500))).await,
            }
        }
    }

    /// The server refused, or nothing could be sent. If an earlier try was lost, that one may be the reason: a 409 then
    /// can be our own write.
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
        match self.find(&write.resource, write.namespace.as_str(), &write.name).await {
            Ok(Some(object)) if lost_before && is_ours(&object) => WriteOutcome::found(object),
            // The first try's fate is still open, and it cannot be looked up.
            Err(_) if lost_before => WriteOutcome::Unknown(error),
            now if conflict => WriteOutcome::Conflict { error, now: now.ok().flatten() },
            _ => WriteOutcome::NotApplied(error),
        }
    }

    /// Reads back until the change shows, can no longer come, or has had its time.
    async fn read_back(&self, write: &Write, is_ours: &impl Fn(&Value) -> bool, patience: Patience) -> ReadBack {
        let deadline = Instant::now() + patience.unreachable;
        for pause in patience.read_back {
            sleep(pause).await;
            let found = loop {
                match self.find(&write.resource, write.namespace.as_str(), &write.name).await {
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
