use serde_json::{Value, json};

use super::objects::belongs;
use super::*;

fn pod(name: &str, statuses: Value) -> Value {
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "ess"}, "status": {"containerStatuses": statuses}})
}

fn says(around: &Around) -> Vec<String> {
    symptoms(around).into_iter().map(|one| format!("{}: {}", one.object, one.says)).collect()
}

#[test]
fn label_owner_instance_and_name_decide_what_belongs_to_a_deployment() {
    let of = |metadata: Value| belongs(&json!({ "metadata": metadata }), "chat");
    assert!(of(json!({"name": "x", "labels": {OWNER_LABEL: "chat"}})));
    assert!(
        !of(json!({"name": "chat-x", "labels": {OWNER_LABEL: "chat-test"}})),
        "another deployment's, although it looks like ours"
    );
    assert!(of(json!({"name": "x", "ownerReferences": [{"kind": "ElementDeployment", "name": "chat"}]})));
    assert!(of(json!({"name": "x", "labels": {"app.kubernetes.io/instance": "chat-synapse-main"}})));
    assert!(of(json!({"name": "chat-synapse-main-0"})));
    assert!(!of(json!({"name": "chatter-0"})) && !of(json!({"name": "other"})));
}

#[test]
fn a_failed_child_is_reported_and_a_reconciling_one_is_not() {
    let child = |conditions: Value| json!({"kind": "Synapse", "metadata": {"name": "chat"}, "status": {"conditions": conditions}});
    let around = |conditions: Value| Around { children: vec![child(conditions)], ..Around::default() };
    let failing =
        json!([{"type": "Failure", "status": "True", "message": "The secret chat-synapse must\n  contain macaroon"}]);
    assert_eq!(says(&around(failing)), ["Synapse chat: Failure: The secret chat-synapse must contain macaroon"]);
    let unavailable = json!([{"type": "Available", "status": "False", "message": "2 of 3 workers"}]);
    assert_eq!(says(&around(unavailable)), ["Synapse chat: Available is False: 2 of 3 workers"]);
    let working = json!([{"type": "Successful", "status": "False", "reason": "Successful"}, {"type": "Running", "status": "True", "reason": "Running"}]);
    assert!(says(&around(working)).is_empty());
    assert!(says(&around(json!([{"type": "Successful", "status": "True"}]))).is_empty());
}

