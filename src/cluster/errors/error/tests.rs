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
        renewed_by_kubectl: false,
    })
}

fn patch() -> Action {
    Action::new("patch", &ApiVersion::V1Alpha2.resource(), Some("ess"), Some("first-element"))
}

fn answered(code: u16, body: &Value, action: &Action) -> ClusterError {
    ClusterError::from_answer(code, None, body.to_string().as_bytes()).at(action, &place())
}

#[test]
fn forbidden_names_the_missing_permission() {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "elementdeployments.matrix.element.io \"first-element\" is forbidden: User \"jane\" cannot patch resource \"elementdeployments\" in API group \"matrix.element.io\" in the namespace \"ess\"",
        "details": {"name": "first-element", "group": "matrix.element.io", "kind": "elementdeployments"}});
    let error = answered(403, &status, &patch());
    assert_eq!(error.to_string(), "user jane is not allowed to patch ElementDeployment first-element in namespace ess");
    assert_eq!(
        error.hints(),
        [
            "Ask an administrator for this permission. To check it: `kubectl --context prod auth can-i patch elementdeployments.matrix.element.io/first-element -n ess`."
        ]
    );
    let list = Action::new("list", &resource::<Secret>(), None, None);
    let mut place = Place { impersonating: Some("jane doe".to_owned()), ..(*place()).clone() };
    place.impersonating_groups.push("ops".to_owned());
    let error = ClusterError::from_answer(403, None, status.to_string().as_bytes()).at(&list, &Arc::new(place));
    assert!(error.hints()[0].contains("can-i list secrets -A --as 'jane doe' --as-group ops`"), "{:?}", error.hints());
}

#[test]
fn a_refusal_by_admission_control_is_not_a_missing_permission() {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "secrets \"ess-mas\" is forbidden: exceeded quota: objects, requested: secrets=1, used: secrets=10, limited: secrets=10",
        "details": {"name": "ess-mas", "kind": "secrets"}});
    let error = answered(403, &status, &Action::new("create", &resource::<Secret>(), Some("ess"), Some("ess-mas")));
    assert!(
        error.to_string().contains(
            "admission control refused the request to create Secret ess-mas in namespace ess: exceeded quota: objects"
        ),
        "{error}"
    );
    assert!(error.hints().is_empty());
}

#[test]
fn a_missing_object_and_a_missing_api_are_different_errors() {
    let missing = json!({"kind": "Status", "status": "Failure", "message": "elementdeployments.matrix.element.io \"x\" not found", "reason": "NotFound",
        "details": {"name": "x", "group": "matrix.element.io", "kind": "elementdeployments"}, "code": 404});
    let error = answered(404, &missing, &patch());
    assert_eq!(*error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "ElementDeployment first-element in namespace ess not found");
    // kube-apiserver's response for a group or version that it does not serve.
    let error = ClusterError::from_answer(404, None, b"404 page not found\n").at(&patch(), &place());
    assert_eq!(*error.kind(), ErrorKind::NoSuchApi);
    assert_eq!(
        error.to_string(),
        "the API server https://10.0.0.1:6443 (kubeconfig context prod) does not serve ElementDeployments (matrix.element.io/v1alpha2)"
    );
}

#[test]
fn a_conflict_and_an_existing_object_are_named() {
    let conflict = json!({"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409,
        "message": "Operation cannot be fulfilled on elementdeployments.matrix.element.io \"first-element\": the object has been modified; please apply your changes to the latest version and try again",
        "details": {"name": "first-element", "group": "matrix.element.io", "kind": "elementdeployments"}});
    assert_eq!(
        answered(409, &conflict, &patch()).to_string(),
        "ElementDeployment first-element in namespace ess was changed by another client in the meantime"
    );
    let exists = json!({"kind": "Status", "status": "Failure", "reason": "AlreadyExists", "code": 409, "message": "secrets \"x\" already exists", "details": {"name": "x", "kind": "secrets"}});
    let error = answered(409, &exists, &Action::new("create", &resource::<Secret>(), Some("ess"), Some("x")));
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.to_string(), "Secret x in namespace ess already exists");
}

