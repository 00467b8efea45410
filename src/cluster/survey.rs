//! Reads objects around a deployment within a time limit, for failure details and reports. The objects may be missing or
//! forbidden.
//!
//! Nothing here fails a command: an [`Unread`] says what could not be read, and which permission is missing.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResource, APIResourceList};
use kube::core::ApiResource;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::client::connect::Cluster;
use super::client::transport::Outgoing;
use super::errors::{ClusterError, ErrorKind};
use super::list::Selection;
use super::resource::{Action, address, foreign, qualified, query, resource};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Unread {
    /// Verb, resource and namespace, as in RBAC: `list pods in namespace ess`.
    pub what: String,
    pub why: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("not allowed")]
    NotAllowed,
    /// The object doesn't exist, or its API is not served.
    #[error("not found")]
    NotThere,
    #[error("not read: the time limit was reached")]
    NotReached,
    #[error("longer than the limit")]
    TooLong,
    /// The server's or the network's message.
    #[error("{0}")]
    Failed(String),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    pub items: Vec<Value>,
    /// Whether there are more than were read.
    pub more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogOf {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// The log of the previous container instance.
    pub previous: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// Whole lines; invalid UTF-8 is replaced.
    pub text: String,
    pub cut: bool,
}

/// Reads with a common time limit; may be concurrent.
pub struct Survey {
    cluster: Cluster,
    until: Instant,
}

impl Survey {
    pub fn new(cluster: &Cluster, time: Duration) -> Self {
        Self { cluster: cluster.clone(), until: Instant::now() + time }
    }

    /// At most `most` objects of a kind. `namespace: None` means all namespaces.
    pub async fn list(
        &self,
        kind: &ApiResource,
        namespace: Option<&str>,
        selection: &Selection,
        most: usize,
    ) -> Result<Listed, Unread> {
        const PAGE: u32 = 100;
        let page = u32::try_from(most).unwrap_or(PAGE).min(PAGE);
        let mut pages = self.cluster.list::<Value>(kind, namespace, selection.clone(), page);
        let mut items = Vec::new();
        let read = async {
            while items.len() < most
                && let Some(page) = pages.next().await?
            {
                items.extend(page.items);
            }
            Ok(())
        };
        self.in_time(read, || format!("list {} {}", qualified(kind), place(namespace))).await?;
        let more = !pages.ended || items.len() > most;
        items.truncate(most);
        Ok(Listed { items, more })
    }

    pub async fn get(&self, kind: &ApiResource, namespace: &str, name: &str) -> Result<Value, Unread> {
        let what = || format!("get {}/{name} {}", qualified(kind), place(Some(namespace)));
        self.in_time(self.cluster.get(kind, Some(namespace), name), what).await
    }

    /// The listable namespaced kinds of an API group, each in the server's preferred version.
    pub async fn kinds(&self, group: &str) -> Result<Vec<ApiResource>, Unread> {
        let APIGroup { mut versions, preferred_version, .. } = self.document(&format!("/apis/{group}")).await?;
        versions.sort_by_key(|version| Some(version) != preferred_version.as_ref());
        let mut kinds: Vec<ApiResource> = Vec::new();
        for version in versions.into_iter().map(|version| version.version) {
            let served: APIResourceList = self.document(&format!("/apis/{group}/{version}")).await?;
            for APIResource { name, kind, namespaced, verbs, .. } in served.resources {
                let known = kinds.iter().any(|kind| kind.plural == name);
                if namespaced && verbs.iter().any(|verb| verb == "list") && !known && !name.contains('/') {
                    kinds.push(foreign(group, &version, &kind, &name));
                }
            }
        }
        Ok(kinds)
    }

    /// The end of a log: `lines` at most, and `longest` bytes at most.
    pub async fn log(&self, of: &LogOf, mut lines: u32, longest: usize) -> Result<LogEnd, Unread> {
        // The server counts `limitBytes` from the first of the requested lines, so reaching the limit cuts off the end of the
        // log. Then fewer lines are requested.
        const MOST: usize = 2 << 20;
        let LogOf { namespace, pod, container, previous } = of;
        let log = foreign("", "v1", "Pod", "pods/log");
        loop {
            let (limit, tail) = (MOST.to_string(), lines.to_string());
            let mut pairs = vec![("container", container.as_str()), ("limitBytes", &limit), ("tailLines", &tail)];
            pairs.extend(previous.then_some(("previous", "true")));
            let address = address(&resource::<Pod>(), Some(namespace), Some(pod)) + "/log" + &query(&pairs);
            let outgoing = Outgoing::get(address, Action::new("get", &log, Some(namespace), Some(pod)));
            let read = self.cluster.ask_for(&outgoing, |answer| Ok(answer.body.clone()));
            let what = || {
                let which = if *previous { " (previous)" } else { "" };
                format!("get pods/log of {pod}, container {container}{which}, in namespace {namespace}")
            };
            let body = self.in_time(read, what).await?;
            if body.len() < MOST || lines <= 1 {
                return Ok(end_of(&body, lines, longest));
            }
            lines = (lines / 8).max(1);
        }
    }

    /// Reads a URL path that is not an object's.
    pub async fn document<T: DeserializeOwned>(&self, address: &str) -> Result<T, Unread> {
        let action = Action::new("get", &foreign("", "", address, address), None, None);
        let outgoing = Outgoing::get(address.to_owned(), action);
        let read = self.cluster.ask_for(&outgoing, |answer| serde_json::from_slice(&answer.body));
        self.in_time(read, || format!("get {address}")).await
    }

    async fn in_time<T>(
        &self,
        read: impl Future<Output = Result<T, ClusterError>>,
        what: impl Fn() -> String,
    ) -> Result<T, Unread> {
        // After the limit nothing is sent.
        let in_time =
            async { timeout_at(self.until, read).await.map_err(|_| Reason::NotReached)?.map_err(|error| why(&error)) };
        let over = Instant::now() >= self.until;
        if over { Err(Reason::NotReached) } else { in_time.await }.map_err(|why| Unread { what: what(), why })
    }
}

fn why(error: &ClusterError) -> Reason {
    match error.kind() {
        ErrorKind::Forbidden { .. } => Reason::NotAllowed,
        ErrorKind::NotFound | ErrorKind::NoSuchApi => Reason::NotThere,
        kind => Reason::Failed(kind.words().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "in all namespaces".to_owned(), |namespace| format!("in namespace {namespace}"))
}

/// The last whole lines within `longest` bytes.
fn end_of(body: &[u8], lines: u32, longest: usize) -> LogEnd {
    let start = body.len().saturating_sub(longest);
    let start = match body[start..].iter().position(|byte| *byte == b'\n') {
        Some(at) if start > 0 => start + at + 1,
        _ => start,
    };
    let full = body.split(|byte| *byte == b'\n').count() > lines as usize;
    LogEnd { text: String::from_utf8_lossy(&body[start..]).into_owned(), cut: start > 0 || full }
}

#[cfg(test)]
mod tests;
