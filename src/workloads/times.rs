//! How long Synapse's pods take to stop and start.

use jiff::Timestamp;
use serde_json::Value;

use super::{is_synapse, name};

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
