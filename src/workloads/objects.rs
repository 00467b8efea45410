//! What is taken from one object; everything else of it is dropped at once.

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatefulSet {
    /// `spec.replicas`.
    pub(super) wanted: u32,
    /// `status.replicas`: pods that exist, also those that are stopping.
    pub(super) there: u32,
    /// `status.readyReplicas`.
    pub(super) ready: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// Made, and no pod of it has been started.
    Waiting,
    Running,
    Ended,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by name")]
pub(super) struct Pod {
    /// The name of the object that made it, with its kind.
    pub(super) owner: Option<(String, String)>,
    /// Whether it is ready and stays.
    pub(super) ready: bool,
    pub(super) leaving: bool,
    /// Whether it has done its work and does not run any more.
    pub(super) over: bool,
    pub(super) trouble: Option<Trouble>,
    /// Whether it is one of MAS's.
    pub(super) mas: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Kubernetes' word: `ImagePullBackOff`.
    pub(super) reason: String,
    /// Kubernetes' sentence, on one line; may be empty.
    pub(super) message: String,
}

/// Reasons of a waiting container that do not pass by themselves in a moment.
const TROUBLES: [&str; 7] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
];

/// Whether an object belongs to the deployment. The operator's label decides; without it the instance's name, and
/// without that the object's own.
pub(super) fn belongs(object: &Value, deployment: &str) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    let below = |name: &str| name.strip_prefix(deployment).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    match (label("k8s.element.io/owner-name"), label("app.kubernetes.io/instance")) {
        (Some(owner), _) => owner == deployment,
        (None, Some(instance)) => below(instance),
        (None, None) => below(name(object)),
    }
}

pub(super) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Whether a StatefulSet of this name is one of Synapse's processes, and not what stands beside them.
pub(super) fn is_synapse(name: &str, deployment: &str) -> bool {
    let process = name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix("-synapse-"));
    process.is_some_and(|process| !["haproxy", "redis", "admin"].contains(&process))
}

impl StatefulSet {
    pub(super) fn read(object: &Value) -> Self {
        Self {
            // Kubernetes' own default.
            wanted: count(&object["spec"]["replicas"]).unwrap_or(1),
            there: count(&object["status"]["replicas"]).unwrap_or(0),
            ready: count(&object["status"]["readyReplicas"]).unwrap_or(0),
        }
    }
}

impl Job {
    /// `None` for one that a `CronJob` starts by the clock.
    pub(super) fn read(object: &Value) -> Option<Self> {
        if owner(object).is_some_and(|(kind, _)| kind == "CronJob") {
            return None;
        }
        Some(if condition(object, "Complete") == Some(true) {
            Self::Ended
        } else if condition(object, "Failed") == Some(true) {
            Self::Failed
        } else if count(&object["status"]["active"]).unwrap_or(0) > 0 {
            Self::Running
        } else {
            Self::Waiting
        })
    }
}

impl Pod {
    pub(super) fn read(object: &Value, deployment: &str) -> Self {
        let phase = object["status"]["phase"].as_str().unwrap_or_default();
        let leaving = object["metadata"]["deletionTimestamp"].is_string();
        Self {
            owner: owner(object).map(|(kind, name)| (kind.to_owned(), name.to_owned())),
            ready: !leaving && condition(object, "Ready") == Some(true),
            leaving,
            over: phase == "Succeeded" || phase == "Failed",
            trouble: trouble(object).filter(|_| !leaving),
            mas: is_mas(name(object), deployment),
        }
    }

    pub(super) fn job(&self) -> Option<&str> {
        self.made_by("Job")
    }

    pub(super) fn stateful_set(&self) -> Option<&str> {
        self.made_by("StatefulSet")
    }

    fn made_by(&self, kind: &str) -> Option<&str> {
        self.owner.as_ref().filter(|(owner, _)| owner == kind).map(|(_, name)| name.as_str())
    }
}

fn is_mas(name: &str, deployment: &str) -> bool {
    let component = name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    ["matrix-authentication-service", "mas"]
        .iter()
        .any(|mas| component.strip_prefix(mas).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}

/// Kind and name of the object that controls this one.
fn owner(object: &Value) -> Option<(&str, &str)> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    Some((owner["kind"].as_str()?, owner["name"].as_str()?))
}

fn condition(object: &Value, kind: &str) -> Option<bool> {
    let all = object["status"]["conditions"].as_array()?;
    let found = all.iter().find(|one| one["type"] == kind)?;
    Some(found["status"] == "True")
}

fn trouble(object: &Value) -> Option<Trouble> {
    let status = &object["status"];
    let containers =
        ["initContainerStatuses", "containerStatuses"].into_iter().filter_map(|key| status[key].as_array());
    let waiting = containers.flatten().map(|container| &container["state"]["waiting"]);
    let stuck =
        waiting.into_iter().find(|waiting| waiting["reason"].as_str().is_some_and(|why| TROUBLES.contains(&why)));
    let all = status["conditions"].as_array().into_iter().flatten();
    let unscheduled = || {
        all.into_iter()
            .find(|one| one["type"] == "PodScheduled" && one["status"] == "False" && one["reason"] == "Unschedulable")
    };
    let found = stuck.or_else(unscheduled)?;
    let message = found["message"].as_str().unwrap_or_default();
    Some(Trouble {
        reason: found["reason"].as_str()?.to_owned(),
        message: message.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|count| u32::try_from(count).ok())
}