#[test]
fn failed_jobs_and_pods_are_reported_and_healthy_ones_are_not() {
    let failed = json!({"kind": "Job", "metadata": {"name": "chat-syn2mas"}, "status": {"failed": 1, "conditions": [
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]}});
    let complete = json!({"metadata": {"name": "chat-x"}, "status": {"failed": 1, "conditions": [{"type": "Complete", "status": "True"}]}});
    let around = Around {
        jobs: vec![failed, complete],
        pods: vec![
            pod(
                "chat-syn2mas-x",
                json!([{"name": "check", "state": {"terminated": {"exitCode": 10, "reason": "Error"}}}]),
            ),
            pod(
                "chat-mas-0",
                json!([{"name": "mas", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1}}}]),
            ),
            pod(
                "chat-web-0",
                json!([{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]),
            ),
            pod("chat-new-0", json!([{"name": "new", "state": {"waiting": {"reason": "ContainerCreating"}}}])),
            pod("chat-fine-0", json!([{"name": "fine", "state": {"running": {}}}])),
            json!({"kind": "Pod", "metadata": {"name": "chat-far-0"}, "status": {"conditions": [
                {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}}),
        ],
        ..Around::default()
    };
    assert_eq!(
        says(&around),
        [
            "Job chat-syn2mas: failed: BackoffLimitExceeded Job has reached the specified backoff limit",
            "Pod chat-syn2mas-x: container check ended with exit code 10",
            "Pod chat-mas-0: container mas is waiting (CrashLoopBackOff); the previous instance ended with exit code 1",
            "Pod chat-web-0: container web is waiting: ImagePullBackOff: no such image",
            "Pod chat-far-0: not scheduled: 0/3 nodes are available",
        ]
    );
}

#[test]
fn the_latest_warning_events_are_reported_once_each() {
    let event = |at: &str, kind: &str, message: &str| json!({"type": kind, "reason": "Failed", "message": message, "lastTimestamp": at, "involvedObject": {"kind": "Pod", "name": "chat-0"}});
    let mut events = vec![
        event("2026-11-23T10:00:02Z", "Warning", "second"),
        event("2026-11-23T10:00:01Z", "Warning", "first"),
        event("2026-11-23T10:00:03Z", "Warning", "first"),
        event("2026-11-23T10:00:04Z", "Normal", "pulled"),
    ];
    let around = |events: &[Value]| Around { events: events.to_vec(), ..Around::default() }.of("chat");
    assert_eq!(
        says(&around(&events)),
        ["Pod chat-0: 2026-11-23T10:00:02Z Failed: second", "Pod chat-0: 2026-11-23T10:00:03Z Failed: first"]
    );
    events.extend((0..30).map(|n| event(&format!("2026-11-23T10:01:{n:02}Z"), "Warning", &format!("n{n}"))));
    let told = says(&around(&events));
    assert_eq!(told.len(), 8);
    assert!(told[7].ends_with("n29"));
    let newer = json!({"type": "Warning", "reason": "R", "note": "n", "eventTime": "t", "regarding": {"kind": "Pod", "name": "chat-1"}});
    assert_eq!(says(&around(&[newer])), ["Pod chat-1: t R: n"]);
}

#[test]
fn the_most_relevant_logs_come_first() {
    let running = json!({"running": {}});
    let pods = [
        pod("chat-element-web-0", json!([{"name": "web", "state": running}])),
        pod("chat-synapse-main-0", json!([{"name": "synapse", "state": running}])),
        pod(
            "chat-mas-0",
            json!([{"name": "mas", "state": running, "restartCount": 2, "lastState": {"terminated": {"exitCode": 1}}}]),
        ),
        json!({"metadata": {"name": "chat-m-x", "namespace": "ess", "labels": {"job-name": "chat-m"}}, "status": {
            "initContainerStatuses": [{"name": "check", "state": {"terminated": {"exitCode": 0}}}],
            "containerStatuses": [{"name": "migrate", "state": {"terminated": {"exitCode": 1}}}]}}),
        pod("chat-new-0", json!([{"name": "new", "state": {"waiting": {"reason": "ContainerCreating"}}}])),
    ];
    let order: Vec<String> = containers(&pods)
        .into_iter()
        .map(|one| format!("{}/{}{}", one.pod, one.container, if one.previous { " before" } else { "" }))
        .collect();
    assert_eq!(
        order,
        [
            "chat-m-x/migrate",
            "chat-mas-0/mas before",
            "chat-m-x/check",
            "chat-mas-0/mas",
            "chat-synapse-main-0/synapse",
            "chat-element-web-0/web",
        ]
    );
}

/// Jobs of earlier attempts remain for a while. They are shown with their time, and the logs of the latest are read
/// first.
#[test]
fn failures_of_an_earlier_attempt_come_later_with_their_time() {
    let ended = |at: &str| json!([{"name": "m", "state": {"terminated": {"exitCode": 1, "finishedAt": at}}}]);
    let pods = vec![pod("chat-old", ended("2026-11-22T10:00:00Z")), pod("chat-new", ended("2026-11-23T10:00:00Z"))];
    assert_eq!(containers(&pods)[0].pod, "chat-new");
    let around = Around { pods, ..Around::default() };
    assert_eq!(says(&around)[0], "Pod chat-old: container m ended with exit code 1 at 2026-11-22T10:00:00Z");
}

#[test]
fn fields_that_are_not_listed_are_removed() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "labels": {"a": "b"}, "annotations": {"x": "canary"}, "managedFields": ["canary"],
            "ownerReferences": [{"kind": "Job", "name": "j", "uid": "canary"}]},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "canary"}], "args": ["canary"]}],
            "newField": "canary"},
        "status": {"phase": "Running", "podIP": "canary", "containerStatuses": [{"name": "c"}]}});
    let kept = essentials(&pod);
    assert!(!kept.to_string().contains("canary"), "{kept}");
    assert_eq!(kept["spec"], json!({"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}));
    assert_eq!(kept["metadata"]["ownerReferences"], json!([{"kind": "Job", "name": "j"}]));
    let child = json!({"apiVersion": "matrix.element.io/v1", "kind": "New", "metadata": {"name": "n"}, "spec": {"a": "canary"}, "status": {"s": 1}});
    assert_eq!(
        essentials(&child),
        json!({"apiVersion": "matrix.element.io/v1", "kind": "New", "metadata": {"name": "n"}, "status": {"s": 1}})
    );
    let job = json!({"kind": "Job", "metadata": {"name": "j"}, "spec": {"backoffLimit": 0, "template": {"spec": {"containers": [{"name": "c", "image": "i", "command": ["canary"]}]}}}, "status": {"failed": 1}});
    let kept = essentials(&job);
    assert_eq!(kept["spec"], json!({"backoffLimit": 0, "containers": [{"name": "c", "image": "i"}]}));
    assert!(!kept.to_string().contains("canary"), "{kept}");
}
