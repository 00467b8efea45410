//! The form of the JSON output, written independently of the code.

use serde_json::{Value, json};

/// Asserts that a value has exactly this form. A form is one of these: a text (`string`, `bool`, with `?` if null is
/// allowed, or `a|b|c` for alternatives), a list of one form, an object of forms with all its keys, or `{"?": form}` if
/// null is allowed.
#[track_caller]
pub fn assert_shape(value: &Value, form: &Value) {
    let mut problems = Vec::new();
    compare(value, form, "", &mut problems);
    assert!(problems.is_empty(), "{}\nin {value:#}", problems.join("\n"));
}

fn compare(value: &Value, form: &Value, path: &str, problems: &mut Vec<String>) {
    match form {
        Value::String(text) => {
            let (kind, nullable) = text.strip_suffix('?').map_or((text.as_str(), false), |kind| (kind, true));
            let fits = match kind {
                _ if nullable && value.is_null() => true,
                "string" => value.is_string(),
                "bool" => value.is_boolean(),
                choices => value.as_str().is_some_and(|word| choices.split('|').any(|choice| choice == word)),
            };
            if !fits {
                problems.push(format!("{path}: {value} is not {text}"));
            }
        }
        Value::Array(items) => match value.as_array() {
            Some(values) => {
                for (index, value) in values.iter().enumerate() {
                    compare(value, &items[0], &format!("{path}[{index}]"), problems);
                }
            }
            None => problems.push(format!("{path}: {value} is no list")),
        },
        Value::Object(fields) if fields.contains_key("?") => {
            if !value.is_null() {
                compare(value, &fields["?"], path, problems);
            }
        }
        Value::Object(fields) => {
            let empty = serde_json::Map::new();
            let present = value.as_object().unwrap_or(&empty);
            for key in fields.keys().filter(|key| !present.contains_key(*key)) {
                problems.push(format!("{path}.{key} is missing"));
            }
            for (key, value) in present {
                match fields.get(key) {
                    Some(form) => compare(value, form, &format!("{path}.{key}"), problems),
                    None => problems.push(format!("{path}.{key} is not in the contract")),
                }
            }
        }
        other => panic!("{other} is no form"),
    }
}

fn finding() -> Value {
    json!({"code": "string", "severity": "blocker|warning|unknown|ok", "subject": "string", "message": "string",
           "remedy": "string?", "docs": "string?"})
}

fn status() -> Value {
    json!({
        "namespace": "string", "name": "string",
        "phase": "Configuration|DryRun|DryRunFailed|ReadyToMigrate|Migrating|MigrationFailed|Complete",
        "spec": {"active": "bool?", "host": "string?"},
        "status": {
            "masActive": "bool?", "available": "bool?", "successful": "bool?",
            "run": "never|idle|running|failing",
            "failure": {"?": {"message": "string", "completion": "string?"}},
        },
        "identityProviders": [{
            "idpId": "string", "name": "string?", "issuer": "string?", "currentRedirectUri": "string?",
            "masRedirectUri": "string?", "findings": [finding()],
        }],
        "rehearsal": {"state": "none|passed|failed|outdated", "completion": "string?"},
        "version": {"ess": "string?", "chart": "string?", "source": "helm|image|crd?"},
        "next": "string?",
    })
}

/// `StatusList`.
pub fn status_list() -> Value {
    json!({"apiVersion": "ess-mas/v1", "kind": "StatusList", "items": [status()]})
}

/// `CheckReport`.
pub fn check_report() -> Value {
    json!({"apiVersion": "ess-mas/v1", "kind": "CheckReport", "namespace": "string", "name": "string",
           "findings": [finding()]})
}

/// `Outcome` of a command.
pub fn outcome(command: &str) -> Value {
    json!({
        "apiVersion": "ess-mas/v1", "kind": "Outcome", "command": command, "namespace": "string", "name": "string",
        "write": "applied|not-applied|unknown|none",
        "verdict": "succeeded|failed|timed-out|interrupted|not-waited|unchanged",
        "message": "string?", "recordFile": "string?", "status": status(),
    })
}

#[test]
fn a_form_refuses_what_is_missing_added_or_of_another_kind() {
    let refused = |value: Value, form: &Value| {
        let mut problems = Vec::new();
        compare(&value, form, "", &mut problems);
        problems.len()
    };
    let form = json!({"a": "string?", "b": [{"c": "x|y"}], "d": {"?": {"e": "bool"}}});
    assert_eq!(refused(json!({"a": null, "b": [{"c": "y"}], "d": null}), &form), 0);
    assert_eq!(refused(json!({"a": 1, "b": [{"c": "z"}], "d": {"e": null}}), &form), 3);
    assert_eq!(refused(json!({"b": {}, "d": null, "f": 1}), &form), 3);
}
