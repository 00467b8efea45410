//! The objects around a deployment, and which of them belong to it.

use serde_json::Value;

/// The label with the ElementDeployment's name on objects that the updater and the operator create.
pub const OWNER_LABEL: &str = "k8s.element.io/owner-name";
/// The API group of ElementDeployment and of its children.
pub const GROUP: &str = "matrix.element.io";

/// The objects around a deployment. A list that could not be read is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Around {
    pub children: Vec<Value>,
    /// `Deployment`, `StatefulSet`, `ReplicaSet`.
    pub workloads: Vec<Value>,
    pub jobs: Vec<Value>,
    pub pods: Vec<Value>,
    pub events: Vec<Value>,
}

impl Around {
    /// Removes objects that don't belong to this deployment.
    #[must_use]
    pub fn of(mut self, deployment: &str) -> Self {
        for list in [&mut self.children, &mut self.workloads, &mut self.jobs, &mut self.pods] {
            list.retain(|object| belongs(object, deployment));
        }
        let name = |event: &Value| event_object(event)["name"].as_str().map(str::to_owned);
        self.events.retain(|event| name(event).is_some_and(|name| is_named_after(&name, deployment)));
        self
    }
}

/// Whether an object is part of this deployment, by its labels and owners, or else by the operator's naming scheme
/// (`<deployment>-synapse-main`).
pub(super) fn belongs(object: &Value, deployment: &str) -> bool {
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

pub(super) fn title(object: &Value, kind: &str) -> String {
    let kind = object["kind"].as_str().unwrap_or(kind);
    format!("{kind} {}", object["metadata"]["name"].as_str().unwrap_or("without a name"))
}

/// The beginning of a text in one line.
pub(super) fn brief(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.floor_char_boundary(LONGEST);
    if end < line.len() { format!("{}…", &line[..end]) } else { line }
}

/// The object of an event; the two event APIs name the field differently.
pub(super) fn event_object(event: &Value) -> &Value {
    if event["involvedObject"].is_object() { &event["involvedObject"] } else { &event["regarding"] }
}

pub(super) fn event_message(event: &Value) -> &Value {
    if event["message"].is_string() { &event["message"] } else { &event["note"] }
}

/// The time of an event's last occurrence, in the server's format, which sorts as text.
pub(super) fn event_time(event: &Value) -> String {
    let series = &event["series"]["lastObservedTime"];
    let times = [&event["lastTimestamp"], series, &event["eventTime"], &event["metadata"]["creationTimestamp"]];
    times.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
}
