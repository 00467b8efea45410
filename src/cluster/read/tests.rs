use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::errors::ErrorKind;
use crate::cluster::stub::{Step, Stub};

async fn cluster(steps: Vec<Step>) -> (Stub, Cluster) {
    let stub = Stub::with_steps(steps).await;
    let cluster = Cluster::to_stub(&stub.address, Limits::default()).await;
    (stub, cluster)
}

fn secret() -> Step {
    Step::json(200, &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}))
}

#[tokio::test]
async fn a_read_survives_a_short_failure() {
    for blip in [
        Step::json(500, &json!({})),
        Step::json(503, &json!({})),
        Step::AnswerWith(429, "Retry-After: 0", String::new()),
        Step::Cut,
        Step::Half("{\"kind\":".to_owned()),
        // A proxy that truncates a response.
        Step::Answer(200, "{\"kind\":\"Secr".to_owned()),
        Step::Answer(200, "<html>log in</html>".to_owned()),
    ] {
        let (stub, cluster) = cluster(vec![blip, secret()]).await;
        assert!(cluster.find_secret("ess", "x").await.expect("read").is_some());
        assert_eq!(stub.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_refused_read_is_not_retried() {
    for (code, reason) in [(401, "Unauthorized"), (403, "Forbidden"), (404, "NotFound"), (422, "Invalid")] {
        let (stub, cluster) = cluster(vec![
            Step::json(code, &json!({"kind": "Status", "reason": reason, "details": {"name": "x"}})),
            secret(),
        ])
        .await;
        cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect_err("refused");
        assert_eq!(stub.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_a_response_is_not_retried() {
    let page = "<html><form action='https://login.example.com/'></form></html>".to_owned();
    for (answer, told) in [
        (Step::AnswerWith(302, "Location: https://login.example.com/?canary", String::new()), "a redirect (302) to "),
        (Step::Answer(404, page), "a web page (HTML) that leads to "),
    ] {
        let (stub, cluster) = cluster(vec![answer, secret()]).await;
        let error = cluster.find_secret("ess", "x").await.expect_err("somebody else").to_string();
        assert!(error.contains(&format!("{told}login.example.com")) && !error.contains("canary"), "{error}");
        assert_eq!(stub.seen().len(), 1);
    }
}

#[tokio::test]
async fn read_fails_after_four_attempts() {
    let (stub, cluster) = cluster(vec![Step::json(503, &json!({}))]).await;
    let error = cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect_err("trouble");
    assert!(matches!(error.kind(), ErrorKind::ServerFailed { code: 503, .. }));
    assert_eq!(stub.seen().len(), 4);
}

#[tokio::test]
async fn an_unreachable_server_is_reported_quickly_with_address_and_context() {
    // Bound without listening: refuses connections, and no other process gets the port.
    let port = tokio::net::TcpSocket::new_v4().expect("a socket");
    port.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = format!("http://{}", port.local_addr().expect("address"));
    let cluster = Cluster::to_stub(&address, Limits::default()).await;
    let began = Instant::now();
    let error = cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect_err("dead");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(
        error.to_string(),
        format!("the API server {address} (kubeconfig context stub) cannot be reached: the connection was refused")
    );
    assert!(!error.hints().is_empty());
}

#[tokio::test]
async fn a_silent_server_is_reported_within_the_total_time() {
    let (_stub, mut cluster) = cluster(vec![Step::Silence(Duration::from_mins(1))]).await;
    cluster = cluster.with_limits(Limits::asked_for(Some(Duration::from_millis(400))));
    let began = Instant::now();
    let error = cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect_err("silent");
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_time_out_does_not_hide_the_earlier_error() {
    let (_stub, cluster) = cluster(vec![Step::json(503, &json!({})), Step::Silence(Duration::from_mins(1))]).await;
    let cluster = cluster.with_limits(Limits { read_answer: Some(Duration::from_millis(300)), ..Limits::default() });
    let error = cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect_err("trouble");
    // Four attempts: an error, then three without a response.
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }), "{error}");
    let (_stub, cluster) = self::cluster(vec![
        Step::json(503, &json!({})),
        Step::json(503, &json!({})),
        Step::json(503, &json!({})),
        Step::Silence(Duration::from_mins(1)),
    ])
    .await;
    let cluster = cluster.with_limits(Limits { read_answer: Some(Duration::from_millis(300)), ..Limits::default() });
    let error = cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect_err("trouble");
    assert!(matches!(error.kind(), ErrorKind::ServerFailed { code: 503, .. }), "{error}");
}

#[tokio::test]
async fn a_slow_response_without_silence_is_read_completely() {
    let document = json!({"kind": "Secret", "metadata": {"name": "x"}}).to_string();
    let pieces = document
        .as_bytes()
        .chunks(3)
        .map(|piece| (Duration::from_millis(100), String::from_utf8_lossy(piece).into_owned()))
        .collect();
    let (stub, mut cluster) = cluster(vec![Step::StreamToEnd(pieces)]).await;
    cluster = cluster.with_limits(Limits { silence: Some(Duration::from_secs(1)), ..Limits::default() });
    cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect("read");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn the_schema_is_found_by_kind() {
    let (stub, cluster) = cluster(vec![Step::json(
        200,
        &json!({"components": {"schemas": {
            "io.element.matrix.v1alpha2.ElementDeploymentList": {"x-kubernetes-group-version-kind": [{"group": "matrix.element.io", "kind": "ElementDeploymentList", "version": "v1alpha2"}]},
            "io.element.matrix.v1alpha2.ElementDeployment": {"properties": {"spec": {}}, "x-kubernetes-group-version-kind": [{"group": "matrix.element.io", "kind": "ElementDeployment", "version": "v1alpha2"}]}}}}),
    )])
    .await;
    let schema = cluster.deployment_schema(ApiVersion::V1Alpha2).await.expect("read").expect("there");
    assert!(schema["properties"]["spec"].is_object());
    assert_eq!(stub.seen()[0].line, "GET /openapi/v3/apis/matrix.element.io/v1alpha2");
    assert!(cluster.deployment_schema(ApiVersion::V1Alpha1).await.expect("read").is_none());
}

#[tokio::test]
async fn who_am_i_never_fails() {
    let (_stub, cluster) = cluster(vec![Step::json(403, &json!({}))]).await;
    assert_eq!(cluster.who_am_i().await, None);
    let answer = json!({"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "jane", "groups": ["ops"]}}});
    let (stub, cluster) = self::cluster(vec![Step::json(201, &answer)]).await;
    assert_eq!(cluster.who_am_i().await, Some("jane".to_owned()));
    assert_eq!(stub.seen()[0].line, "POST /apis/authentication.k8s.io/v1/selfsubjectreviews");
}

#[tokio::test]
async fn helm_releases_are_selected_by_label() {
    let (stub, cluster) = cluster(vec![Step::json(200, &json!({"metadata": {}, "items": [{}, {}]}))]).await;
    assert_eq!(cluster.helm_releases("ess", Some("first")).await.expect("read").len(), 2);
    assert_eq!(
        stub.seen()[0].line,
        "GET /api/v1/namespaces/ess/secrets?limit=20&labelSelector=owner%3Dhelm%2Cstatus%3Ddeployed%2Cname%3Dfirst"
    );
}

#[tokio::test]
async fn pages_follow_each_other_and_survive_an_expired_continuation() {
    let page = |items: &[u32], go_on: &str| {
        Step::json(
            200,
            &json!({"metadata": {"resourceVersion": "9", "continue": go_on, "remainingItemCount": 3}, "items": items}),
        )
    };
    let expired = Step::json(
        410,
        &json!({"kind": "Status", "code": 410, "reason": "Expired", "metadata": {"continue": "fresh/token"}}),
    );
    let (stub, cluster) =
        cluster(vec![page(&[1, 2], "a=b"), page(&[], "c"), expired, page(&[3], ""), page(&[4], "")]).await;
    let mut pages = cluster.list::<u32>(&resource::<Secret>(), None, Selection::default(), 2);
    let first = pages.next().await.expect("read").expect("page");
    assert_eq!((first.items, first.metadata.remaining_item_count), (vec![1, 2], Some(3)));
    assert_eq!(pages.all().await.expect("read"), [3]);
    let lines: Vec<String> = stub.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/secrets?limit=2",
            "GET /api/v1/secrets?limit=2&continue=a%3Db",
            "GET /api/v1/secrets?limit=2&continue=c",
            "GET /api/v1/secrets?limit=2&continue=fresh%2Ftoken"
        ]
    );
}
