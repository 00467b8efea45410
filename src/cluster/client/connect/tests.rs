#![cfg(unix)]

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::*;
use crate::cluster::config::kubeconfig::of_process;
use crate::cluster::config::resolve::resolve_in;
use crate::cluster::resource;
use crate::cluster::stub::{Step, Stub};

#[tokio::test]
async fn an_expired_token_is_renewed_by_the_plugin_even_for_a_write() {
    let refused = Step::json(401, &json!({"kind": "Status", "code": 401}));
    let object = Step::json(200, &json!({"kind": "Secret", "metadata": {"name": "x", "resourceVersion": "6"}}));
    let stub = Stub::with_steps(vec![object.clone(), refused, object]).await;
    let folder = tempfile::tempdir().expect("folder");
    let count = folder.path().join("count");
    let script = format!(
        r#"echo x >> {0}; n=$(wc -l < {0}); echo "{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"t$(echo $n)\"}}}}""#,
        count.display()
    );
    let config = json!({
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": stub.address}}],
        "users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
            "command": "sh", "args": ["-c", script], "interactiveMode": "Never", "provideClusterInfo": true}}}],
    });
    let path = folder.path().join("config");
    std::fs::write(&path, config.to_string()).expect("written");
    let flags = ConnectionFlags { kubeconfig: Some(path.display().to_string()), ..ConnectionFlags::default() };
    // Not with `connect`, which sends no token over plain HTTP.
    let resolved = resolve_in(&flags, &of_process).expect("resolves");
    let cluster = Cluster::from_resolved(resolved, None, Limits::default()).await.expect("set up");
    cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect("read");
    let write =
        crate::cluster::Write::patch(resource::<Secret>(), "ess", "x", json!({"metadata": {"resourceVersion": "5"}}));
    let outcome = cluster.write(&write, |_| false).await;
    assert!(matches!(outcome, crate::cluster::WriteOutcome::Applied(_)), "{outcome:?}");
    let tokens: Vec<String> = stub
        .seen()
        .iter()
        .filter_map(|seen| seen.headers.lines().find(|line| line.starts_with("authorization:")).map(str::to_owned))
        .collect();
    assert_eq!(tokens, ["authorization: Bearer t1", "authorization: Bearer t1", "authorization: Bearer t2"]);
    assert_eq!(std::fs::read_to_string(&count).expect("count").lines().count(), 2, "one run per token");
}

#[tokio::test]
async fn token_is_never_sent_over_plain_http() {
    let stub = Stub::with_steps(vec![Step::json(200, &json!({"kind": "Secret", "metadata": {"name": "x"}}))]).await;
    let folder = tempfile::tempdir().expect("folder");
    let config = json!({
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": stub.address}}],
        "users": [{"name": "u", "user": {"token": "canary", "as": "jane"}}],
    });
    let path = folder.path().join("config");
    std::fs::write(&path, config.to_string()).expect("written");
    let flags = ConnectionFlags { kubeconfig: Some(path.display().to_string()), ..ConnectionFlags::default() };
    let cluster = Cluster::connect(&flags).await.expect("set up");
    cluster.get(&resource::<Secret>(), Some("ess"), "x").await.expect("read");
    let seen = stub.seen()[0].headers.clone();
    assert!(!seen.contains("canary") && seen.contains("impersonate-user: jane"), "{seen}");
}

#[test]
fn a_password_in_the_servers_address_is_not_shown() {
    let uri = "https://user:secret@k8s.example:6443/prefix/".parse().expect("uri");
    assert_eq!(without_user_info(&uri), "https://k8s.example:6443/prefix");
}
