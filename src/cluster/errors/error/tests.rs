use std::{sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use super::*;
use crate::cluster::errors::plain;
use crate::cluster::resource::{ApiVersion, resource};

fn place() -> Arc<Place> {
    Arc::new(Place {
        server: "https://10.0.0.1:6443".to_owned(),
        proxy: None,
        context: Some("prod".to_owned()),
        impersonating: None,
        impersonating_groups: Vec::new(),
    })
}

fn patch() -> Action {
    Action::new("patch", &ApiVersion::V1Alpha2.resource(), Some("ess"), Some("first-element"))
}

fn answered(code: u16, body: &Value, action: &Action) -> ClusterError {
    ClusterError::from_answer(code, None, body.to_string().as_bytes()).at(action, &place())
}

#[test]
fn forbidden_names_the_right_that_is_missing() {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "elementdeployments.matrix.element.io \"first-element\" is forbidden: User \"jane\" cannot patch resource \"elementdeployments\" in API group \"matrix.element.io\" in the namespace \"ess\"",
        "details": {"name": "first-element", "group": "matrix.element.io", "kind": "elementdeployments"}});
    let error = answered(403, &status, &patch());
    assert_eq!(
        error.to_string(),
        "The user jane is not allowed to patch the ElementDeployment first-element in namespace ess."
    );
    assert_eq!(
        error.hints(),
        [
            "Ask an administrator for this right. `kubectl --context prod auth can-i patch elementdeployments.matrix.element.io/first-element -n ess` tells when it is there."
        ]
    );
    let list = Action::new("list", &resource::<Secret>(), None, None);
    let mut place = Place { impersonating: Some("jane doe".to_owned()), ..(*place()).clone() };
    place.impersonating_groups.push("ops".to_owned());
    let error = ClusterError::from_answer(403, None, status.to_string().as_bytes()).at(&list, &Arc::new(place));
    assert!(error.hints()[0].contains("can-i list secrets -A --as 'jane doe' --as-group ops`"), "{:?}", error.hints());
}

#[test]
fn a_refusal_by_an_admission_rule_is_not_told_as_a_missing_right() {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "secrets \"ess-mas\" is forbidden: exceeded quota: objects, requested: secrets=1, used: secrets=10, limited: secrets=10",
        "details": {"name": "ess-mas", "kind": "secrets"}});
    let error = answered(403, &status, &Action::new("create", &resource::<Secret>(), Some("ess"), Some("ess-mas")));
    assert!(error.to_string().contains("a rule of the cluster forbids it: exceeded quota: objects"), "{error}");
    assert!(error.hints().is_empty());
}

#[test]
fn a_missing_object_and_a_missing_api_are_two_things() {
    let missing = json!({"kind": "Status", "status": "Failure", "message": "elementdeployments.matrix.element.io \"x\" not found", "reason": "NotFound",
        "details": {"name": "x", "group": "matrix.element.io", "kind": "elementdeployments"}, "code": 404});
    let error = answered(404, &missing, &patch());
    assert_eq!(*error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "There is no ElementDeployment first-element in namespace ess.");
    // This is what kube-apiserver writes for a group or version it does not serve.
    let error = ClusterError::from_answer(404, None, b"404 page not found\n").at(&patch(), &place());
    assert_eq!(*error.kind(), ErrorKind::NoSuchApi);
    assert_eq!(
        error.to_string(),
        "The API server https://10.0.0.1:6443 (kubeconfig context prod) does not serve ElementDeployments (matrix.element.io/v1alpha2)."
    );
}

#[test]
fn conflicts() {
    let conflict = json!({"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409,
        "message": "Operation cannot be fulfilled on elementdeployments.matrix.element.io \"first-element\": the object has been modified; please apply your changes to the latest version and try again",
        "details": {"name": "first-element", "group": "matrix.element.io", "kind": "elementdeployments"}});
    assert_eq!(
        answered(409, &conflict, &patch()).to_string(),
        "Somebody else has changed the ElementDeployment first-element in namespace ess in the meantime."
    );
    let exists = json!({"kind": "Status", "status": "Failure", "reason": "AlreadyExists", "code": 409, "message": "secrets \"x\" already exists", "details": {"name": "x", "kind": "secrets"}});
    let error = answered(409, &exists, &Action::new("create", &resource::<Secret>(), Some("ess"), Some("x")));
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.to_string(), "The Secret x in namespace ess exists already.");
}

#[test]
fn an_object_that_is_not_accepted_lists_every_field() {
    let invalid = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422, "message": "ElementDeployment.matrix.element.io \"x\" is invalid: [...]",
        "details": {"name": "x", "kind": "ElementDeployment", "causes": [
            {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.global.config"},
            {"reason": "FieldValueInvalid", "message": "Invalid value: \"Bad\": should match '^[a-z]+$'.", "field": "spec.x"}]}});
    assert_eq!(
        answered(422, &invalid, &patch()).to_string(),
        "The API server https://10.0.0.1:6443 (kubeconfig context prod) does not accept the ElementDeployment first-element in namespace ess: `spec.global.config`: Required value; `spec.x`: Invalid value: \"Bad\": should match '^[a-z]+$'."
    );
    let strict = json!({"kind": "Status", "status": "Failure", "reason": "BadRequest", "code": 400,
        "message": "ElementDeployment in version \"v1alpha2\" cannot be handled as a ElementDeployment: strict decoding error: unknown field \"spec.components.matrixAuthenticationService\""});
    let sentence = answered(400, &strict, &patch()).to_string();
    assert!(sentence.ends_with(": `spec.components.matrixAuthenticationService`: unknown field."), "{sentence}");
}

