//! Refused port-forwards. Successful ones are tested with a real API server: `tests/e2e/verify/through_cluster.rs`.

use serde_json::json;

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::stub::{Step, Stub};

async fn refusal(step: Step) -> (ClusterError, String) {
    let stub = Stub::with_steps(vec![step]).await;
    let cluster = Cluster::to_stub(&stub.address, Limits::default()).await;
    let error = cluster.forward("ess", "mas-0", 8080).await.err().expect("no port-forward");
    let seen = stub.seen().remove(0);
    (error, format!("{}\n{}", seen.line, seen.headers))
}

#[tokio::test]
async fn a_refused_port_forward_names_the_missing_permission() {
    let status = json!({"kind": "Status", "code": 403, "reason": "Forbidden", "details": {"kind": "pods/portforward"},
        "message": "pods \"mas-0\" is forbidden: User \"jo\" cannot get resource \"pods/portforward\" in API group \"\" in the namespace \"ess\""});
    let (error, seen) = refusal(Step::json(403, &status)).await;
    assert!(matches!(error.kind(), ErrorKind::Forbidden { .. }), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("auth can-i get pods/portforward")), "{:?}", error.hints());
    assert!(seen.starts_with("GET /api/v1/namespaces/ess/pods/mas-0/portforward?&ports=8080\n"), "{seen}");
    for header in [
        "upgrade: websocket",
        "sec-websocket-protocol: v5.channel.k8s.io, v4.channel.k8s.io",
        "sec-websocket-version: 13",
    ] {
        assert!(seen.contains(header), "{seen}");
    }
}

#[tokio::test]
async fn a_response_without_protocol_switch_is_an_error() {
    let (error, _) = refusal(Step::json(200, &json!({}))).await;
    assert!(!matches!(error.kind(), ErrorKind::Forbidden { .. }), "{error}");
    let (error, _) = refusal(Step::AnswerWith(
        101,
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x",
        String::new(),
    ))
    .await;
    assert!(error.to_string().contains("does not switch to the port-forward protocol"), "{error}");
}
