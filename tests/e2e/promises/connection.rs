//! kubectl's connection flags have kubectl's meaning.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::common::command::Done;
use crate::common::scene::Scene;

/// A kubeconfig in parts, to combine them incorrectly.
struct Parts {
    cluster: Value,
    user: Value,
    namespace: String,
}

impl Parts {
    fn of(scene: &Scene) -> Self {
        let text = std::fs::read_to_string(scene.namespace.kubeconfig().unwrap()).unwrap();
        let config: Value = serde_yaml::from_str(&text).unwrap();
        Self {
            cluster: config["clusters"][0]["cluster"].clone(),
            user: config["users"][0]["user"].clone(),
            namespace: scene.namespace.name().to_owned(),
        }
    }

    fn with(&self, clusters: &[(&str, &Value)], users: &[(&str, &Value)], current: &str) -> Value {
        let named = |kind: &str, all: &[(&str, &Value)]| -> Vec<Value> {
            all.iter().map(|(name, value)| json!({"name": name, kind: value})).collect()
        };
        json!({
            "apiVersion": "v1", "kind": "Config", "clusters": named("cluster", clusters), "users": named("user", users),
            "contexts": [
                {"name": "good", "context": {"cluster": "good", "user": "good", "namespace": self.namespace}},
                {"name": "bad", "context": {"cluster": "bad", "user": "bad", "namespace": self.namespace}},
                {"name": "bare", "context": {"cluster": "good", "user": "good"}},
            ],
            "current-context": current,
        })
    }
}

/// Runs a command with this text as `KUBECONFIG`.
async fn with(scene: &Scene, kubeconfig: &Value, words: &[&str]) -> Done {
    let path = scene.shell.home().join(scene.shell.file("config", kubeconfig.to_string()));
    with_list(scene, path.to_str().unwrap(), words).await
}

async fn with_list(scene: &Scene, list: &str, words: &[&str]) -> Done {
    let mut command = scene.shell.command(words);
    command.env("KUBECONFIG", list);
    crate::common::command::finish(command.spawn().unwrap(), words.join(" ")).await
}

fn file(scene: &Scene, name: &str, base64: &Value) -> String {
    let bytes: k8s_openapi::ByteString = serde_json::from_value(base64.clone()).unwrap();
    scene.shell.file(name, bytes.0)
}

#[tokio::test]
async fn connection_flags_work_as_in_kubectl() {
    let scene = Scene::new(Behaviour::default()).await;
    let parts = Parts::of(&scene);
    let server = parts.cluster["server"].as_str().unwrap().to_owned();
    let nowhere = json!({"server": "https://127.0.0.1:1"});
    let nobody = json!({});
    let clusters = [("good", &parts.cluster), ("bad", &nowhere)];
    let users = [("good", &parts.user), ("bad", &nobody)];
    let good = parts.with(&clusters, &users, "good");
    let bad = parts.with(&clusters, &users, "bad");

    with(&scene, &good, &["status"]).await.expect(0).shows("chat-of-ours");
    with(&scene, &bad, &["status"]).await.expect(1).says("cannot be reached");
    let done = with(&scene, &bad, &["status", "--context", "good"]).await.expect(0);
    done.shows("--context good");
    let _ = with(&scene, &bad, &["status", "--cluster", "good", "--user", "good"]).await.expect(0);
    with(&scene, &bad, &["status", "--cluster", "good"]).await.expect(1).says("not");
    with(&scene, &good, &["status", "--context", "absent"]).await.expect(1).says("absent");
    // The namespace of the context; -n overrides it.
    with(&scene, &good, &["status", "--context", "bare", "chat-of-ours", "-n", "default"])
        .await
        .expect(1)
        .says("default");
    let _ = with(&scene, &good, &["status", "--context", "bare", "-n", &parts.namespace]).await.expect(0);
    // The address as a flag, with its certificates.
    let done = with(&scene, &bad, &["status", "--user", "good", "-s", &server, "--insecure-skip-tls-verify"]).await;
    let _ = done.expect(0);
    let authority = file(&scene, "ca.pem", &parts.cluster["certificate-authority-data"]);
    let authority = ["status", "--user", "good", "-s", &server, "--certificate-authority", &authority];
    let _ = with(&scene, &bad, &authority).await.expect(0);
    with(&scene, &bad, &["status", "--user", "good", "-s", &server]).await.expect(1).says("certificate");
    let certificate = file(&scene, "client.crt", &parts.user["client-certificate-data"]);
    let key = file(&scene, "client.key", &parts.user["client-key-data"]);
    let client = ["status", "--cluster", "good", "--client-certificate", &certificate, "--client-key", &key];
    let _ = with(&scene, &bad, &client).await.expect(0);
    let _ = with(&scene, &good, &["status", "--tls-server-name", "localhost"]).await.expect(0);
    with(&scene, &good, &["status", "--tls-server-name", "other.example.com"]).await.expect(1).says("certificate");
    // Impersonation of another user.
    with(&scene, &good, &["status", "--as", "jane"]).await.expect(1).says("user jane is not allowed").says("--as jane");
    let _ = with(&scene, &good, &["status", "--as", "jane", "--as-group", "system:masters"]).await.expect(0);
    let _ = with(&scene, &good, &["status", "--as", "jane", "--as-uid", "7", "--as-group", "system:masters"])
        .await
        .expect(0);
    // Other files.
    let path = scene.shell.file("elsewhere", good.to_string());
    let _ = with_list(&scene, "/nowhere/at/all", &["status", "--kubeconfig", &path]).await.expect(0);
    with(&scene, &good, &["status", "--kubeconfig", "absent.yaml"]).await.expect(1).says("absent.yaml");
    with(&scene, &good, &["status", "--token", "x"]).await.expect(2).says("--token");
}

