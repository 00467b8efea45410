//! Credentials that expire at any moment, and their renewal.

use std::path::Path;
use std::time::Duration;

use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::prelude::*;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::common::command::Shell;
use crate::common::live::Live;
use crate::common::scene::Scene;
use crate::common::stage::{Stage, Step, quick};

/// A kubeconfig for the stage's proxy with this user.
fn kubeconfig(stage: &Stage, folder: &Path, user: &Value) -> std::path::PathBuf {
    let text = std::fs::read_to_string(stage.proxy.kubeconfig()).unwrap();
    let mut config: Value = serde_yaml::from_str(&text).unwrap();
    config["users"][0]["user"] = user.clone();
    let path = folder.join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// A credential plugin that prints the file `credential` and counts its calls.
fn plugin(folder: &Path) -> Value {
    let folder = folder.display();
    let script = format!("echo x >> {folder}/runs; cat {folder}/credential");
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never"}})
}

fn issue(folder: &Path, status: &Value) {
    let credential =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status});
    std::fs::write(folder.join("credential.new"), credential.to_string()).unwrap();
    std::fs::rename(folder.join("credential.new"), folder.join("credential")).unwrap();
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap_or_default().lines().count()
}

/// From each request on, the API server refuses the previous token, and the plugin returns a new one.
#[tokio::test]
async fn a_token_that_expires_at_any_request_is_renewed_by_its_plugin() {
    let mut stage = Stage::new(Step::Activate).await;
    let folder = tempfile::tempdir().unwrap();
    let config = kubeconfig(&stage, folder.path(), &plugin(folder.path()));
    stage.shell = Shell::with_kubeconfig(&config);
    issue(folder.path(), &json!({"token": "good"}));
    stage.proxy.pass();
    let _ = stage.run(&[]).await.expect(0);
    let count = stage.proxy.log().len();
    assert!(stage.proxy.log().iter().all(|request| request.token.as_deref() == Some("good")));
    for index in Sweep::from_environment().sample(0..count) {
        stage.reset().await;
        let before = stage.standing().await;
        std::fs::remove_file(folder.path().join("runs")).unwrap();
        issue(folder.path(), &json!({"token": format!("early-{index}")}));
        let (early, place) = (format!("early-{index}"), folder.path().to_owned());
        let mut expired = false;
        stage.proxy.plan(move |request| {
            if request.index == index {
                expired = true;
                issue(&place, &json!({"token": "late"}));
            }
            if expired && request.token.as_deref() == Some(early.as_str()) { Fault::answer(401) } else { Fault::None }
        });
        let done = stage.run(&[]).await.expect(0);
        let after = stage.standing().await;
        assert!(stage.is_reached(&after), "{done}");
        assert_eq!(Stage::changes(&before, &after), 1, "{done}");
        assert_eq!(runs(folder.path()), 2, "one run per token\n{done}");
    }
}

/// Plugins take at least 300 ms, and some prompt the user. Concurrent requests share one call.
#[tokio::test]
async fn a_credential_plugin_runs_once_in_each_command() {
    let stage = Stage::new(Step::Activate).await;
    let folder = tempfile::tempdir().unwrap();
    let mut user = plugin(folder.path());
    let script = format!("sleep 0.3; {}", user["exec"]["args"][1].as_str().unwrap());
    user["exec"]["args"][1] = script.into();
    issue(folder.path(), &json!({"token": "good"}));
    let shell = Shell::with_kubeconfig(&kubeconfig(&stage, folder.path(), &user));
    let name = stage.scene.deployment.name();
    for (count, line) in [format!("status {name}"), "status -A".to_owned(), "status".to_owned()].iter().enumerate() {
        let done = shell.run(line).await.expect(0);
        assert_eq!(runs(folder.path()), count + 1, "{done}");
    }
}

