//! Reading around a deployment, to find out why something failed or to hand it on: many small reads of things that may
//! not be there or may not be allowed, within an allowance of time, requests and bytes that is never exceeded.
//!
//! Nothing here fails a command. What could not be read comes back as [`Unread`], with the right that is missing.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::{
    connect::Cluster,
    errors::{ClusterError, ErrorKind},
    read::Selection,
    resource::{Action, Resource, encoded, query},
    transport::{Outgoing, retry_after, split},
};

/// How much a survey may take in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// From its beginning to its end.
    pub time: Duration,
    /// Requests sent.
    pub requests: u32,
    /// Bytes of answers read.
    pub bytes: u64,
}

/// A kind of object, as the API server names it. Unlike a [`Resource`] it may be one that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural, as in addresses.
    pub plural: String,
    /// As people read it.
    pub kind: String,
}

impl Kind {
    /// A kind that is known.
    pub fn new(group: &str, version: &str, plural: &str, kind: &str) -> Self {
        Self { group: group.into(), version: version.into(), plural: plural.into(), kind: kind.into() }
    }

    /// `synapses.matrix.element.io`, as RBAC's messages have it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", encoded(&self.group), encoded(&self.version))
        };
        if let Some(namespace) = namespace {
            path.push_str("/namespaces/");
            path.push_str(&encoded(namespace));
        }
        path.push('/');
        path.push_str(&encoded(&self.plural));
        if let Some(name) = name {
            path.push('/');
            path.push_str(&encoded(name));
        }
        path
    }
}

/// Something that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Verb, resource and place, as RBAC names them: `list pods in namespace ess`.
    pub what: String,
    /// Why not.
    pub why: Why,
}

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The right to do that is missing.
    NotAllowed,
    /// It is not there, or the server does not serve such a thing.
    NotThere,
    /// The time or the number of requests was used up before.
    NotReached,
    /// The answer was longer than what is read.
    TooLong,
    /// The server's or the network's words.
    Failed(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => "not allowed",
            Self::NotThere => "not there",
            Self::NotReached => "not reached: the time or the number of requests for this was used up",
            Self::TooLong => "longer than what is read",
            Self::Failed(words) => words,
        })
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// Some objects of a kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// The objects.
    pub items: Vec<Value>,
    /// Whether there are more than were read.
    pub more: bool,
}

/// Which container's log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogOf {
    /// Namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The container's run before the present one.
    pub previous: bool,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// Whole lines. What is not UTF-8 is replaced.
    pub text: String,
    /// Whether there was more before.
    pub cut: bool,
}

/// A survey under way. Reads may be made side by side.
pub struct Survey {
    cluster: Cluster,
    until: Instant,
    requests: AtomicU32,
    bytes: AtomicU64,
}

