//! Reduces an object to the fields that support needs. Fields that are not listed here are removed, so that none can reveal a
//! secret.

use serde_json::{Map, Value, json};

use super::objects::{event_message, event_object, event_time};

const METADATA: &str = "name namespace uid labels generation creationTimestamp deletionTimestamp";
const POD_STATUS: &str = "phase reason message startTime qosClass conditions initContainerStatuses containerStatuses";
const WORKLOAD_SPEC: &str = "replicas paused suspend backoffLimit completions parallelism activeDeadlineSeconds \
                             ttlSecondsAfterFinished progressDeadlineSeconds";

/// Metadata and the relevant fields of spec and status; for an unknown kind only the status.
pub fn essentials(object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default();
    let mut kept = pick(object, "apiVersion kind");
    let mut metadata = pick(&object["metadata"], METADATA);
    let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let owners: Vec<Value> = owners.map(|owner| Value::Object(pick(owner, "kind name"))).collect();
    if !owners.is_empty() {
        metadata.insert("ownerReferences".to_owned(), Value::Array(owners));
    }
    kept.insert("metadata".to_owned(), Value::Object(metadata));
    let spec = &object["spec"];
    match kind {
        "Pod" => {
            let mut part = pick(spec, "nodeName restartPolicy");
            images(spec, &mut part);
            kept.insert("spec".to_owned(), Value::Object(part));
            kept.insert("status".to_owned(), Value::Object(pick(&object["status"], POD_STATUS)));
        }
        "Job" | "Deployment" | "StatefulSet" | "ReplicaSet" => {
            let mut part = pick(spec, WORKLOAD_SPEC);
            images(&spec["template"]["spec"], &mut part);
            kept.insert("spec".to_owned(), Value::Object(part));
            kept.insert("status".to_owned(), object["status"].clone());
        }
        "Event" => return event(object),
        _ => {
            kept.insert("status".to_owned(), object["status"].clone());
        }
    }
    Value::Object(kept)
}

fn event(event: &Value) -> Value {
    let object = event_object(event);
    let source = event["source"]["component"].as_str().or_else(|| event["reportingComponent"].as_str());
    json!({
        "last": event_time(event),
        "count": event["count"].as_u64().or_else(|| event["series"]["count"].as_u64()).unwrap_or(1),
        "type": event["type"], "reason": event["reason"],
        "object": format!("{} {}", object["kind"].as_str().unwrap_or("?"), object["name"].as_str().unwrap_or("?")),
        "message": event_message(event), "source": source,
    })
}

fn images(spec: &Value, part: &mut Map<String, Value>) {
    for list in ["initContainers", "containers"] {
        let containers = spec[list].as_array().into_iter().flatten();
        let kept: Vec<Value> = containers.map(|one| Value::Object(pick(one, "name image resources"))).collect();
        if !kept.is_empty() {
            part.insert(list.to_owned(), Value::Array(kept));
        }
    }
}

/// The fields with these names, separated by spaces.
fn pick(object: &Value, names: &str) -> Map<String, Value> {
    let kept = names.split(' ').map(|name| (name.to_owned(), object[name].clone()));
    kept.filter(|(_, value)| !value.is_null()).collect()
}
