//! What the objects around a deployment tell: the components' own resources, pods, jobs, events. The operator writes a
//! child resource per component and makes the workloads from it, and trouble down there does not always come up into the
//! ElementDeployment's status.

mod essentials;
mod logs;
mod symptoms;

use serde_json::Value;

pub use essentials::essentials;
pub use logs::{Container, Role, containers};
pub use symptoms::{Symptom, symptoms};

/// The label that the updater and the operator put on what they make, with the ElementDeployment's name.
pub const OWNER_LABEL: &str = "k8s.element.io/owner-name";
/// The API group of ElementDeployment and of its children.
pub const GROUP: &str = "matrix.element.io";

/// What was found around a deployment. What could not be read is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Around {
    /// The components' own resources, whatever their kinds.
    pub children: Vec<Value>,
    /// What keeps pods running: `Deployment`, `StatefulSet`, `ReplicaSet`.
    pub workloads: Vec<Value>,
    pub jobs: Vec<Value>,
    pub pods: Vec<Value>,
    pub events: Vec<Value>,
}

impl Around {
    /// Leaves out what does not belong to this deployment, as far as that can be told.
    #[must_use]
    pub fn of(mut self, deployment: &str) -> Self {
        for list in [&mut self.children, &mut self.workloads, &mut self.jobs, &mut self.pods] {
            list.retain(|object| belongs(object, deployment));
        }
        self.events.retain(|event| {
            let named = event["involvedObject"]["name"].as_str().or_else(|| event["regarding"]["name"].as_str());
            named.is_some_and(|name| is_named_after(name, deployment))
        });
        self
    }
}

/// Whether an object is part of this deployment. Labels and owners decide; where there are none, the operator's way to name
/// things does (`<deployment>-synapse-main`).
fn belongs(object: &Value, deployment: &str) -> bool {
    let labels = &object["metadata"]["labels"];
    if let Some(owner) = labels[OWNER_LABEL].as_str() {
        return owner == deployment;
    }
    let owners = object["metadata"]["ownerReferences"].as_array();
    if let Some(owner) = owners.into_iter().flatten().find(|owner| owner["kind"] == "ElementDeployment") {
        return owner["name"] == deployment;
    }
    let instance = labels["app.kubernetes.io/instance"].as_str();
    instance.is_some_and(|instance| is_named_after(instance, deployment))
        || object["metadata"]["name"].as_str().is_some_and(|name| is_named_after(name, deployment))
}

fn is_named_after(name: &str, deployment: &str) -> bool {
    name.strip_prefix(deployment).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
}

/// `Pod mas-0`.
fn title(object: &Value, kind: &str) -> String {
    let kind = object["kind"].as_str().unwrap_or(kind);
    format!("{kind} {}", object["metadata"]["name"].as_str().unwrap_or("without a name"))
}

/// The beginning of a text, as one line.
fn brief(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.floor_char_boundary(LONGEST);
    if end < line.len() { format!("{}…", &line[..end]) } else { line }
}

#[cfg(test)]
mod tests;
