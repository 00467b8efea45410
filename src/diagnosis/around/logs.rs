//! Selects the containers whose logs to read, the most relevant first.

use std::cmp::Reverse;

use serde_json::Value;

/// The role of a container, by names and image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Part of a job, as the migration is.
    Job,
    Mas,
    Synapse,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub pod: String,
    pub namespace: String,
    pub container: String,
    /// The previous container instance.
    pub previous: bool,
    pub role: Role,
    /// Whether an instance ended with an exit code other than 0.
    pub unwell: bool,
    /// The time of its end in the server's format, or empty.
    pub ended: String,
}

/// The started containers of these pods: failed ones first, then those of jobs, of MAS, of Synapse. Of a restarted container, the
/// previous instance comes first. Within a role, the one that ended last comes first, because it is of the last try.
pub fn containers(pods: &[Value]) -> Vec<Container> {
    let mut found = Vec::new();
    for pod in pods {
        for list in ["initContainerStatuses", "containerStatuses"] {
            for status in pod["status"][list].as_array().into_iter().flatten() {
                add(pod, status, &mut found);
            }
        }
    }
    // Stable, so that containers of a pod keep their order.
    found.sort_by_key(|one: &Container| (!one.unwell, one.role, Reverse(one.ended.clone())));
    found
}

fn add(pod: &Value, status: &Value, found: &mut Vec<Container>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let started = ["running", "terminated"].iter().any(|state| status["state"][state].is_object());
    let restarted = status["restartCount"].as_u64().unwrap_or(0) > 0 || status["lastState"]["terminated"].is_object();
    let bad_end = |state: &Value| state["terminated"]["exitCode"].as_i64().is_some_and(|code| code != 0);
    let container = Container {
        pod: text(&pod["metadata"]["name"]),
        namespace: text(&pod["metadata"]["namespace"]),
        container: text(&status["name"]),
        previous: false,
        role: role(pod, status),
        unwell: bad_end(&status["state"]) || bad_end(&status["lastState"]),
        ended: text(&status["state"]["terminated"]["finishedAt"]),
    };
    if restarted {
        let ended = text(&status["lastState"]["terminated"]["finishedAt"]);
        found.push(Container { previous: true, ended, ..container.clone() });
    }
    if started {
        found.push(Container { unwell: container.unwell && !restarted, ..container });
    }
}

fn role(pod: &Value, status: &Value) -> Role {
    let labels = &pod["metadata"]["labels"];
    let owners = pod["metadata"]["ownerReferences"].as_array();
    let of_job = ["job-name", "batch.kubernetes.io/job-name"].iter().any(|label| labels[label].is_string())
        || owners.into_iter().flatten().any(|owner| owner["kind"] == "Job");
    let image = status["image"].as_str().unwrap_or_default();
    let name = format!(
        "{} {} {image}",
        pod["metadata"]["name"].as_str().unwrap_or_default(),
        labels["app.kubernetes.io/name"].as_str().unwrap_or_default()
    )
    .to_ascii_lowercase();
    let mas = |text: &str| {
        text.contains("matrix-authentication")
            || text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "mas")
    };
    if of_job || name.contains("syn2mas") {
        Role::Job
    } else if mas(&name) {
        Role::Mas
    } else if name.contains("synapse") && !name.contains("synapse-admin") {
        Role::Synapse
    } else {
        Role::Other
    }
}