#[tokio::test]
async fn kubeconfig_lists_are_merged() {
    let scene = Scene::new(Behaviour::default()).await;
    let parts = Parts::of(&scene);
    let mut first = parts.with(&[("good", &parts.cluster)], &[], "good");
    first["contexts"] = json!([]);
    let second = parts.with(&[("good", &json!({"server": "https://127.0.0.1:1"}))], &[("good", &parts.user)], "bad");
    let home = scene.shell.home().to_owned();
    let path = |name: &str, config: &Value| -> PathBuf { home.join(scene.shell.file(name, config.to_string())) };
    let list = std::env::join_paths([home.join("absent"), path("first", &first), path("second", &second)]).unwrap();
    // The first file that sets a value wins; a missing file sets none.
    let _ = with_list(&scene, list.to_str().unwrap(), &["status"]).await.expect(0);
}

#[tokio::test]
async fn a_duplicate_name_in_one_kubeconfig_is_refused() {
    let scene = Scene::new(Behaviour::default()).await;
    let parts = Parts::of(&scene);
    let other = json!({"username": "second", "password": "canary"});
    let users = [("good", &parts.user), ("good", &other)];
    let twice = parts.with(&[("good", &parts.cluster)], &users, "good");
    let done = with(&scene, &twice, &["status"]).await.expect(1);
    done.says("config has more than one entry named good in users").is_silent_about("canary");
}

#[tokio::test]
async fn an_unresponsive_server_ends_in_a_timeout() {
    let scene = Scene::new(Behaviour::default()).await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", silent.local_addr().unwrap());
    let begun = Instant::now();
    let done = scene.shell.run(&format!("status -s {address} --request-timeout 400ms")).await.expect(1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{done}");
    done.says(&address);
    scene.shell.run("status --request-timeout soon").await.expect(2).says("--request-timeout");
    scene.shell.run("status --request-timeout 30s").await.expect(0).shows("chat-of-ours");
    let _ = scene.shell.run("status --request-timeout 0").await.expect(0);
}

#[tokio::test]
async fn requests_are_logged_only_with_v() {
    let scene = Scene::new(Behaviour::default()).await;
    let quiet = scene.shell.run("status").await.expect(0);
    assert_eq!(quiet.stderr, "");
    let told = scene.shell.run("status -v").await.expect(0);
    told.says("GET /apis/matrix.element.io/v1alpha2/").says("answered 200 in");
}

#[tokio::test]
async fn errors_of_the_http_library_are_shown_only_with_v() {
    let scene = Scene::new(Behaviour::default()).await;
    let done = scene.shell.run("status --server https://127.0.0.1:1").await.expect(1);
    done.says("cannot be reached: the connection was refused");
    assert!(!done.stderr.contains("os error") && !done.stderr.contains("because"), "{done}");
    scene.shell.run("status -v --server https://127.0.0.1:1").await.expect(1).says("because");
}