/// As in kubectl, the plugin is called again, and its credentials are used for new connections.
#[tokio::test]
async fn an_expired_client_certificate_is_renewed_by_its_plugin() {
    let mut stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_millis(800)));
    let folder = tempfile::tempdir().unwrap();
    let certificate = || {
        let text = Sandbox::shared().certificate_kubeconfig("admin", &["system:masters"], None).unwrap();
        let config: Value = serde_yaml::from_str(&text).unwrap();
        let pem = |key: &str| {
            let bytes: k8s_openapi::ByteString =
                serde_json::from_value(config["users"][0]["user"][key].clone()).unwrap();
            String::from_utf8(bytes.0).unwrap()
        };
        (pem("client-certificate-data"), pem("client-key-data"))
    };
    let (early, late) = (certificate(), certificate());
    let status = |pair: &(String, String)| json!({"clientCertificateData": pair.0, "clientKeyData": pair.1});
    issue(folder.path(), &status(&early));
    let config = kubeconfig(&stage, folder.path(), &plugin(folder.path()));
    stage.shell = Shell::with_kubeconfig(&config);
    let der = CertificateDer::from_pem_slice(early.0.as_bytes()).unwrap().to_vec();
    let (next, place) = (status(&late), folder.path().to_owned());
    let (mut watches, mut seen) = (0, false);
    stage.proxy.plan(move |request| {
        seen |= request.certificate.as_deref() == Some(&der);
        assert!(seen, "the first certificate is shown");
        watches += usize::from(request.is_watch());
        // The first watch ends, and all later requests fail because the certificate has expired.
        if request.is_watch() && watches == 1 {
            issue(&place, &next);
            return Fault::CutLine { after: 1 };
        }
        let early = request.certificate.as_deref() == Some(&der);
        if watches >= 1 && early { Fault::answer(401) } else { Fault::None }
    });
    let before = stage.standing().await;
    let done = stage.run(&[]).await.expect(0);
    let after = stage.standing().await;
    assert!(stage.is_reached(&after), "{done}");
    assert_eq!(Stage::changes(&before, &after), 1);
    assert_eq!(runs(folder.path()), 2, "{done}");
    assert!(stage.proxy.log().iter().any(|request| {
        request
            .certificate
            .as_deref()
            .is_some_and(|one| one == CertificateDer::from_pem_slice(late.0.as_bytes()).unwrap().as_ref())
    }));
}

/// Without a plugin, the user must log in again elsewhere; then the program continues.
#[tokio::test]
async fn a_new_token_in_the_kubeconfig_is_used_without_a_restart() {
    let mut stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(2)));
    let folder = tempfile::tempdir().unwrap();
    let config = kubeconfig(&stage, folder.path(), &json!({"token": "early"}));
    stage.shell = Shell::with_kubeconfig(&config);
    let mut watches = 0;
    stage.proxy.plan(move |request| {
        watches += usize::from(request.is_watch());
        if request.is_watch() && watches == 1 {
            return Fault::CutLine { after: 1 };
        }
        if watches >= 1 && request.token.as_deref() == Some("early") { Fault::answer(401) } else { Fault::None }
    });
    let mut live = Live::with(&stage, &[]);
    live.until("can't watch the ElementDeployment; retrying").await;
    kubeconfig(&stage, folder.path(), &json!({"token": "late"}));
    live.until("watching the ElementDeployment again").await;
    assert_eq!(live.end().await, 0, "{}", live.text());
    assert!(stage.is_reached(&stage.standing().await));
}

#[tokio::test]
async fn credentials_that_expire_while_reading_end_with_10_and_nothing_is_written() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    for what in ["configmaps", "/secrets/chat-of-ours-mas"] {
        proxy.plan(move |request| if request.address.contains(what) { Fault::answer(401) } else { Fault::None });
        let before = scene.versions().await;
        let done = shell.run("dry-run --yes --accept record,mas-secret,mas-supported").await.expect(10);
        done.says("no longer accepts your credentials").says("nothing was changed");
        assert_eq!(scene.versions().await, before);
    }
    // If only the schema can't be read, the features of the release are unknown.
    let schema =
        |request: &Request| ["openapi", "customresourcedefinitions"].iter().any(|what| request.address.contains(what));
    proxy.plan(move |request| if schema(request) { Fault::answer(403) } else { Fault::None });
    shell.run("dry-run --yes --accept mas-supported").await.expect(10).says("get /openapi/v3").says("system:discovery");
}
