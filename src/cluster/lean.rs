//! Objects without the bulk that nobody looks at.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// Where `kubectl apply` keeps a copy of the whole manifest.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object as the API server sent it, but for `metadata.managedFields` and what `kubectl apply` was last given: of a
/// deployment these are more than half, and they are skipped while reading.
///
/// For looking at many objects. Whoever writes one, or wants to know who did, reads it whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Lean(pub Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Level::Object.deserialize(deserializer).map(Self)
    }
}

/// How far down the tree something is skipped.
#[derive(Clone, Copy)]
enum Level {
    Object,
    Metadata,
    Annotations,
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an API object")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = match (self, key.as_str()) {
                (Self::Object, "metadata") => entries.next_value_seed(Self::Metadata)?,
                (Self::Metadata, "annotations") => entries.next_value_seed(Self::Annotations)?,
                (Self::Metadata, "managedFields") | (Self::Annotations, LAST_APPLIED) => {
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => entries.next_value()?,
            };
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_but_the_bulk_is_there() {
        let rest = json!({"kind": "x", "metadata": {"name": "a", "annotations": {"b": "c"}, "labels": null},
            "spec": {"metadata": {"managedFields": [1], "annotations": {LAST_APPLIED: "stays"}}}, "status": [1, "x", null]});
        let mut whole = rest.clone();
        whole["metadata"]["managedFields"] = json!([{"manager": "helm", "fieldsV1": {"f:spec": {}}}]);
        whole["metadata"]["annotations"][LAST_APPLIED] = json!("{}");
        let Lean(read) = serde_json::from_str(&whole.to_string()).expect("read");
        assert_eq!(read, rest);
        let Lean(odd) = serde_json::from_str(r#"{"metadata": null}"#).expect("read");
        assert_eq!(odd, json!({"metadata": null}));
    }
}
