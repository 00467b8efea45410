use super::*;

pub fn plugin(script: &str) -> ExecConfig {
    serde_json::from_value(
        json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "env": [{"name": "GREETING", "value": "hello"}], "interactiveMode": "Never"}),
    )
    .expect("plugin")
}

async fn failed(plugin: &ExecConfig) -> ClusterError {
    run_plugin(plugin, &ExecAuthCluster::default(), AuthInfo::default()).await.err().expect("fails")
}

#[tokio::test]
async fn a_failing_plugin_is_reported_without_its_output() {
    let error = failed(&plugin("echo secret-output; exit 3")).await;
    assert_eq!(error.to_string(), "credential plugin sh failed with exit code 3");
    let error = failed(&ExecConfig {
        command: Some("/does/not/exist".to_owned()),
        install_hint: Some("Install it\nlike so".to_owned()),
        ..plugin("")
    })
    .await;
    assert_eq!(error.hints(), ["Install it like so"]);
    let error = failed(&plugin("echo secret-output")).await;
    assert!(!error.to_string().contains("secret-output"));
}

#[test]
fn a_plugins_credential_replaces_the_earlier_one() {
    let before = || AuthInfo { client_certificate: Some("old.pem".to_owned()), ..AuthInfo::default() };
    let read = |output: &[u8]| read(output, before());
    let proof = read(br#"{"status":{"token":"abc"}}"#).expect("a token");
    assert!(proof.user.token.is_some() && proof.user.client_certificate.is_some());
    assert!(read(b"status:\n  token: abc\n").is_some());
    let pair =
        br#"{"status":{"clientCertificateData":"c","clientKeyData":"k","expirationTimestamp":"2030-01-01T00:00:00Z"}}"#;
    let proof = read(pair).expect("a certificate");
    assert!(proof.expires.is_some() && proof.user.client_certificate.is_none());
    assert_eq!(proof.user.client_certificate_data.as_deref(), Some("Yw=="));
    for nothing in
        [&b"{}"[..], br#"{"status":{"token":"a\u0007"}}"#, br#"{"status":{"token":"a","expirationTimestamp":"soon"}}"#]
    {
        assert!(read(nothing).is_none());
    }
}

#[tokio::test]
async fn the_cluster_is_passed_only_to_plugins_that_request_it() {
    let cluster = ExecAuthCluster { server: Some("https://k8s.example".to_owned()), ..ExecAuthCluster::default() };
    let script = r#"printf '{"status":{"token":"%s"}}' $(echo "$KUBERNETES_EXEC_INFO" | grep -c '"server":"https://k8s.example"')"#;
    for (requested, wanted) in [(false, "0"), (true, "1")] {
        let plugin = ExecConfig { provide_cluster_info: requested, ..plugin(script) };
        let proof = run_plugin(&plugin, &cluster, AuthInfo::default()).await.expect("a credential");
        assert_eq!(proof.user.token.expect("a token").expose_secret(), wanted);
    }
}
