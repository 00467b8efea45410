//! The fields of one workload that matter, and how long pods take to stop and start.

use jiff::Timestamp;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// `apps/v1` StatefulSets: Synapse's processes.
    StatefulSet,
    /// `batch/v1` Jobs: the migration.
    Job,
    Pod,
}

impl WorkloadKind {
    pub const ALL: [Self; 3] = [Self::StatefulSet, Self::Job, Self::Pod];
}

#[derive(Debug, Clone)]
pub(super) enum Workload {
    Synapse(StatefulSet),
    Job(Job),
    Pod(Pod),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct StatefulSet {
    pub(super) wanted: u32,
    /// `status.replicas`: pods that exist, including those that are terminating.
    pub(super) there: u32,
    pub(super) ready: u32,
    pub(super) peak: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// Created, but no pod has started.
    Waiting,
    Running,
    Complete,
    Failed,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by name")]
pub(super) struct Pod {
    pub(super) of_job: bool,
    pub(super) of_mas: bool,
    pub(super) ready: bool,
    /// Whether it is terminating or has completed.
    pub(super) over: bool,
    /// The reason why it doesn't start, and the message of Kubernetes on one line.
    pub(super) stuck: Option<(String, String)>,
}

/// Reasons of a waiting container that don't clear up within moments.
const STUCK: [&str; 7] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
];

impl Workload {
    /// `None` for objects that don't belong to the deployment or say nothing about the migration: StatefulSets other than
    /// Synapse's, and Jobs of a `CronJob`.
    pub(super) fn read(kind: WorkloadKind, object: &Value, deployment: &str) -> Option<Self> {
        if !belongs(object, deployment) {
            return None;
        }
        match kind {
            WorkloadKind::StatefulSet => {
                is_synapse(name(object), deployment).then(|| Self::Synapse(stateful_set(object)))
            }
            WorkloadKind::Job => (owner_kind(object) != Some("CronJob")).then(|| Self::Job(job(object))),
            WorkloadKind::Pod => Some(Self::Pod(pod(object, deployment))),
        }
    }
}

/// Whether an object belongs to the deployment: by the operator's label, else by the instance label, else by its name.
fn belongs(object: &Value, deployment: &str) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    match (label("k8s.element.io/owner-name"), label("app.kubernetes.io/instance")) {
        (Some(owner), _) => owner == deployment,
        (None, Some(instance)) => is_or_begins(instance, deployment),
        (None, None) => is_or_begins(name(object), deployment),
    }
}

/// Whether a name is `start`, or begins with `start` and a hyphen.
fn is_or_begins(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

pub(super) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Whether a StatefulSet of this name is one of Synapse's processes.
fn is_synapse(name: &str, deployment: &str) -> bool {
    let process = name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix("-synapse-"));
    process.is_some_and(|process| !["haproxy", "redis", "admin"].contains(&process))
}

fn stateful_set(object: &Value) -> StatefulSet {
    let wanted = count(&object["spec"]["replicas"]).unwrap_or(1);
    let there = count(&object["status"]["replicas"]).unwrap_or(0);
    let ready = count(&object["status"]["readyReplicas"]).unwrap_or(0);
    StatefulSet { wanted, there, ready, peak: there.max(wanted) }
}

fn job(object: &Value) -> Job {
    if condition(object, "Complete") {
        Job::Complete
    } else if condition(object, "Failed") {
        Job::Failed
    } else if count(&object["status"]["active"]).unwrap_or(0) > 0 {
        Job::Running
    } else {
        Job::Waiting
    }
}

fn pod(object: &Value, deployment: &str) -> Pod {
    let leaving = object["metadata"]["deletionTimestamp"].is_string();
    let component = name(object).strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    Pod {
        of_job: owner_kind(object) == Some("Job"),
        of_mas: ["matrix-authentication-service", "mas"].iter().any(|mas| is_or_begins(component, mas)),
        ready: !leaving && condition(object, "Ready"),
        over: leaving || matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")),
        stuck: stuck(object).filter(|_| !leaving),
    }
}

/// The kind of the object that controls this one.
fn owner_kind(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)?["kind"].as_str()
}

fn condition(object: &Value, kind: &str) -> bool {
    let all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.into_iter().any(|one| one["type"] == kind && one["status"] == "True")
}

