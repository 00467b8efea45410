//! Reads the objects around a deployment, for advice after a failure and for `report`.

use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Event, Pod},
};
use kube::core::ApiResource;
use serde_json::Value;

use crate::cluster::{Listed, LogEnd, LogOf, Selection, Survey, Unread, Why, qualified, resource, with_kind};
use crate::diagnosis::around::{Around, Container, GROUP, OWNER_LABEL};

const SIDE_BY_SIDE: usize = 6;
const LOGS_SIDE_BY_SIDE: usize = 4;

/// How much to read of each list.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Also workloads, and events of type Normal.
    pub whole: bool,
    pub most: usize,
}

/// The objects that were read, and what could not be read.
#[derive(Debug, Default)]
pub struct Found {
    pub around: Around,
    /// What was not read, or not completely.
    pub unread: Vec<Unread>,
}

/// Reads the children of all kinds, pods, jobs and events and, with [`Depth::whole`], workloads.
pub async fn read(survey: &Survey, namespace: &str, name: &str, depth: Depth) -> Found {
    let (pods, jobs, events) = (resource::<Pod>(), resource::<Job>(), resource::<Event>());
    let all = Selection::default();
    let warnings = Selection { labels: None, fields: (!depth.whole).then(|| "type=Warning".to_owned()) };
    let workload_kinds = [resource::<Deployment>(), resource::<StatefulSet>(), resource::<ReplicaSet>()];
    let list = async |kind: &ApiResource| survey.list(kind, Some(namespace), &all, depth.most).await;
    let (children, pods_found, jobs_found, events_found, workloads) = tokio::join!(
        children(survey, namespace, name, depth.most),
        list(&pods),
        list(&jobs),
        survey.list(&events, Some(namespace), &warnings, depth.most),
        async {
            let mut read = Vec::new();
            for kind in workload_kinds.iter().filter(|_| depth.whole) {
                read.push((kind, list(kind).await));
            }
            read
        }
    );
    let mut found = Found::default();
    let (objects, unread) = children;
    found.around.children = objects;
    found.unread = unread;
    found.around.pods = found.take(&pods, namespace, pods_found);
    found.around.jobs = found.take(&jobs, namespace, jobs_found);
    found.around.events = found.take(&events, namespace, events_found);
    for (kind, listed) in workloads {
        let mut objects = found.take(kind, namespace, listed);
        found.around.workloads.append(&mut objects);
    }
    found.around = found.around.of(name);
    found
}

impl Found {
    /// The objects of a list with their kind; notes what is missing.
    fn take(&mut self, kind: &ApiResource, namespace: &str, listed: Result<Listed, Unread>) -> Vec<Value> {
        match listed {
            Ok(listed) => {
                if listed.more {
                    let what = format!("list {} in namespace {namespace}", qualified(kind));
                    self.unread.push(Unread { what, why: Why::TooLong });
                }
                listed.items.into_iter().map(|item| with_kind(item, kind)).collect()
            }
            Err(unread) => {
                self.unread.push(unread);
                Vec::new()
            }
        }
    }
}

/// The components' own resources: all kinds of the API group except ElementDeployment, by the owner label.
async fn children(survey: &Survey, namespace: &str, name: &str, most: usize) -> (Vec<Value>, Vec<Unread>) {
    let kinds = match survey.kinds(GROUP).await {
        Ok(kinds) => kinds,
        Err(unread) => return (Vec::new(), vec![unread]),
    };
    let selection = Selection { labels: Some(format!("{OWNER_LABEL}={name}")), fields: None };
    let kinds = kinds.into_iter().filter(|kind| kind.plural != "elementdeployments");
    let read = kinds.map(|kind| {
        let selection = &selection;
        async move {
            let listed = survey.list(&kind, Some(namespace), selection, most).await;
            (kind, listed)
        }
    });
    let read: Vec<_> = stream::iter(read).buffered(SIDE_BY_SIDE).collect().await;
    let (mut objects, mut unread) = (Vec::new(), Vec::new());
    for (kind, listed) in read {
        match listed {
            Ok(listed) => objects.extend(listed.items.into_iter().map(|item| with_kind(item, &kind))),
            Err(one) => unread.push(one),
        }
    }
    (objects, unread)
}

fn log_of(container: &Container) -> LogOf {
    LogOf {
        namespace: container.namespace.clone(),
        pod: container.pod.clone(),
        container: container.container.clone(),
        previous: container.previous,
    }
}

/// How much of the end of a log to read.
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
        let end = survey.log(&log_of(&container), limit.lines, limit.bytes).await;
        end.map(|end| (container, end))
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
        unread.iter().filter(|one| one.why == Why::NotAllowed).map(|one| one.what.as_str()).collect();
    let mut lines = Vec::new();
    if !rights.is_empty() {
        lines.push(format!("not allowed: {}", rights.join("; ")));
    }
    lines.extend(unread.iter().filter(|one| one.why != Why::NotAllowed).map(ToString::to_string));
    lines.dedup();
    lines
}
