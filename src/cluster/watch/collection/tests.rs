use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::resource::resource;
use crate::cluster::stub::{Step, Stub};

fn pod(name: &str, version: u32) -> Value {
    json!({"kind": "Pod", "metadata": {"name": name, "resourceVersion": version.to_string()}})
}

fn line(kind: &str, object: &Value) -> String {
    json!({"type": kind, "object": object}).to_string() + "\n"
}

fn stream(lines: &[String]) -> Step {
    Step::StreamToEnd(lines.iter().map(|line| (Duration::ZERO, line.clone())).collect())
}

fn quick() -> Waits {
    let ms = Duration::from_millis;
    Waits { answer: ms(500), silence: ms(500), unreachable: ms(1), pauses: [10, 20, 30, 40].map(ms) }
}

/// All events until the end, and the requests.
async fn seen(steps: Vec<Step>, waits: Waits) -> (Vec<String>, Vec<String>) {
    let stub = Stub::with_steps(steps).await;
    let cluster = Cluster::to_stub(&stub.address, Limits::default()).await;
    let mut collection = cluster.watch_all_with(&resource::<Pod>(), "ess", waits);
    let mut seen = Vec::new();
    while let Some(item) = timeout(Duration::from_secs(20), collection.next()).await.expect("it ends") {
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        seen.push(match item {
            CollectionEvent::Seen(object) => format!("+{}", name(&object)),
            CollectionEvent::Deleted(object) => format!("-{}", name(&object)),
            CollectionEvent::Reset => "?".to_owned(),
        });
    }
    (seen, stub.seen().into_iter().map(|seen| seen.line).collect())
}

#[tokio::test]
async fn one_request_returns_existing_objects_and_changes() {
    let events = [line("ADDED", &pod("a", 3)), line("MODIFIED", &pod("a", 7)), line("DELETED", &pod("a", 8))];
    let (seen, requests) = seen(vec![stream(&events), Step::json(403, &json!({}))], quick()).await;
    assert_eq!(seen, ["+a", "+a", "-a", "?", "?"]);
    assert_eq!(requests[0], "GET /api/v1/namespaces/ess/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=3600");
    assert_eq!(requests[1], requests[0]);
}

#[tokio::test]
async fn a_forbidden_watch_is_not_retried() {
    for code in [401, 403, 404, 405] {
        let (seen, requests) = seen(vec![Step::json(code, &json!({"kind": "Status", "code": code}))], quick()).await;
        assert_eq!((seen, requests.len()), (vec!["?".to_owned()], 1), "{code}");
    }
}

#[tokio::test]
async fn a_watch_ends_after_four_interrupted_connections() {
    for step in [Step::json(500, &json!({})), Step::json(429, &json!({})), stream(&[]), Step::Half("x".into())] {
        let (_, requests) = seen(vec![step], quick()).await;
        assert_eq!(requests.len(), 4);
    }
    let (_, requests) = seen(vec![stream(&["no JSON\n".to_owned()])], quick()).await;
    assert_eq!(requests.len(), 4);
}

#[tokio::test]
async fn a_restarting_server_is_retried_for_a_limited_time() {
    let back = vec![Step::Cut, Step::Cut, stream(&[line("ADDED", &pod("a", 3))]), Step::json(403, &json!({}))];
    let (seen, requests) = seen(back, quick()).await;
    assert_eq!((seen, requests.len()), (vec!["+a".to_owned(), "?".to_owned(), "?".to_owned()], 4));
    let (_, requests) = self::seen(vec![Step::Cut], quick()).await;
    assert_eq!(requests.len(), 9);
}

#[tokio::test]
async fn an_expired_version_restarts_the_watch() {
    let gone = json!({"kind": "Status", "code": 410});
    let steps = vec![
        stream(&[line("ADDED", &pod("a", 3)), line("ERROR", &gone)]),
        stream(&[line("ADDED", &pod("b", 9))]),
        Step::json(410, &gone),
        Step::json(403, &json!({})),
    ];
    let (seen, requests) = seen(steps, quick()).await;
    assert_eq!(seen, ["+a", "?", "+b", "?", "?", "?"]);
    assert_eq!(requests.len(), 4);
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let silent =
        Step::Stream(vec![(Duration::ZERO, line("ADDED", &pod("a", 3))), (Duration::from_mins(5), String::new())]);
    let (seen, requests) = seen(vec![silent, Step::json(403, &json!({}))], quick()).await;
    assert_eq!((seen, requests.len()), (vec!["+a".to_owned(), "?".to_owned(), "?".to_owned()], 2));
}

#[tokio::test]
async fn a_namespace_with_too_many_objects_is_not_watched() {
    let crowd: Vec<String> = (0..=MOST + 5).map(|number| line("ADDED", &pod(&format!("p{number}"), number))).collect();
    let (seen, requests) = seen(vec![stream(&crowd)], quick()).await;
    assert_eq!((seen.last().map(String::as_str), requests.len()), (Some("?"), 1));
}

/// The requests of half an hour, with a load balancer that closes every connection after five minutes.
#[test]
fn the_pauses_stay_within_the_request_budget() {
    let mut at = Duration::ZERO;
    let mut requests = 1;
    for pause in Waits::default().pauses {
        at += Duration::from_secs(290) + pause;
        requests += u32::from(at < Duration::from_mins(30));
    }
    assert!(requests <= 3, "{requests} for each of three kinds");
}
