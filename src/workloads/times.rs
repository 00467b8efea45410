//! How long Synapse's pods take to stop and start.

use k8s_openapi::api::core::v1::Pod;

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
    pub fn of(pods: &[Pod], deployment: &str) -> Option<Self> {
        let of_synapse = |pod: &&Pod| {
            let mut owners = pod.metadata.owner_references.iter().flatten();
            owners.any(|owner| owner.kind == "StatefulSet" && is_synapse(&owner.name, deployment))
        };
        let pods: Vec<&Pod> = pods.iter().filter(of_synapse).collect();
        let grace = |pod: &&Pod| pod.spec.as_ref()?.termination_grace_period_seconds;
        let stop = pods.iter().map(|pod| grace(pod).unwrap_or(30)).max()?;
        Some(Self { pods: pods.len(), stop, start: pods.iter().filter_map(|pod| start(pod)).max() })
    }
}

fn start(pod: &Pod) -> Option<i64> {
    let status = pod.status.as_ref()?;
    if status.container_statuses.iter().flatten().any(|one| one.restart_count > 0) {
        return None;
    }
    let ready = status.conditions.iter().flatten().find(|one| one.type_ == "Ready" && one.status == "True")?;
    let took = ready.last_transition_time.as_ref()?.0.duration_since(status.start_time.as_ref()?.0).as_secs();
    (0..=LONGEST_START).contains(&took).then_some(took)
}

/// Whether a StatefulSet of this name is one of Synapse's processes.
pub(super) fn is_synapse(name: &str, deployment: &str) -> bool {
    let process = name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix("-synapse-"));
    process.is_some_and(|process| !["haproxy", "redis", "admin"].contains(&process))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(set: &str, grace: Option<i64>, ready: &str, restarts: i64) -> Pod {
        let pod = json!({"metadata": {"name": format!("{set}-0"), "ownerReferences": [{"kind": "StatefulSet", "name": set}]},
            "spec": {"terminationGracePeriodSeconds": grace},
            "status": {"startTime": "2026-11-24T10:00:00Z", "containerStatuses": [{"restartCount": restarts}],
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready}]}});
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn the_slowest_of_synapses_pods_counts_and_no_other() {
        let pods = [
            pod("chat-synapse-main", None, "2026-11-24T10:00:48Z", 0),
            pod("chat-synapse-worker", Some(45), "2026-11-24T10:00:12Z", 0),
            // Restarted, so its readiness has another time; not Synapse's; another deployment's; ready hours later.
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
