//! Reads the objects around a deployment, for advice after a failure and for `report`.

use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::core::ApiResource;
use serde_json::Value;

use crate::cluster::{Listed, LogEnd, LogOf, Reason, Selection, Survey, Unread, qualified, resource, with_kind};
use crate::diagnosis::around::{Around, Container, GROUP, OWNER_LABEL};

const SIDE_BY_SIDE: usize = 6;
const LOGS_SIDE_BY_SIDE: usize = 4;

#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Also workloads, and events of type Normal.
    pub whole: bool,
    pub most: usize,
}

#[derive(Debug, Default)]
pub struct Found {
    pub around: Around,
    /// What was not read, or not completely.
    pub unread: Vec<Unread>,
}

type Read = (ApiResource, Result<Listed, Unread>);

/// Reads the children of all kinds, pods, jobs and events and, with [`Depth::whole`], workloads.
pub async fn read(survey: &Survey, namespace: &str, name: &str, depth: Depth) -> Found {
    let all = Selection::default();
    let warnings = Selection { labels: None, fields: (!depth.whole).then(|| "type=Warning".to_owned()) };
    let children = Selection { labels: Some(format!("{OWNER_LABEL}={name}")), fields: None };
    let list = async |kind: ApiResource, selection: &Selection| {
        let listed = survey.list(&kind, Some(namespace), selection, depth.most).await;
        vec![(kind, listed)]
    };
    let (kinds, pods, jobs, events, workloads) = tokio::join!(
        async {
            let kinds = Box::pin(survey.kinds(GROUP)).await?.into_iter();
            let kinds = kinds.filter(|kind| kind.plural != "elementdeployments");
            let read = stream::iter(kinds.map(|kind| list(kind, &children))).buffered(SIDE_BY_SIDE);
            Ok::<_, Unread>(read.concat().await)
        },
        list(resource::<Pod>(), &all),
        list(resource::<Job>(), &all),
        list(resource::<Event>(), &warnings),
        async {
            let mut read = Vec::new();
            let kinds = [resource::<Deployment>(), resource::<StatefulSet>(), resource::<ReplicaSet>()];
            for kind in kinds.into_iter().filter(|_| depth.whole) {
                read.extend(list(kind, &all).await);
            }
            read
        }
    );
    let mut unread = Vec::new();
    let kinds = kinds.unwrap_or_else(|error| {
        unread.push(error);
        Vec::new()
    });
    let mut take = |read: Vec<Read>| take(read, namespace, &mut unread);
    let around = Around {
        children: take(kinds),
        pods: take(pods),
        jobs: take(jobs),
        events: take(events),
        workloads: take(workloads),
    };
    Found { around: around.of(name), unread }
}

/// The objects of lists with their kind; notes what is missing.
fn take(read: Vec<Read>, namespace: &str, unread: &mut Vec<Unread>) -> Vec<Value> {
    let mut objects = Vec::new();
    for (kind, listed) in read {
        match listed {
            Ok(listed) => {
                let what = || format!("list {} in namespace {namespace}", qualified(&kind));
                unread.extend(listed.more.then(|| Unread { what: what(), why: Reason::TooLong }));
                objects.extend(listed.items.into_iter().map(|item| with_kind(item, &kind)));
            }
            Err(error) => unread.push(error),
        }
    }
    objects
}

#[derive(Debug, Clone, Copy)]
pub struct LogLimit {
    pub lines: u32,
    pub bytes: usize,
}

/// Reads the ends of these containers' logs, in order. Not yet redacted.
pub async fn logs(
    survey: &Survey,
    containers: Vec<Container>,
    limit: LogLimit,
) -> (Vec<(Container, LogEnd)>, Vec<Unread>) {
    let read = containers.into_iter().map(async |container| {
        let Container { namespace, pod, container: name, previous, .. } = container.clone();
        let of = LogOf { namespace, pod, container: name, previous };
        survey.log(&of, limit.lines, limit.bytes).await.map(|end| (container, end))
    });
    let read: Vec<_> = stream::iter(read).buffered(LOGS_SIDE_BY_SIDE).collect().await;
    let (mut logs, mut unread) = (Vec::new(), Vec::new());
    for log in read {
        log.map_or_else(|one| unread.push(one), |log| logs.push(log));
    }
    (logs, unread)
}

/// Lists what is missing, with the permissions on one line because an administrator has to grant them.
pub fn missing(unread: &[Unread]) -> Vec<String> {
    let rights: Vec<&str> =
        unread.iter().filter(|one| one.why == Reason::NotAllowed).map(|one| one.what.as_str()).collect();
    let mut lines = Vec::new();
    if !rights.is_empty() {
        lines.push(format!("not allowed: {}", rights.join("; ")));
    }
    lines.extend(unread.iter().filter(|one| one.why != Reason::NotAllowed).map(ToString::to_string));
    lines.dedup();
    lines
}