#[test]
fn a_patch_with_an_unknown_field_does_not_show_the_whole_object() {
    // As kube-apiserver 1.36.3 answers it, the object shortened.
    let object = r#"{\"apiVersion\":\"v1\",\"data\":{\"password\":\"c2VjcmV0\"},\"kind\":\"Secret\",\"metadata\":{\"annotations\":{\"last\":\"{\\\"a\\\": 1}\"}}}"#;
    let cause = format!(
        "Invalid value: \"{object}\": strict decoding error: unknown field \"spec.nope\", unknown field \"spec.b\""
    );
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422, "message": format!("\"\" is invalid: patch: {cause}"),
        "details": {"causes": [{"reason": "FieldValueInvalid", "message": cause, "field": "patch"}]}});
    let error = answered(422, &status, &patch());
    assert!(error.to_string().ends_with(": `spec.nope`: unknown field; `spec.b`: unknown field."), "{error}");
    let told = format!("{error} {error:?} {:?}", error.hints());
    assert!(!told.contains("c2VjcmV0") && !told.contains("password"), "{told}");
}

#[test]
fn no_value_of_a_secret_is_repeated_however_short() {
    let cause = "Invalid value: \"hunter2\": must be something else";
    let status = json!({"kind": "Status", "reason": "Invalid", "code": 422, "message": cause,
        "details": {"causes": [{"message": cause, "field": "data[x]"}]}});
    let error = answered(422, &status, &Action::new("patch", &resource::<Secret>(), Some("ess"), Some("x")));
    assert!(error.to_string().ends_with("`data[x]`: Invalid value: …: must be something else."), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(answered(422, &status, &patch()).to_string().contains("hunter2"), "elsewhere a short value helps");
}

#[test]
fn only_an_answer_that_comes_before_any_handler_proves_that_nothing_was_done() {
    let certain = |code: u16| answered(code, &json!({}), &patch()).certainly_not_processed();
    assert!(certain(429) && certain(409) && certain(403) && certain(422) && certain(404) && certain(401));
    assert!(!certain(500) && !certain(502) && !certain(503) && !certain(504));
    for kind in [
        ErrorKind::ConnectionLost(String::new()),
        ErrorKind::Timeout(Duration::from_secs(1)),
        ErrorKind::Unreadable(String::new()),
    ] {
        assert!(!ClusterError::new(kind).certainly_not_processed());
    }
    assert!(ClusterError::new(ErrorKind::Unreachable(String::new())).certainly_not_processed());
}

#[test]
fn a_proxys_page_and_control_characters_do_not_reach_the_terminal() {
    let error = ClusterError::from_answer(502, None, b"<html><body>Bad Gateway</body></html>").at(&patch(), &place());
    assert_eq!(
        error.to_string(),
        "The API server https://10.0.0.1:6443 (kubeconfig context prod) was asked to patch the ElementDeployment first-element in namespace ess and answered with an internal error (502)."
    );
    assert_eq!(plain("a\u{1b}[31mred\r\n\tb"), "a [31mred b");
    assert_eq!(plain(&"é".repeat(700)).chars().count(), 601);
}

#[test]
fn the_servers_wish_for_a_pause_is_kept() {
    let status = json!({"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "slow down", "details": {"retryAfterSeconds": 3}});
    assert_eq!(answered(429, &status, &patch()).retry_after(), Some(Duration::from_secs(3)));
}

#[test]
fn a_version_from_the_future_is_told_apart_from_other_time_outs() {
    let status = json!({"kind": "Status", "code": 504, "reason": "Timeout", "message": "Too large resource version: 100, current: 90",
        "details": {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1}});
    assert!(matches!(
        answered(504, &status, &patch()).kind(),
        ErrorKind::ServerFailed { version_from_the_future: true, .. }
    ));
}

#[test]
fn debug_shows_no_more_than_the_kind() {
    let error = ClusterError::new(ErrorKind::Unauthorized).caused_by("Bearer abc");
    assert!(!format!("{error:?}").contains("abc"));
}

#[test]
fn a_proxy_on_the_way_is_named() {
    let place = Place { proxy: Some("http://proxy.corp:3128".to_owned()), ..(*place()).clone() };
    let error = ClusterError::new(ErrorKind::Unreachable("the connection was refused".to_owned()));
    assert_eq!(
        error.at(&patch(), &Arc::new(place)).to_string(),
        "The API server https://10.0.0.1:6443 (kubeconfig context prod) cannot be reached through the proxy http://proxy.corp:3128: the connection was refused."
    );
}