#[test]
fn a_rejected_object_is_reported_with_every_field() {
    let invalid = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422, "message": "ElementDeployment.matrix.element.io \"x\" is invalid: [...]",
        "details": {"name": "x", "kind": "ElementDeployment", "causes": [
            {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.global.config"},
            {"reason": "FieldValueInvalid", "message": "Invalid value: \"Bad\": should match '^[a-z]+$'.", "field": "spec.x"}]}});
    assert_eq!(
        answered(422, &invalid, &patch()).to_string(),
        "the API server https://10.0.0.1:6443 (kubeconfig context prod) rejected ElementDeployment first-element in namespace ess: `spec.global.config`: Required value; `spec.x`: Invalid value: \"Bad\": should match '^[a-z]+$'"
    );
    let strict = json!({"kind": "Status", "status": "Failure", "reason": "BadRequest", "code": 400,
        "message": "ElementDeployment in version \"v1alpha2\" cannot be handled as a ElementDeployment: strict decoding error: unknown field \"spec.components.matrixAuthenticationService\""});
    let sentence = answered(400, &strict, &patch()).to_string();
    assert!(sentence.ends_with(": `spec.components.matrixAuthenticationService`: unknown field"), "{sentence}");
}

#[test]
fn a_patch_with_an_unknown_field_does_not_show_the_whole_object() {
    // The response of kube-apiserver 1.36.3, with a shortened object.
    let object = r#"{\"apiVersion\":\"v1\",\"data\":{\"password\":\"c2VjcmV0\"},\"kind\":\"Secret\",\"metadata\":{\"annotations\":{\"last\":\"{\\\"a\\\": 1}\"}}}"#;
    let cause = format!(
        "Invalid value: \"{object}\": strict decoding error: unknown field \"spec.nope\", unknown field \"spec.b\""
    );
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422, "message": format!("\"\" is invalid: patch: {cause}"),
        "details": {"causes": [{"reason": "FieldValueInvalid", "message": cause, "field": "patch"}]}});
    let error = answered(422, &status, &patch());
    assert!(error.to_string().ends_with(": `spec.nope`: unknown field; `spec.b`: unknown field"), "{error}");
    let told = format!("{error} {error:?} {:?}", error.hints());
    assert!(!told.contains("c2VjcmV0") && !told.contains("password"), "{told}");
}

