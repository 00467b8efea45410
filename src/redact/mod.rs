//! The one redactor: takes secrets out of what is kept, shown or handed on.
//!
//! Three nets lie on top of each other, because each has holes. *Known values*: what was read from Secrets, also in base64 and
//! quoted. *Names*: what stands under a key that speaks of a password or token. *Looks*: PEM blocks, tokens, password hashes,
//! URLs with a password, long codes.
//!
//! What support needs stays: names of objects, tables and hosts, user IDs, error texts, ULIDs, UUIDs, digests that are marked
//! as such (`sha256:…`), times and the operator's `completion`.
//!
//! Pure.

mod known;
mod names;
mod patterns;
mod people;

pub use people::People;

use known::KnownValues;
use patterns::{MARK, marked};
use serde_json::{Value, json};

use crate::secrets::SecretBytes;

/// An annotation that is longer repeats whole objects, as `last-applied-configuration` does.
const LONGEST_ANNOTATION: usize = 1024;
/// Fields below a telling key that refer to something.
const REFERENCES: [&str; 9] =
    ["name", "key", "path", "namespace", "kind", "apiVersion", "optional", "mode", "defaultMode"];

/// Knows some secrets, and takes them and what looks like secrets out of texts and trees.
pub struct Redactor {
    known: KnownValues,
}

impl Redactor {
    /// Looks for these values as a whole. Those that cannot be told from other words (less than four bytes, a small number,
    /// `true`) are not looked for.
    pub fn knowing<'a>(values: impl IntoIterator<Item = &'a SecretBytes>) -> Self {
        Self { known: KnownValues::whole(values.into_iter().map(SecretBytes::expose)) }
    }

    /// Looks for any eight bytes in a row of these values: a server that repeats what it was sent cuts it off anywhere.
    pub fn of_echoes<'a>(values: impl IntoIterator<Item = &'a SecretBytes>) -> Self {
        Self { known: KnownValues::parts(values.into_iter().map(SecretBytes::expose)) }
    }

    /// A text without secrets. Lines stay lines, except within a secret that is several lines long.
    pub fn text(&self, text: &str) -> String {
        let text = patterns::blocks(&marked(text, self.known.find(text)));
        patterns::words(&marked(&text, names::values(&text)))
    }

    /// A tree (a status, a settings document) without secrets.
    pub fn tree(&self, tree: &Value) -> Value {
        match tree {
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (self.text(key), self.field(key, value))).collect()
            }
            Value::Array(items) => {
                // `["--password", "x"]`
                let flag = |item: &Value| {
                    item.as_str()
                        .is_some_and(|text| text.starts_with('-') && !text.contains('=') && names::is_telling(text))
                };
                let after_flag = |at: usize| at > 0 && items[at].is_string() && flag(&items[at - 1]);
                let clean = |(at, item)| if after_flag(at) { json!(MARK) } else { self.tree(item) };
                items.iter().enumerate().map(clean).collect()
            }
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }

    fn field(&self, key: &str, value: &Value) -> Value {
        match value {
            // The environment of a container is where secrets are put when nobody thinks about it.
            Value::Array(items) if key == "env" => {
                let mut items = items.clone();
                for value in items.iter_mut().filter_map(|item| item.get_mut("value")) {
                    *value = json!(MARK);
                }
                self.tree(&Value::Array(items))
            }
            Value::String(text) if names::hides(key, text) => json!(MARK),
            Value::Number(number) if names::hides(key, &number.to_string()) => json!(MARK),
            Value::Object(_) | Value::Array(_) if names::is_telling(key) => self.below_telling(value),
            other => self.tree(other),
        }
    }

    /// Everything below a key that speaks of secrets is one, but for what refers to something.
    fn below_telling(&self, tree: &Value) -> Value {
        match tree {
            Value::Object(fields) => {
                let refers = |key: &str| REFERENCES.contains(&key) || key.ends_with("Name");
                let clean = |key, value| if refers(key) { self.tree(value) } else { self.below_telling(value) };
                fields.iter().map(|(key, value)| (self.text(key), clean(key, value))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.below_telling(item)).collect(),
            Value::String(text) if !names::is_harmless(text) => json!(MARK),
            other => other.clone(),
        }
    }

    /// A Kubernetes object without secrets and without what repeats it: `fieldsV1` and long annotations.
    pub fn object(&self, object: &Value) -> Value {
        let mut object = object.clone();
        for entry in object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut).into_iter().flatten() {
            entry.as_object_mut().map(|entry| entry.remove("fieldsV1"));
        }
        for (key, value) in
            object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut).into_iter().flatten()
        {
            let length = value.as_str().map_or(0, str::len);
            if length > LONGEST_ANNOTATION || key.ends_with("last-applied-configuration") {
                *value = json!(format!("[left out: {length} bytes]"));
            }
        }
        self.tree(&object)
    }
}

#[cfg(test)]
mod tests;