/// An answer that is longer than this is not read to its end, whatever is allowed in all.
const LONGEST_ANSWER: u64 = 8 << 20;
/// No single answer is waited for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Survey {
    /// Begins now.
    pub fn new(cluster: &Cluster, allowance: Allowance) -> Self {
        Self {
            cluster: cluster.clone(),
            until: Instant::now() + allowance.time,
            requests: AtomicU32::new(allowance.requests),
            bytes: AtomicU64::new(allowance.bytes),
        }
    }

    /// Whether there is time left.
    pub fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Objects of a kind, `most` at most. `None` for the namespace means all of them.
    pub async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selection: &Selection,
        most: usize,
    ) -> Result<Listed, Unread> {
        const PAGE: usize = 100;
        let mut listed = Listed::default();
        let mut token: Option<String> = None;
        loop {
            let page = PAGE.min(most - listed.items.len()).max(1).to_string();
            let mut pairs = vec![("limit", page.as_str())];
            pairs.extend(selection.labels.as_deref().map(|labels| ("labelSelector", labels)));
            pairs.extend(selection.fields.as_deref().map(|fields| ("fieldSelector", fields)));
            pairs.extend(token.as_deref().map(|token| ("continue", token)));
            let what = format!("list {} {}", kind.qualified(), place(namespace));
            let mut answer = self.json(kind.path(namespace, None) + &query(&pairs), "list", what).await?;
            if let Some(items) = answer["items"].as_array_mut() {
                listed.items.append(items);
            }
            token = answer["metadata"]["continue"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
            listed.more = token.is_some();
            if token.is_none() || listed.items.len() >= most {
                return Ok(listed);
            }
        }
    }

    /// One object.
    pub async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Value, Unread> {
        let what = format!("get {}/{name} {}", kind.qualified(), place(Some(namespace)));
        self.json(kind.path(Some(namespace), Some(name)), "get", what).await
    }

    /// The namespaced kinds of an API group that can be listed, each in the version that the server prefers.
    pub async fn kinds(&self, group: &str) -> Result<Vec<Kind>, Unread> {
        let address = format!("/apis/{}", encoded(group));
        let answer = self.json(address.clone(), "get", format!("get {address}")).await?;
        let preferred = answer["preferredVersion"]["version"].as_str();
        let others = answer["versions"].as_array().into_iter().flatten().filter_map(|one| one["version"].as_str());
        let mut versions: Vec<&str> = preferred.into_iter().collect();
        versions.extend(others.filter(|version| Some(*version) != preferred));
        let mut kinds: Vec<Kind> = Vec::new();
        for version in versions {
            let address = format!("/apis/{}/{}", encoded(group), encoded(version));
            let answer = self.json(address.clone(), "get", format!("get {address}")).await?;
            for resource in answer["resources"].as_array().into_iter().flatten() {
                let text = |key: &str| resource[key].as_str().unwrap_or_default();
                let lists = resource["verbs"].as_array().is_some_and(|verbs| verbs.contains(&Value::from("list")));
                let known = kinds.iter().any(|kind| kind.plural == text("name"));
                if resource["namespaced"] == true && lists && !known && !text("name").contains('/') {
                    kinds.push(Kind::new(group, version, text("name"), text("kind")));
                }
            }
        }
        Ok(kinds)
    }

    /// The API server's version, as it tells everybody.
    pub async fn server_version(&self) -> Result<Value, Unread> {
        self.json("/version".to_owned(), "get", "get /version".to_owned()).await
    }

    /// The end of a log: `lines` at most, and `longest` bytes at most.
    pub async fn log(&self, of: &LogOf, lines: u32, longest: usize) -> Result<LogEnd, Unread> {
        // The server counts `limitBytes` from the first of the last lines on, so that a limit that is reached cuts off the
        // very end. Then it is asked again for fewer lines.
        const MOST: usize = 2 << 20;
        let which = if of.previous { " (the run before)" } else { "" };
        let what =
            format!("get pods/log of {}, container {}{which}, in namespace {}", of.pod, of.container, of.namespace);
        let kind = Kind::new("", "v1", "pods", "Pod");
        let mut lines = lines;
        loop {
            let (tail, limit) = (lines.to_string(), MOST.to_string());
            let mut pairs = vec![
                ("container", of.container.as_str()),
                ("tailLines", tail.as_str()),
                ("limitBytes", limit.as_str()),
            ];
            if of.previous {
                pairs.push(("previous", "true"));
            }
            let address = kind.path(Some(&of.namespace), Some(&of.pod)) + "/log" + &query(&pairs);
            let body = self.bytes(address, "get", "*/*", &what).await?;
            if body.len() >= MOST && lines > 1 {
                lines = (lines / 8).max(1);
                continue;
            }
            return Ok(end_of(&body, lines, longest));
        }
    }

    async fn json(&self, address: String, verb: &'static str, what: String) -> Result<Value, Unread> {
        let body = self.bytes(address, verb, "application/json", &what).await?;
        serde_json::from_slice(&body)
            .map_err(|_| Unread { what, why: Why::Failed("the answer is not the JSON that was expected".to_owned()) })
    }

    /// Asks, once more where that may help.
    async fn bytes(
        &self,
        address: String,
        verb: &'static str,
        accept: &'static str,
        what: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Unread> {
        // Only for the inside of an error, whose sentence is not used.
        let action = Action::new(verb, Resource { group: "", version: "", plural: "", kind: "" }, None, None);
        let mut outgoing = Outgoing::get(address, action);
        outgoing.accept = accept;
        let unread = |why| Unread { what: what.to_owned(), why };
        for last in [false, true] {
            if !self.has_time()
                || self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
            {
                return Err(unread(Why::NotReached));
            }
            match self.exchange(&outgoing).await {
                Ok(body) => return Ok(body),
                Err(Trouble::TooLong) => return Err(unread(Why::TooLong)),
                Err(Trouble::OutOfTime) if last || !self.has_time() => return Err(unread(Why::NotReached)),
                Err(Trouble::Error(error)) if last || !error.is_transient() => return Err(unread(why(&error))),
                Err(Trouble::OutOfTime | Trouble::Error(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Err(unread(Why::NotReached))
    }

    async fn exchange(&self, outgoing: &Outgoing) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let until = self.until.min(Instant::now() + LONGEST_WAIT);
        let response = timeout_at(until, self.cluster.open(outgoing, None)).await??;
        let (status, headers, mut body) = split(response);
        let mut collected = Zeroizing::new(Vec::new());
        while let Some(frame) = timeout_at(until, body.frame()).await? {
            let Ok(data) = frame
                .map_err(|error| ClusterError::new(ErrorKind::ConnectionLost { reason: error.to_string() }))?
                .into_data()
            else {
                continue;
            };
            let length = data.len() as u64;
            let allowed =
                self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(length));
            if allowed.is_err() || collected.len() as u64 + length > LONGEST_ANSWER {
                return Err(Trouble::TooLong);
            }
            collected.extend_from_slice(&data);
        }
        if status.is_success() {
            Ok(collected)
        } else {
            Err(ClusterError::from_answer(status.as_u16(), retry_after(&headers), &collected).into())
        }
    }
}

enum Trouble {
    Error(ClusterError),
    OutOfTime,
    TooLong,
}

impl From<ClusterError> for Trouble {
    fn from(error: ClusterError) -> Self {
        Self::Error(error)
    }
}

impl From<tokio::time::error::Elapsed> for Trouble {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::OutOfTime
    }
}

fn why(error: &ClusterError) -> Why {
    let told = |message: &str| if message.is_empty() { error.to_string() } else { message.to_owned() };
    match error.kind() {
        ErrorKind::Forbidden { .. } => Why::NotAllowed,
        ErrorKind::NotFound | ErrorKind::NoSuchApi => Why::NotThere,
        ErrorKind::ServerTrouble { message, .. }
        | ErrorKind::Refused { message, .. }
        | ErrorKind::Invalid { message, .. } => Why::Failed(told(message)),
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