#[test]
fn values_of_a_secret_are_never_repeated() {
    let cause = "Invalid value: \"hunter2\": must be something else";
    let status = json!({"kind": "Status", "reason": "Invalid", "code": 422, "message": cause,
        "details": {"causes": [{"message": cause, "field": "data[x]"}]}});
    let error = answered(422, &status, &Action::new("patch", &resource::<Secret>(), Some("ess"), Some("x")));
    assert!(error.to_string().ends_with("`data[x]`: Invalid value: …: must be something else"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(
        answered(422, &status, &patch()).to_string().contains("hunter2"),
        "short values of other objects are shown"
    );
}

#[test]
fn only_a_response_from_before_the_handlers_proves_that_nothing_was_changed() {
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
        "the API server https://10.0.0.1:6443 (kubeconfig context prod) responded to the request to patch ElementDeployment first-element in namespace ess with 502 Bad Gateway"
    );
    assert_eq!(plain("a\u{1b}[31mred\r\n\tb"), "a [31mred b");
    assert_eq!(plain(&"é".repeat(700)).chars().count(), 601);
}

#[test]
fn retry_after_is_read_from_the_status() {
    let status = json!({"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": "slow down", "details": {"retryAfterSeconds": 3}});
    assert_eq!(answered(429, &status, &patch()).retry_after(), Some(Duration::from_secs(3)));
}

#[test]
fn a_version_newer_than_the_servers_is_no_time_out() {
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
fn an_unreachable_server_behind_a_proxy_is_reported_with_the_proxy() {
    let place = Place { proxy: Some("http://proxy.corp:3128".to_owned()), ..(*place()).clone() };
    let error = ClusterError::new(ErrorKind::Unreachable("the connection was refused".to_owned()));
    assert_eq!(
        error.at(&patch(), &Arc::new(place)).to_string(),
        "the API server https://10.0.0.1:6443 (kubeconfig context prod) cannot be reached through the proxy http://proxy.corp:3128: the connection was refused"
    );
}

#[test]
fn a_redirect_or_web_page_is_reported_with_its_target_host() {
    let hint = |error: &ClusterError| {
        assert!(error.certainly_not_processed() && !error.is_transient() && !error.is_forbidden());
        let hints = error.hints().concat();
        assert!(hints.contains("proxy or a login page") && hints.contains("get --raw /version"), "{hints}");
        error.to_string()
    };
    for (code, location, told) in [
        (302, Some("https://login.example.com/sso?next=canary"), "a redirect (302) to login.example.com"),
        (307, Some("https://user:canary@sso.example.com:8443/"), "a redirect (307) to sso.example.com:8443"),
        (303, Some("/login?canary"), "a redirect (303) to another page of the same host"),
        (301, None, "a redirect (301)"),
    ] {
        let error = ClusterError::by_another(code, location, b"<a href=\"x\">Found</a>").unwrap();
        let told_by = hint(&error.at(&patch(), &place()));
        assert!(told_by.ends_with(&format!("itself: the response is {told}")), "{told_by}");
        assert!(!told_by.contains("canary"));
    }
    for (page, to) in [
        (
            "<!DOCTYPE html><meta http-equiv=refresh content='0; url=https://login.example.com/a?canary'>",
            "login.example.com",
        ),
        ("\u{feff}\n<html><form action=\"https://login.example.com/canary\">", "login.example.com"),
        ("<html><script>window.location.href = 'https://sso.example.com:8443/'</script>", "sso.example.com:8443"),
        ("<html><script>location.replace(\"https://sso.example.com/\")</script>", "sso.example.com"),
    ] {
        let error = ClusterError::by_another(403, None, page.as_bytes()).unwrap();
        let told = hint(&error.at(&patch(), &place()));
        assert!(told.ends_with(&format!("a web page (HTML) that leads to {to} (403)")), "{told}");
        let ok = crate::cluster::errors::unreadable(&serde_json::from_str::<Value>(page).unwrap_err(), page.as_bytes());
        assert!(ok.to_string().ends_with(&format!("it is a web page (HTML) that leads to {to}")), "{ok}");
    }
    let plain = ClusterError::by_another(404, None, b"<html>nothing here</html>").unwrap();
    assert!(hint(&plain.at(&patch(), &place())).ends_with("a web page (HTML) (404)"));
    // Responses of the API server, and of a load balancer in front of a restarting one.
    for (code, body) in
        [(404, "404 page not found\n"), (403, "{\"kind\": \"Status\"}"), (502, "<html>"), (401, "<html>")]
    {
        assert!(ClusterError::by_another(code, None, body.as_bytes()).is_none(), "{code} {body}");
    }
}

#[test]
fn after_a_401_the_hint_names_the_login_that_only_kubectl_renews() {
    let status = json!({"kind": "Status", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401});
    let error = answered(401, &status, &patch());
    assert!(error.hints()[0].contains("Log in again"), "{:?}", error.hints());
    let oidc = Place { renewed_by_kubectl: true, ..(*place()).clone() };
    let hints = error.at(&patch(), &Arc::new(oidc)).hints();
    assert!(hints[0].contains("Only kubectl renews it: run `kubectl"), "{hints:?}");
}

#[test]
fn an_unreachable_webhook_is_named_in_the_hints() {
    let failed = |message: &str| {
        let status =
            json!({"kind": "Status", "status": "Failure", "message": message, "reason": "InternalError", "code": 500});
        answered(500, &status, &patch()).hints().join(" ")
    };
    let conversion = failed(
        "conversion webhook for matrix.element.io/v1alpha1, Kind=ElementDeployment failed: Post \"https://updater-webhook.element-updater.svc:443/convert?timeout=30s\": dial tcp 10.0.0.1:443: connect: connection refused",
    );
    for word in ["updater (the operator)", "Service updater-webhook in namespace element-updater", "changed nothing"] {
        assert!(conversion.contains(word), "{conversion}");
    }
    let admission = failed(
        "Internal error occurred: failed calling webhook \"webhook.cert-manager.io\": failed to call webhook: Post \"https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s\": x509: certificate signed by unknown authority",
    );
    for word in ["webhook.cert-manager.io", "Service cert-manager-webhook in namespace cert-manager", "changed nothing"]
    {
        assert!(admission.contains(word), "{admission}");
    }
    assert!(failed("etcdserver: request timed out").contains("in a moment"));
}
