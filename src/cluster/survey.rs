//! Reading around a deployment, to find out why something failed or to hand it on: many small reads of things that may
//! not be there or may not be allowed, within an allowance of time, requests and bytes that is never exceeded.
//!
//! Nothing here fails a command. What could not be read comes back as [`Unread`], with the right that is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::AsyncReadExt as _;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroup;
use kube::api::{Api, LogParams};
use kube::client::Body;
use kube::core::{ApiResource, ObjectList};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::cluster::client::connect::Cluster;
use crate::cluster::errors::sorted;
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::list::Selection;
use crate::cluster::resource::{address, encoded, foreign, qualified};

/// How much a survey may take in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// From its beginning to its end.
    pub time: Duration,
    pub requests: u32,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Unread {
    /// Verb, resource and place, as RBAC names them: `list pods in namespace ess`.
    pub what: String,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("not allowed")]
    NotAllowed,
    /// It is not there, or the server does not serve such a thing.
    #[error("not there")]
    NotThere,
    #[error("not reached: the time or the number of requests for this was used up")]
    NotReached,
    #[error("longer than what is read")]
    TooLong,
    /// The server's or the network's words.
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
    /// The container's run before the present one.
    pub previous: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// Whole lines. What is not UTF-8 is replaced.
    pub text: String,
    pub cut: bool,
}

/// A survey under way. Reads may be made side by side.
pub struct Survey {
    client: kube::Client,
}

/// What is left of an allowance.
struct Meter {
    client: kube::Client,
    until: Instant,
    requests: AtomicU32,
    bytes: AtomicU64,
}

/// An answer that is longer than this is not read to its end, whatever is allowed in all.
const LONGEST_ANSWER: u64 = 8 << 20;
/// No single answer is waited for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Survey {
    pub fn new(cluster: &Cluster, allowance: Allowance) -> Self {
        let meter = Arc::new(Meter {
            client: cluster.client(None),
            until: Instant::now() + allowance.time,
            requests: AtomicU32::new(allowance.requests),
            bytes: AtomicU64::new(allowance.bytes),
        });
        let service = tower::service_fn(move |request: Request<Body>| {
            let meter = Arc::clone(&meter);
            async move { meter.ask(request).await }
        });
        Self { client: kube::Client::new(service, cluster.namespace()) }
    }

    /// Objects of a kind, `most` at most. `None` for the namespace means all of them.
    pub async fn list(
        &self,
        kind: &ApiResource,
        namespace: Option<&str>,
        selection: &Selection,
        most: usize,
    ) -> Result<Listed, Unread> {
        const PAGE: usize = 100;
        let mut listed = Listed::default();
        let mut token: Option<String> = None;
        loop {
            let page = u32::try_from(PAGE.min(most - listed.items.len()).max(1)).unwrap_or(u32::MAX);
            let query = selection.query(page, token.as_deref());
            let what = format!("list {} {}", qualified(kind), place(namespace));
            let mut answer: ObjectList<Value> = self.json(address(kind, namespace, None) + &query, what).await?;
            listed.items.append(&mut answer.items);
            token = answer.metadata.continue_.filter(|token| !token.is_empty());
            listed.more = token.is_some();
            if token.is_none() || listed.items.len() >= most {
                return Ok(listed);
            }
        }
    }

    pub async fn get(&self, kind: &ApiResource, namespace: &str, name: &str) -> Result<Value, Unread> {
        let what = format!("get {}/{name} {}", qualified(kind), place(Some(namespace)));
        self.json(address(kind, Some(namespace), Some(name)), what).await
    }

    /// The namespaced kinds of an API group that can be listed, each in the version that the server prefers.
    pub async fn kinds(&self, group: &str) -> Result<Vec<ApiResource>, Unread> {
        let address = format!("/apis/{group}");
        let answer: APIGroup = self.json(address.clone(), format!("get {address}")).await?;
        let others = answer.versions.into_iter().map(|one| one.version);
        let mut versions: Vec<String> = answer.preferred_version.into_iter().map(|one| one.version).collect();
        versions.extend(others.filter(|version| versions.first() != Some(version)).collect::<Vec<_>>());
        let mut kinds: Vec<ApiResource> = Vec::new();
        for version in versions {
            let served = self.client.list_api_group_resources(&format!("{group}/{version}")).await;
            let served = served.map_err(|error| unread(format!("get {address}/{version}"), error))?;
            for resource in served.resources {
                let lists = resource.verbs.iter().any(|verb| verb == "list");
                let known = kinds.iter().any(|kind| kind.plural == resource.name);
                if resource.namespaced && lists && !known && !resource.name.contains('/') {
                    kinds.push(foreign(group, &version, &resource.kind, &resource.name));
                }
            }
        }
        Ok(kinds)
    }

    /// The API server's version, as it tells everybody.
    pub async fn server_version(&self) -> Result<Value, Unread> {
        self.json("/version".to_owned(), "get /version".to_owned()).await
    }

    /// The end of a log: `lines` at most, and `longest` bytes at most.
    pub async fn log(&self, of: &LogOf, lines: u32, longest: usize) -> Result<LogEnd, Unread> {
        // The server counts `limitBytes` from the first of the last lines on, so that a limit that is reached cuts off the
        // very end. Then it is asked again for fewer lines.
        const MOST: u32 = 2 << 20;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &encoded(&of.namespace));
        let mut lines = lines;
        loop {
            let params = LogParams {
                container: Some(of.container.clone()),
                previous: of.previous,
                tail_lines: Some(lines.into()),
                limit_bytes: Some(MOST.into()),
                ..LogParams::default()
            };
            let mut body = Vec::new();
            match pods.log_stream(&encoded(&of.pod), &params).await {
                // The meter has the whole answer already.
                Ok(log) => drop(std::pin::pin!(log).read_to_end(&mut body).await),
                Err(error) => {
                    let which = if of.previous { " (the run before)" } else { "" };
                    let (pod, container, namespace) = (&of.pod, &of.container, &of.namespace);
                    let what = format!("get pods/log of {pod}, container {container}{which}, in namespace {namespace}");
                    return Err(unread(what, error));
                }
            }
            if body.len() >= MOST as usize && lines > 1 {
                lines = (lines / 8).max(1);
                continue;
            }
            return Ok(end_of(&body, lines, longest));
        }
    }

    async fn json<T: DeserializeOwned>(&self, address: String, what: String) -> Result<T, Unread> {
        let answer = match Request::get(address).body(Vec::new()) {
            Ok(request) => self.client.request(request).await,
            Err(error) => Err(kube::Error::HttpError(error)),
        };
        answer.map_err(|error| unread(what, error))
    }
}

