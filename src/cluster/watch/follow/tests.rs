use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::errors::ErrorKind;
use crate::cluster::resource::ApiVersion;
use crate::cluster::stub::{Seen, Step, Stub};

fn target() -> Target {
    Target { api_version: ApiVersion::V1Alpha2, namespace: "ess".to_owned(), name: "first".to_owned() }
}

fn object(version: u32) -> Value {
    made_as("a", version)
}

fn made_as(uid: &str, version: u32) -> Value {
    json!({"apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment",
        "metadata": {"name": "first", "namespace": "ess", "uid": uid, "resourceVersion": version.to_string()}, "spec": {}})
}

fn line(kind: &str, object: &Value) -> String {
    json!({"type": kind, "object": object}).to_string() + "\n"
}

fn bookmark(version: u32) -> String {
    line(
        "BOOKMARK",
        &json!({"apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment", "metadata": {"resourceVersion": version.to_string()}}),
    )
}

fn status(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "no", "reason": "X"})
}

fn list(version: u32, items: &[Value]) -> Step {
    Step::json(
        200,
        &json!({"kind": "ElementDeploymentList", "metadata": {"resourceVersion": version.to_string()}, "items": items}),
    )
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn stream(lines: &[String]) -> Step {
    Step::Stream(lines.iter().map(|line| (Duration::ZERO, line.clone())).collect())
}

fn open(lines: &[String]) -> Step {
    Step::Stream(
        lines
            .iter()
            .map(|line| (Duration::ZERO, line.clone()))
            .chain([(Duration::from_mins(10), String::new())])
            .collect(),
    )
}

fn quick() -> Timing {
    Timing {
        answer: ms(1000),
        silence: ms(1000),
        tick: ms(50),
        settled: ms(150),
        first_pause: ms(10),
        longest_pause: ms(40),
        longest_retry_after: ms(300),
    }
}

async fn watch(steps: Vec<Step>) -> (Stub, Watch) {
    let stub = Stub::with_steps(steps).await;
    let watch = Cluster::to_stub(&stub.address, Limits::default()).await.follow_with(&target(), &object(5), quick());
    (stub, watch)
}

async fn next(watch: &mut Watch) -> WatchItem {
    tokio::time::timeout(Duration::from_secs(10), watch.next()).await.expect("an item in time").expect("the task lives")
}

/// `version+` for continuous, `version?` after a gap, and so on; short enough to compare whole histories.
async fn told(watch: &mut Watch, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..count {
        let mark = |continuity| if continuity == Continuity::Continuous { "+" } else { "?" };
        told.push(match next(watch).await {
            WatchItem::Seen { object, continuity } => {
                format!("{}{}", object["metadata"]["resourceVersion"].as_str().unwrap_or("none"), mark(continuity))
            }
            WatchItem::Deleted(_) => "deleted".to_owned(),
            WatchItem::Trouble(_) => "trouble".to_owned(),
            WatchItem::Recovered => "recovered".to_owned(),
        });
    }
    told
}

async fn nothing_more(watch: &mut Watch, within: Duration) {
    if let Ok(item) = tokio::time::timeout(within, watch.next()).await {
        panic!("unexpected: {item:?}");
    }
}

#[tokio::test]
async fn events_are_reported_and_the_request_selects_one_object() {
    let (stub, mut watch) = watch(vec![open(&[line("MODIFIED", &object(6)), line("MODIFIED", &object(8))])]).await;
    assert_eq!(told(&mut watch, 2).await, ["6+", "8+"]);
    let request = stub.seen()[0].line.clone();
    assert_eq!(
        request,
        "GET /apis/matrix.element.io/v1alpha2/namespaces/ess/elementdeployments?watch=true&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dfirst&resourceVersion=5&timeoutSeconds=290"
    );
}

#[tokio::test]
async fn an_incomplete_line_loses_and_repeats_no_event() {
    let whole = line("MODIFIED", &object(7));
    let (stub, mut watch) = watch(vec![
        stream(&[line("MODIFIED", &object(6)), whole[..whole.len() / 2].to_owned()]),
        open(std::slice::from_ref(&whole)),
    ])
    .await;
    assert_eq!(told(&mut watch, 2).await, ["6+", "7+"]);
    assert!(stub.seen()[1].line.contains("resourceVersion=6&"), "{:?}", stub.seen());
}

#[tokio::test]
async fn a_bookmark_advances_the_version_without_an_event() {
    let (stub, mut watch) = watch(vec![
        Step::StreamToEnd(vec![(Duration::ZERO, bookmark(20)), (ms(200), bookmark(30))]),
        open(&[line("MODIFIED", &object(31))]),
    ])
    .await;
    assert_eq!(told(&mut watch, 1).await, ["31+"]);
    assert!(stub.seen()[1].line.contains("resourceVersion=30&"));
}

#[tokio::test]
async fn an_expired_version_at_the_start_leads_to_a_new_read_and_a_gap() {
    let (stub, mut watch) =
        watch(vec![Step::json(410, &status(410)), list(50, &[object(40)]), open(&[line("MODIFIED", &object(51))])])
            .await;
    assert_eq!(told(&mut watch, 2).await, ["40?", "51+"]);
    assert!(stub.seen()[1].line.ends_with("elementdeployments?fieldSelector=metadata.name%3Dfirst"));
    assert!(stub.seen()[2].line.contains("resourceVersion=50&"), "from the list's version, not from the object's");
}

#[tokio::test]
async fn an_expired_version_in_the_middle_of_a_stream() {
    let (_stub, mut watch) = watch(vec![
        open(&[line("MODIFIED", &object(6)), line("ERROR", &status(410))]),
        list(50, &[object(40)]),
        open(&[]),
    ])
    .await;
    assert_eq!(told(&mut watch, 2).await, ["6+", "40?"]);
}

#[tokio::test]
async fn reading_the_same_version_again_is_no_gap() {
    let (stub, mut watch) =
        watch(vec![Step::json(410, &status(410)), list(50, &[object(5)]), open(&[line("MODIFIED", &object(51))])])
            .await;
    assert_eq!(told(&mut watch, 1).await, ["51+"]);
    assert_eq!(stub.seen().len(), 3);
}

#[tokio::test]
async fn an_expired_version_right_after_a_read_causes_no_busy_loop() {
    let stub = Stub::with_script(Box::new(|_, seen: &Seen| {
        if seen.line.contains("watch=true") { Step::json(410, &status(410)) } else { list(50, &[object(5)]) }
    }))
    .await;
    let mut watch =
        Cluster::to_stub(&stub.address, Limits::default()).await.follow_with(&target(), &object(5), quick());
    assert_eq!(told(&mut watch, 1).await, ["trouble"]);
    let before = stub.seen().len();
    tokio::time::sleep(ms(400)).await;
    let asked = stub.seen().len() - before;
    assert!(asked <= 24, "two requests per pause of 40 ms, not {asked} in 400 ms");
}

#[tokio::test]
async fn server_errors_are_retried_and_reported_once() {
    let (stub, mut watch) = watch(vec![
        Step::json(500, &status(500)),
        Step::json(503, &status(503)),
        Step::json(503, &status(503)),
        Step::Cut,
        Step::Answer(502, "<html>".to_owned()),
        open(&[line("MODIFIED", &object(6))]),
    ])
    .await;
    assert_eq!(told(&mut watch, 3).await, ["trouble", "recovered", "6+"]);
    assert!(stub.seen().iter().all(|seen| seen.line.contains("resourceVersion=5&")), "never a fresh read");
}

#[tokio::test]
async fn a_single_failure_after_recovery_is_not_reported() {
    let (_stub, mut watch) = watch(vec![
        Step::json(500, &status(500)),
        Step::json(500, &status(500)),
        stream(&[line("MODIFIED", &object(6))]),
        Step::json(500, &status(500)),
        open(&[line("MODIFIED", &object(7))]),
    ])
    .await;
    assert_eq!(told(&mut watch, 4).await, ["trouble", "recovered", "6+", "7+"]);
}

#[tokio::test]
async fn a_single_failure_is_not_reported() {
    let (_stub, mut watch) = watch(vec![Step::json(500, &status(500)), open(&[line("MODIFIED", &object(6))])]).await;
    assert_eq!(told(&mut watch, 1).await, ["6+"]);
}

#[tokio::test]
async fn retry_after_is_respected() {
    let (_stub, mut watch) = watch(vec![
        Step::AnswerWith(429, "Retry-After: 1", status(429).to_string()),
        open(&[line("MODIFIED", &object(6))]),
    ])
    .await;
    let began = Instant::now();
    assert_eq!(told(&mut watch, 1).await, ["6+"]);
    assert!(began.elapsed() >= ms(300), "the longest wish granted in this test");
}

#[tokio::test]
async fn expired_credentials_and_a_missing_permission_are_trouble_and_retried() {
    for code in [401, 403] {
        let (_stub, mut watch) = watch(vec![
            stream(&[line("MODIFIED", &object(6))]),
            Step::json(code, &status(code)),
            Step::json(code, &status(code)),
            Step::json(code, &status(code)),
            open(&[line("MODIFIED", &object(7))]),
        ])
        .await;
        assert_eq!(told(&mut watch, 1).await, ["6+"]);
        let WatchItem::Trouble(error) = next(&mut watch).await else { panic!("trouble") };
        assert_eq!(matches!(error.kind(), ErrorKind::Unauthorized), code == 401);
        assert_eq!(told(&mut watch, 2).await, ["recovered", "7+"]);
    }
}

#[tokio::test]
async fn an_error_event_is_not_the_object() {
    let (_stub, mut watch) = watch(vec![
        open(&[line("ERROR", &status(500))]),
        open(&[r#"{"kind":"Status","code":403}"#.to_owned() + "\n"]),
        open(&["{\"type\":\"MODIFIED\",\"object\":{}}\n".to_owned(), line("MODIFIED", &object(6))]),
    ])
    .await;
    assert_eq!(told(&mut watch, 3).await, ["trouble", "recovered", "6+"]);
}

#[tokio::test]
async fn a_silent_connection_is_closed_and_resumed() {
    let (stub, mut watch) =
        watch(vec![open(&[line("MODIFIED", &object(6))]), open(&[line("MODIFIED", &object(7))])]).await;
    let began = Instant::now();
    assert_eq!(told(&mut watch, 2).await, ["6+", "7+"]);
    assert!(began.elapsed() >= ms(1000), "only after the silence");
    assert!(stub.seen()[1].line.contains("resourceVersion=6&"));
}

#[tokio::test]
async fn a_server_that_does_not_respond_is_reported_as_trouble() {
    let (_stub, mut watch) = watch(vec![Step::Silence(Duration::from_mins(1))]).await;
    let WatchItem::Trouble(error) = next(&mut watch).await else { panic!("trouble") };
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn connections_that_end_immediately_cause_no_busy_loop() {
    let (stub, mut watch) = watch(vec![Step::StreamToEnd(vec![(Duration::ZERO, bookmark(9))])]).await;
    assert_eq!(told(&mut watch, 1).await, ["trouble"]);
    let before = stub.seen().len();
    tokio::time::sleep(ms(400)).await;
    assert!(stub.seen().len() - before <= 12, "one request per pause of 40 ms");
}

#[tokio::test]
async fn a_deleted_and_recreated_object_is_reported() {
    let (_stub, mut watch) = watch(vec![open(&[
        line("DELETED", &object(6)),
        line("ADDED", &made_as("b", 9)),
        line("MODIFIED", &made_as("b", 10)),
    ])])
    .await;
    assert_eq!(told(&mut watch, 1).await, ["deleted"]);
    let WatchItem::Seen { object, .. } = next(&mut watch).await else { panic!("seen") };
    assert_eq!(object["metadata"]["uid"], "b");
}

#[tokio::test]
async fn a_deletion_during_an_outage_is_reported() {
    let (_stub, mut watch) =
        watch(vec![Step::json(410, &status(410)), list(50, &[]), open(&[line("ADDED", &made_as("b", 51))])]).await;
    assert_eq!(told(&mut watch, 2).await, ["deleted", "51+"]);
}

#[tokio::test]
async fn repeated_states_and_other_objects_are_not_reported() {
    let mut other = object(7);
    other["metadata"]["name"] = "second".into();
    let (_stub, mut watch) = watch(vec![open(&[
        line("ADDED", &object(5)),
        line("MODIFIED", &other),
        line("MODIFIED", &object(8)),
        line("MODIFIED", &object(8)),
    ])])
    .await;
    assert_eq!(told(&mut watch, 1).await, ["8+"]);
    nothing_more(&mut watch, ms(200)).await;
}

#[tokio::test]
async fn a_watch_resumes_after_an_outage() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = port.local_addr().expect("address");
    drop(port);
    let mut watch = Cluster::to_stub(&format!("http://{address}"), Limits::default()).await.follow_with(
        &target(),
        &object(5),
        quick(),
    );
    let WatchItem::Trouble(error) = next(&mut watch).await else { panic!("trouble") };
    assert!(matches!(error.kind(), ErrorKind::Unreachable { .. }), "{error}");
    nothing_more(&mut watch, ms(200)).await;
}

#[tokio::test]
async fn dropping_next_in_a_select_loses_neither_events_nor_the_connection() {
    let slow: Vec<(Duration, String)> = (6..12).map(|version| (ms(30), line("MODIFIED", &object(version)))).collect();
    let (stub, mut watch) =
        watch(vec![Step::Stream([slow, vec![(Duration::from_mins(10), String::new())]].concat())]).await;
    let mut versions = Vec::new();
    while versions.len() < 6 {
        tokio::select! {
            biased;
            () = tokio::time::sleep(ms(7)) => {}
            item = watch.next() => {
                let Some(WatchItem::Seen { object, continuity: Continuity::Continuous }) = item else { panic!("seen") };
                versions.push(object["metadata"]["resourceVersion"].as_str().expect("version").to_owned());
            }
        }
    }
    assert_eq!(versions, ["6", "7", "8", "9", "10", "11"]);
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn dropping_the_watch_ends_its_connection() {
    let ended = Arc::new(Mutex::new(false));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("address");
    let flag = Arc::clone(&ended);
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let event = line("MODIFIED", &object(6));
        stream.write_all(format!("{head}{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.expect("written");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        *flag.lock().expect("lock") = true;
    });
    let mut watch = Cluster::to_stub(&format!("http://{address}"), Limits::default()).await.follow_with(
        &target(),
        &object(5),
        quick(),
    );
    assert_eq!(told(&mut watch, 1).await, ["6+"]);
    drop(watch);
    tokio::time::sleep(ms(300)).await;
    assert!(*ended.lock().expect("lock"));
}

#[test]
fn a_quiet_half_hour_costs_few_requests() {
    let timing = Timing::default();
    // With bookmarks the server's limit ends a connection, without them the limit for silence.
    assert!(1800 / timing.silence.as_secs() <= 30);
    assert!(SERVER_LIMIT < Duration::from_mins(5));
}

#[test]
fn pauses_double_up_to_five_seconds() {
    let pauses = Timing::default();
    let millis: Vec<u128> = (1..=8).map(|failures| pauses.pause_after(failures, None).as_millis()).collect();
    assert_eq!(millis, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    assert_eq!(pauses.pause_after(4_000_000_000, None), Duration::from_secs(5));
}

#[test]
fn retry_after_lengthens_a_pause_up_to_a_limit() {
    let pauses = Timing::default();
    assert_eq!(pauses.pause_after(1, Some(Duration::from_secs(3))), Duration::from_secs(3));
    assert_eq!(pauses.pause_after(1, Some(Duration::from_hours(1))), Duration::from_secs(15));
    assert_eq!(pauses.pause_after(6, Some(Duration::ZERO)), Duration::from_secs(5));
}
