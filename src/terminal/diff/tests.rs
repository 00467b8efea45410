use super::*;
use crate::terminal::style::RenderOptions;
use proptest::prelude::*;
use serde_json::json;

fn drawn(changes: &[FieldChange], coloured: bool) -> String {
    let options = RenderOptions { coloured, unicode: true, columns: None };
    lines(changes).iter().map(|line| line.render(options)).collect::<Vec<_>>().join("\n").replace('\u{1b}', "^")
}

#[test]
fn a_new_component_is_shown_field_by_field() {
    let before = json!({"spec": {"components": {"synapse": {"x": 1}}}});
    let after = json!({"spec": {"components": {"synapse": {"x": 1}, "matrixAuthenticationService": {
        "config": {"active": false, "postgresql": {"host": "pg.example.com", "port": 5432, "sslmode": "no"}, "list": [], "also": ["a", "b"]},
        "k8s": {"ingress": {"fqdn": "auth.example.com", "annotations": {"example.com/owner": "ess"}}},
        "secretName": "first-element-mas"}}}});
    insta::assert_snapshot!(drawn(&changes(&before, &after), false), @r#"
    spec.components.matrixAuthenticationService
      + config.active: false
      + config.also[0]: a
      + config.also[1]: b
      + config.list: []
      + config.postgresql.host: pg.example.com
      + config.postgresql.port: 5432
      + config.postgresql.sslmode: "no"
      + k8s.ingress.annotations["example.com/owner"]: ess
      + k8s.ingress.fqdn: auth.example.com
      + secretName: first-element-mas
    "#);
}

#[test]
fn one_change_has_its_whole_path() {
    let tree = |active| json!({"spec": {"config": {"active": active, "other": 1}}});
    insta::assert_snapshot!(drawn(&changes(&tree(false), &tree(true)), true), @r"
    ^[31m  - spec.config.active: false^[0m
    ^[32m  + spec.config.active: true^[0m
    ");
}

#[test]
fn text_of_several_lines_stays_on_one() {
    let found = changes(&json!({"a": "one\ntwo\n"}), &json!({"a": "one\n2\n"}));
    assert_eq!(drawn(&found, false), "  - a: \"one\\ntwo\\n\"\n  + a: \"one\\n2\\n\"");
}

#[test]
fn an_element_before_others_does_not_change_the_others() {
    let found = changes(&json!({"idps": ["b", "c"]}), &json!({"idps": ["a", "b", "c"]}));
    assert_eq!(drawn(&found, false), "  + idps[0]: a");
    let found = changes(&json!([{"id": 1, "x": true}, 2]), &json!([{"id": 1, "x": false}, 2]));
    assert_eq!(drawn(&found, false), "  - [0].x: true\n  + [0].x: false");
}

#[test]
fn absent_and_null_differ() {
    let found = changes(&json!({}), &json!({"a": null}));
    assert_eq!(drawn(&found, false), "  + a: null");
    assert!(changes(&json!({"a": {}}), &json!({"a": {}})).is_empty());
    assert_eq!(drawn(&changes(&json!({"a": {}}), &json!({})), false), "  - a: {}");
}

#[test]
fn keys_with_special_characters_are_quoted() {
    let path = ["metadata", "annotations", "a.b/c"].map(piece);
    assert_eq!(name(&path), "metadata.annotations[\"a.b/c\"]");
}

/// Changes values in a tree of maps. Lists are excluded, because changes shift their indices.
fn apply(mut tree: Value, changes: &[FieldChange]) -> Value {
    for change in changes {
        let mut at = &mut tree;
        let (last, way) = change.path.split_last().unwrap();
        for step in way {
            at = at.as_object_mut().unwrap().entry(&step[1..]).or_insert_with(|| json!({}));
        }
        let key = &last[1..];
        match &change.after {
            Some(value) => at.as_object_mut().unwrap().insert(key.to_owned(), value.clone()),
            None => at.as_object_mut().unwrap().remove(key),
        };
    }
    tree
}

/// A map that lost its last field is equal to an absent one.
fn prune(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), prune(v))).filter(|(_, v)| *v != json!({})).collect(),
        leaf => leaf.clone(),
    }
}

proptest! {
    #[test]
    fn the_changes_lead_from_one_tree_to_the_other(before in maps(), after in maps()) {
        let found = changes(&before, &after);
        prop_assert_eq!(prune(&apply(before.clone(), &found)), prune(&after));
        prop_assert_eq!(found.is_empty(), before == after);
    }
}

fn maps() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), "[ab]".prop_map(Value::from)];
    let tree = leaf.prop_recursive(3, 20, 4, |inner| {
        prop::collection::btree_map("[a-c]", inner, 1..4).prop_map(|map| map.into_iter().collect())
    });
    tree.prop_map(|value| json!({"root": value}))
}

#[test]
fn changes_of_one_field_still_name_it() {
    let change =
        |after: Value| FieldChange { path: ["spec", "active"].map(piece).to_vec(), before: None, after: Some(after) };
    assert_eq!(
        drawn(&[change(json!(true)), change(json!("yes"))], false),
        "  spec\n    + active: true\n    + active: \"yes\""
    );
}