impl Meter {
    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Asks, once more where that may help, and reads the whole answer.
    async fn ask(&self, request: Request<Body>) -> Result<Response<Body>, Why> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap_or_default();
        for last in [false, true] {
            if !self.has_time()
                || self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
            {
                return Err(Why::NotReached);
            }
            let until = self.until.min(Instant::now() + LONGEST_WAIT);
            let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
            match timeout_at(until, self.exchange(request)).await {
                Ok(Ok(body)) => return Ok(Response::new(Body::from(body))),
                Ok(Err(Trouble::TooLong)) => return Err(Why::TooLong),
                Err(_) if last || !self.has_time() => return Err(Why::NotReached),
                Ok(Err(Trouble::Error(error))) if last || !error.is_transient() => return Err(why(&error)),
                Err(_) | Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Err(Why::NotReached)
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Bytes, Trouble> {
        let error = |error| Trouble::Error(sorted(error));
        let mut body = self.client.send(request).await.map_err(error)?.into_body();
        let mut collected = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(error)?.into_data() else { continue };
            let length = data.len() as u64;
            let allowed =
                self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(length));
            if allowed.is_err() || collected.len() as u64 + length > LONGEST_ANSWER {
                return Err(Trouble::TooLong);
            }
            collected.extend_from_slice(&data);
        }
        Ok(collected.into())
    }
}

enum Trouble {
    Error(ClusterError),
    TooLong,
}

fn unread(what: String, error: kube::Error) -> Unread {
    let why = match error {
        kube::Error::Service(error) => {
            error.downcast::<Why>().map_or_else(|error| Why::Failed(error.to_string()), |why| *why)
        }
        _ => Why::Failed("the answer is not the JSON that was expected".to_owned()),
    };
    Unread { what, why }
}

fn why(error: &ClusterError) -> Why {
    match error.kind() {
        ErrorKind::Forbidden { .. } => Why::NotAllowed,
        ErrorKind::NotFound | ErrorKind::NoSuchApi => Why::NotThere,
        ErrorKind::ServerTrouble { message, code, .. } | ErrorKind::Refused { message, code } => {
            Why::Failed(if message.is_empty() { format!("the server answered {code}") } else { message.clone() })
        }
        ErrorKind::Invalid { message, .. } | ErrorKind::Conflict { message } => Why::Failed(message.clone()),
        ErrorKind::Unreachable { reason }
        | ErrorKind::TlsTrouble { reason }
        | ErrorKind::ConnectionLost { reason }
        | ErrorKind::Unreadable { reason } => Why::Failed(reason.clone()),
        ErrorKind::Timeout { .. } => Why::Failed("no answer in time".to_owned()),
        ErrorKind::Unauthorized => Why::Failed("your credentials are not accepted".to_owned()),
        _ => Why::Failed(error.to_string()),
    }
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "in all namespaces".to_owned(), |namespace| format!("in namespace {namespace}"))
}

/// The last bytes, from the beginning of a line on.
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
