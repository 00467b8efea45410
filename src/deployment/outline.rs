//! The outline of a tree: its structure with a short digest for each value. Stored with the digest of the whole tree, it shows
//! later which paths have changed, without revealing values.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::view::sha256_hex;

/// The largest outline as JSON: it is in a ConfigMap, whose limit is 1 MiB.
const LARGEST: usize = 64 << 10;
/// The depths to try, deepest first; a subtree below is one value. A spec of this product has about eight levels.
const DEPTHS: [u8; 6] = [12, 8, 6, 4, 3, 2];
/// Hexadecimal digits of a digest. They only have to distinguish a value from its predecessor.
const DIGITS: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    depth: u8,
    tree: Value,
}

impl Outline {
    /// The deepest outline of a tree within the size limit.
    pub fn of(tree: &Value) -> Self {
        let mut outlines = DEPTHS.into_iter().map(|depth| Self { depth, tree: fold(tree, depth) });
        let fits = outlines.find(|outline| outline.tree.to_string().len() <= LARGEST);
        fits.unwrap_or_else(|| Self { depth: 0, tree: fold(tree, 0) })
    }

    /// The sorted paths below `root` that differ in another tree: `spec.workers[0].type`, `spec.global.name (removed)`.
    pub fn differences(&self, now: &Value, root: &str) -> Vec<String> {
        let mut found = Vec::new();
        compare(&self.tree, &fold(now, self.depth), root, &mut found);
        found
    }
}

fn fold(value: &Value, depth: u8) -> Value {
    match value {
        Value::Object(fields) if depth > 0 && !fields.is_empty() => {
            fields.iter().map(|(key, value)| (key.clone(), fold(value, depth - 1))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) if depth > 0 && !items.is_empty() => {
            items.iter().map(|item| fold(item, depth - 1)).collect()
        }
        value => {
            let mut digest = sha256_hex(value.to_string().as_bytes());
            digest.truncate(DIGITS);
            Value::String(digest)
        }
    }
}

fn compare(before: &Value, now: &Value, path: &str, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for key in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
                let path = format!("{path}.{key}");
                match (before.get(key), now.get(key)) {
                    (Some(before), Some(now)) => compare(before, now, &path, found),
                    (Some(_), None) => found.push(format!("{path} (removed)")),
                    (None, _) => found.push(format!("{path} (added)")),
                }
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                compare(before, now, &format!("{path}[{index}]"), found);
            }
        }
        (before, now) if before != now => found.push(path.to_owned()),
        _ => {}
    }
}

/// Deserializes an outline; one in another release's format is `None`.
pub fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Outline>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.and_then(|value| serde_json::from_value(value).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(before: Value, now: Value) -> Vec<String> {
        Outline::of(&before).differences(&now, "spec")
    }

    #[test]
    fn each_changed_field_is_named() {
        let before = json!({"global": {"verifyTls": true, "name": "a"}, "workers": [{"type": "x"}, {"type": "y"}]});
        let mut now = before.clone();
        assert!(told(before.clone(), now.clone()).is_empty());
        now["global"]["verifyTls"] = json!(false);
        now["global"]["extra"] = json!({"deep": 1});
        now["global"].as_object_mut().unwrap().remove("name");
        now["workers"][1]["type"] = json!("z");
        assert_eq!(
            told(before.clone(), now.clone()),
            [
                "spec.global.extra (added)",
                "spec.global.name (removed)",
                "spec.global.verifyTls",
                "spec.workers[1].type"
            ]
        );
        now["workers"].as_array_mut().unwrap().pop();
        assert_eq!(told(before, now).last().unwrap(), "spec.workers");
    }

    #[test]
    fn no_value_is_revealed() {
        let text = serde_json::to_string(&Outline::of(&json!({"additional": "password: hunter2"}))).unwrap();
        assert!(!text.contains("hunter2") && text.contains("additional"), "{text}");
    }

    #[test]
    fn changes_in_a_large_tree_are_named_less_exactly() {
        let component =
            |seed: usize| (0..300).map(|n| (format!("field{n}"), json!({"value": n * seed}))).collect::<Map<_, _>>();
        let mut tree =
            json!({"components": (0..60).map(|n| (format!("c{n}"), component(n).into())).collect::<Map<_, _>>()});
        let outline = Outline::of(&tree);
        assert!(serde_json::to_string(&outline).unwrap().len() <= LARGEST + 100);
        tree["components"]["c7"]["field3"]["value"] = json!("other");
        assert_eq!(outline.differences(&tree, "spec")[0], "spec.components.c7");
    }

    #[test]
    fn an_outline_in_another_format_is_none() {
        #[derive(Deserialize)]
        struct Holder {
            #[serde(default, deserialize_with = "lenient")]
            outline: Option<Outline>,
        }
        for text in ["{}", r#"{"outline": null}"#, r#"{"outline": 7}"#, r#"{"outline": {"form": "new"}}"#] {
            assert!(serde_json::from_str::<Holder>(text).unwrap().outline.is_none(), "{text}");
        }
        let kept = serde_json::to_value(Outline::of(&json!({"a": 1}))).unwrap();
        assert!(serde_json::from_value::<Holder>(json!({"outline": kept})).unwrap().outline.is_some());
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i8>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn trees_differ_just_when_their_outlines_do(a in tree(), b in tree()) {
            prop_assert_eq!(Outline::of(&a).differences(&b, "x").is_empty(), a == b);
        }
    }
}