fn stuck(object: &Value) -> Option<(String, String)> {
    let status = &object["status"];
    let containers =
        ["initContainerStatuses", "containerStatuses"].into_iter().filter_map(|key| status[key].as_array());
    let mut waiting = containers.flatten().map(|container| &container["state"]["waiting"]);
    let waits = waiting.find(|waiting| waiting["reason"].as_str().is_some_and(|why| STUCK.contains(&why)));
    let unscheduled = || {
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        // A true condition has no reason.
        conditions.find(|one| one["type"] == "PodScheduled" && one["reason"] == "Unschedulable")
    };
    let found = waits.or_else(unscheduled)?;
    let message = found["message"].as_str().unwrap_or_default();
    Some((found["reason"].as_str()?.to_owned(), message.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|count| u32::try_from(count).ok())
}

/// Seconds. A pod that took longer was delayed by something else, such as a lost node or an image pull.
const LONGEST_START: i64 = 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub pods: usize,
    /// The longest `terminationGracePeriodSeconds`, in seconds; the default of Kubernetes is 30.
    pub stop: i64,
    /// The longest time from start to ready, in seconds. Restarted pods are left out.
    pub start: Option<i64>,
}

impl Times {
    /// Reads the times from the pods of a namespace; `None` if Synapse has no pods there.
    pub fn of(pods: &[Value], deployment: &str) -> Option<Self> {
        let of_synapse = |pod: &&Value| {
            let owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            let mut sets =
                owners.filter(|owner| owner["kind"] == "StatefulSet").filter_map(|owner| owner["name"].as_str());
            sets.any(|set| is_synapse(set, deployment)) && !name(pod).is_empty()
        };
        let pods: Vec<&Value> = pods.iter().filter(of_synapse).collect();
        let stop = pods.iter().map(|pod| pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30)).max()?;
        Some(Self { pods: pods.len(), stop, start: pods.iter().filter_map(|pod| start(pod)).max() })
    }
}

fn start(pod: &Value) -> Option<i64> {
    let status = &pod["status"];
    let restarts = status["containerStatuses"].as_array().into_iter().flatten();
    if restarts.map(|one| one["restartCount"].as_i64().unwrap_or(0)).sum::<i64>() > 0 {
        return None;
    }
    let time = |text: &Value| text.as_str()?.parse::<Timestamp>().ok();
    let ready =
        status["conditions"].as_array()?.iter().find(|one| one["type"] == "Ready" && one["status"] == "True")?;
    let took = time(&ready["lastTransitionTime"])?.duration_since(time(&status["startTime"])?).as_secs();
    (0..=LONGEST_START).contains(&took).then_some(took)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(set: &str, grace: Option<i64>, ready: &str, restarts: i64) -> Value {
        json!({"metadata": {"name": format!("{set}-0"), "ownerReferences": [{"kind": "StatefulSet", "name": set}]},
            "spec": {"terminationGracePeriodSeconds": grace},
            "status": {"startTime": "2026-11-24T10:00:00Z", "containerStatuses": [{"restartCount": restarts}],
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready}]}})
    }

    #[test]
    fn the_slowest_of_synapses_pods_counts_and_no_other() {
        let pods = [
            pod("chat-synapse-main", None, "2026-11-24T10:00:48Z", 0),
            pod("chat-synapse-worker", Some(45), "2026-11-24T10:00:12Z", 0),
            // Restarted, so its readiness is of another time; beside Synapse; another deployment's; ready hours later.
            pod("chat-synapse-restarted", None, "2026-11-24T10:30:00Z", 1),
            pod("chat-synapse-redis", Some(900), "2026-11-24T10:20:00Z", 0),
            pod("other-synapse-main", Some(900), "2026-11-24T10:20:00Z", 0),
            pod("chat-synapse-late", None, "2026-11-24T19:20:00Z", 0),
        ];
        assert_eq!(Times::of(&pods, "chat"), Some(Times { pods: 4, stop: 45, start: Some(48) }));
        assert_eq!(Times::of(&pods, "nobody"), None);
        assert_eq!(Times::of(&pods[2..3], "chat"), Some(Times { pods: 1, stop: 30, start: None }));
    }
}
