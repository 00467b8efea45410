//! The only redactor: removes secrets from everything that is stored, shown or passed on.
//!
//! Three methods complement each other. *Known values*: values from Secrets, also in base64 and quoted. *Names*: values of keys
//! for passwords or tokens. *Patterns*: PEM blocks, tokens, password hashes, URLs with a password, long codes.
//!
//! It keeps what support needs: names of objects, tables and hosts, user IDs, error texts, ULIDs, UUIDs, digests with a prefix
//! (`sha256:…`), times and the operator's `completion`.
//!
//! Pure.

mod known;
mod names;
mod patterns;
mod people;

pub use people::UserIds;

use known::KnownValues;
use patterns::{MARK, marked};
use serde_json::{Value, json};

use crate::secrets::SecretBytes;

/// A longer annotation repeats whole objects, as `last-applied-configuration` does.
const LONGEST_ANNOTATION: usize = 1024;
/// Fields below a secret key that refer to other objects.
const REFERENCES: [&str; 9] =
    ["name", "key", "path", "namespace", "kind", "apiVersion", "optional", "mode", "defaultMode"];

pub struct Redactor {
    known: KnownValues,
}

impl Redactor {
    /// Redacts these values as a whole, except ordinary ones (less than four bytes, a small number, `true`).
    pub fn knowing<'a>(values: impl IntoIterator<Item = &'a SecretBytes>) -> Self {
        Self { known: KnownValues::whole(values.into_iter().map(SecretBytes::expose)) }
    }

    /// Redacts any eight consecutive bytes of these values: a server may repeat a part of a request.
    pub fn of_echoes<'a>(values: impl IntoIterator<Item = &'a SecretBytes>) -> Self {
        Self { known: KnownValues::parts(values.into_iter().map(SecretBytes::expose)) }
    }

    /// A text without secrets. Keeps lines, except within a secret of several lines.
    pub fn text(&self, text: &str) -> String {
        let text = patterns::blocks(&marked(text, self.known.find(text)));
        patterns::words(&marked(&text, names::values(&text)))
    }

    /// A tree (a status, a settings document) without secrets.
    pub fn tree(&self, tree: &Value) -> Value {
        match tree {
            Value::Object(fields) => {
                // `{mode: existing, secret: NAME}`: the record's reference to a TLS Secret.
                let refers = |key: &str| key == "secret" && fields.get("mode").is_some_and(|mode| mode == "existing");
                let clean = |key: &str, value| if refers(key) { self.tree(value) } else { self.field(key, value) };
                fields.iter().map(|(key, value)| (self.text(key), clean(key, value))).collect()
            }
            Value::Array(items) => {
                // `["--password", "x"]`
                let flag = |text: &str| text.starts_with('-') && !text.contains('=') && names::is_secret(text);
                let after_flag =
                    |at: usize| at > 0 && items[at].is_string() && items[at - 1].as_str().is_some_and(flag);
                let clean = |(at, item)| if after_flag(at) { json!(MARK) } else { self.tree(item) };
                items.iter().enumerate().map(clean).collect()
            }
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }

    fn field(&self, key: &str, value: &Value) -> Value {
        match value {
            // Environment variables often contain secrets under any name.
            Value::Array(items) if key == "env" => {
                let mut items = items.clone();
                for value in items.iter_mut().filter_map(|item| item.get_mut("value")) {
                    *value = json!(MARK);
                }
                self.tree(&Value::Array(items))
            }
            Value::String(text) if names::hides(key, text) => json!(MARK),
            Value::Number(number) if names::hides(key, &number.to_string()) => json!(MARK),
            Value::Object(_) | Value::Array(_) if names::is_secret(key) => self.below_secret(value),
            other => self.tree(other),
        }
    }

    /// Redacts everything below a secret key, except references.
    fn below_secret(&self, tree: &Value) -> Value {
        match tree {
            Value::Object(fields) => {
                let refers = |key: &str| REFERENCES.contains(&key) || key.ends_with("Name");
                let clean = |key, value| if refers(key) { self.tree(value) } else { self.below_secret(value) };
                fields.iter().map(|(key, value)| (self.text(key), clean(key, value))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.below_secret(item)).collect(),
            Value::String(text) if !names::is_harmless(text) => json!(MARK),
            other => other.clone(),
        }
    }

    /// A Kubernetes object without secrets, `fieldsV1` and long annotations.
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
