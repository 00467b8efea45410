//! Objects without secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{MARK, Redactor, keys};

/// An annotation that is longer repeats whole objects, as `last-applied-configuration` does.
const LONGEST_ANNOTATION: usize = 1024;

pub(super) fn object(redactor: &Redactor, object: &Value) -> Value {
    let mut object = object.clone();
    if object["kind"] == "Secret" {
        for field in ["data", "stringData"] {
            if let Some(data) = object[field].as_object() {
                object[field] = lengths(data, field == "data");
            }
        }
    }
    if let Some(fields) = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut) {
        for entry in fields {
            let kept = ["manager", "operation", "time", "subresource"];
            *entry = kept
                .iter()
                .map(|key| ((*key).to_owned(), entry[*key].clone()))
                .filter(|(_, value)| !value.is_null())
                .collect();
        }
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        for (key, value) in annotations.iter_mut() {
            let length = value.as_str().map_or(0, str::len);
            if length > LONGEST_ANNOTATION || key.ends_with("last-applied-configuration") {
                *value = json!(format!("[left out: {length} bytes]"));
            }
        }
    }
    let kind = object["kind"].clone();
    let cleaned = value(redactor, &object);
    if kind == "Secret" { keep_lengths(cleaned, &object) } else { cleaned }
}

/// `{"password": "16 bytes"}`.
fn lengths(data: &Map<String, Value>, encoded: bool) -> Value {
    let length = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        if encoded { STANDARD.decode(text).map_or(text.len(), |bytes| bytes.len()) } else { text.len() }
    };
    data.iter().map(|(key, value)| (key.clone(), json!(format!("{} bytes", length(value))))).collect()
}

/// The lengths stand under telling keys, and are no secret.
fn keep_lengths(mut cleaned: Value, with_lengths: &Value) -> Value {
    for field in ["data", "stringData"] {
        if with_lengths[field].is_object() {
            cleaned[field] = with_lengths[field].clone();
        }
    }
    cleaned
}

pub(super) fn value(redactor: &Redactor, tree: &Value) -> Value {
    match tree {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (redactor.text(key), field(redactor, key, value))).collect()
        }
        Value::Array(items) => Value::Array(arguments(redactor, items)),
        Value::String(text) => Value::String(redactor.text(text)),
        other => other.clone(),
    }
}

fn field(redactor: &Redactor, key: &str, value_here: &Value) -> Value {
    match value_here {
        // The environment of a container is where secrets are put when nobody thinks about it.
        Value::Array(items) if key == "env" => items.iter().map(|item| environment(redactor, item)).collect(),
        Value::String(text) if keys::hides(key, text) => json!(MARK),
        Value::Number(_) if keys::hides(key, &value_here.to_string()) => json!(MARK),
        Value::Object(_) | Value::Array(_) if keys::is_telling(key) => below_telling(redactor, value_here),
        other => value(redactor, other),
    }
}

fn environment(redactor: &Redactor, item: &Value) -> Value {
    let mut item = item.clone();
    if item["value"].is_string() {
        item["value"] = json!(MARK);
    }
    value(redactor, &item)
}

/// Everything below a key that speaks of secrets is one, but for what refers to something.
fn below_telling(redactor: &Redactor, tree: &Value) -> Value {
    const REFERENCES: [&str; 9] =
        ["name", "key", "path", "namespace", "kind", "apiVersion", "optional", "mode", "defaultMode"];
    match tree {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value_here)| {
                let refers = REFERENCES.contains(&key.as_str()) || key.ends_with("Name");
                let kept = if refers { value(redactor, value_here) } else { below_telling(redactor, value_here) };
                (redactor.text(key), kept)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| below_telling(redactor, item)).collect(),
        Value::String(text) if !text.is_empty() => json!(MARK),
        other => other.clone(),
    }
}

/// `["--password", "x"]`: the argument after a telling flag.
fn arguments(redactor: &Redactor, items: &[Value]) -> Vec<Value> {
    let mut telling = false;
    items
        .iter()
        .map(|item| {
            let flag = item.as_str().filter(|text| text.starts_with('-') && !text.contains('='));
            let hidden = telling && item.is_string();
            telling = flag.is_some_and(keys::is_telling);
            if hidden { json!(MARK) } else { value(redactor, item) }
        })
        .collect()
}
