//! The outline of a tree: its shape and a short digest for each value. Kept beside a digest of the whole, it tells later
//! where the two differ, and gives no value away.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::view::digest::sha256_hex;

/// No outline is larger, as JSON: it shares a ConfigMap, which holds 1 MiB, with other things.
const LARGEST: usize = 64 << 10;
/// How deep it goes, deepest first; what lies below is one value. A spec of this product has about eight levels.
const DEPTHS: [u8; 6] = [12, 8, 6, 4, 3, 2];
/// Hexadecimal digits of a digest. They only have to tell one value from the one before.
const DIGITS: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    depth: u8,
    tree: Value,
}

/// A place at which two trees differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `spec.components.synapse.config.workers[0].type`.
    pub path: String,
    pub kind: DifferenceKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    Changed,
    Added,
    Removed,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match self.kind {
            DifferenceKind::Changed => Ok(()),
            DifferenceKind::Added => f.write_str(" (added)"),
            DifferenceKind::Removed => f.write_str(" (removed)"),
        }
    }
}

impl Outline {
    /// Takes the outline of a tree, as deep as its size allows.
    pub fn of(tree: &Value) -> Self {
        let mut outlines = DEPTHS.into_iter().map(|depth| Self { depth, tree: fold(tree, depth) });
        let fits = outlines.find(|outline| outline.tree.to_string().len() <= LARGEST);
        fits.unwrap_or_else(|| Self { depth: 0, tree: fold(tree, 0) })
    }

    /// Where a tree differs from the one that this is the outline of, in the order of the paths. `root` is the path of the
    /// tree itself.
    pub fn differences(&self, now: &Value, root: &str) -> Vec<Difference> {
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

fn compare(before: &Value, now: &Value, path: &str, found: &mut Vec<Difference>) {
    let mut note = |path: String, kind| found.push(Difference { path, kind });
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let new = now.keys().filter(|key| !before.contains_key(*key));
            let mut keys: Vec<&String> = before.keys().chain(new).collect();
            keys.sort_unstable();
            for key in keys {
                let path = format!("{path}.{key}");
                match (before.get(key), now.get(key)) {
                    (Some(before), Some(now)) => compare(before, now, &path, found),
                    (Some(_), None) => found.push(Difference { path, kind: DifferenceKind::Removed }),
                    (None, _) => found.push(Difference { path, kind: DifferenceKind::Added }),
                }
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                compare(before, now, &format!("{path}[{index}]"), found);
            }
        }
        (before, now) if before != now => note(path.to_owned(), DifferenceKind::Changed),
        _ => {}
    }
}

/// Reads an outline that may be of another release's form: what cannot be read is as if it were not there.
pub fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Outline>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.and_then(|value| serde_json::from_value(value).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(before: Value, now: Value) -> Vec<String> {
        Outline::of(&before).differences(&now, "spec").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_field_that_differs_is_named() {
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
    fn no_value_is_given_away() {
        let text = serde_json::to_string(&Outline::of(&json!({"additional": "password: hunter2"}))).unwrap();
        assert!(!text.contains("hunter2") && text.contains("additional"), "{text}");
    }

    #[test]
    fn a_large_tree_is_told_less_exactly_but_told() {
        let component =
            |seed: usize| (0..300).map(|n| (format!("field{n}"), json!({"value": n * seed}))).collect::<Map<_, _>>();
        let mut tree =
            json!({"components": (0..60).map(|n| (format!("c{n}"), component(n).into())).collect::<Map<_, _>>()});
        let outline = Outline::of(&tree);
        assert!(serde_json::to_string(&outline).unwrap().len() <= LARGEST + 100);
        tree["components"]["c7"]["field3"]["value"] = json!("other");
        assert_eq!(outline.differences(&tree, "spec")[0].path, "spec.components.c7");
    }

    #[test]
    fn another_form_of_an_outline_is_none() {
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
