//! `prepare --export`: the files it writes, the calls it refuses, and that it never changes the cluster.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::common::command::{Done, Shell, finish};
use crate::common::scene::{PASSWORD, Scene, active};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The files in the test's home directory.
fn files(scene: &Scene) -> Vec<String> {
    let entries = std::fs::read_dir(scene.shell.home()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

async fn kubectl(scene: &Scene, words: &str) -> Done {
    let mut kubectl = Command::new(Client::Kubectl.program().unwrap());
    kubectl.args(words.split_whitespace()).env_clear().env("HOME", scene.shell.home());
    kubectl.env("KUBECONFIG", scene.namespace.kubeconfig().unwrap()).current_dir(scene.shell.home());
    kubectl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    finish(kubectl.spawn().unwrap(), format!("kubectl {words}")).await
}

#[tokio::test]
async fn manifests_are_two_files_that_kubectl_applies_unchanged() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.versions().await;
    let done = scene.prepare_with(&["--export", "manifests", "--export-file", "mas.yaml"], PASSWORD).await.expect(0);
    done.says("mas.yaml written").says("mas-secret.yaml written").says("Nothing was written to the cluster");
    done.says("never commit it unencrypted").says("--without-secret").is_silent_about(PASSWORD);
    assert_eq!(done.stdout, "");
    assert_eq!(scene.versions().await, before);
    for name in ["mas.yaml", "mas-secret.yaml"] {
        assert_eq!(mode(&scene.shell.home().join(name)), 0o600, "{name}");
    }
    let patch = std::fs::read_to_string(scene.shell.home().join("mas.yaml")).unwrap();
    assert!(!patch.contains("encryptionSecret") && patch.contains("active: false"), "{patch}");
    // The command in the file's comment.
    let line = patch.lines().find_map(|line| line.strip_prefix("# by hand:    kubectl ")).unwrap();
    let _ = kubectl(&scene, "apply -f mas-secret.yaml").await.expect(0);
    let _ = kubectl(&scene, line).await.expect(0);
    assert_eq!(scene.mas_secret().await["postgresPassword"], PASSWORD.as_bytes());
    assert_eq!(*active(&scene.object().await), json!(false));
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn export_prints_no_secret_and_overwrites_no_file() {
    let scene = Scene::new(Behaviour::default()).await;
    for words in [
        &["--export", "manifests"][..],
        &["--export", "helm-values", "--inline-secrets"],
        &["--export", "manifests", "--export-file", "-"],
    ] {
        let done = scene.prepare_with(words, PASSWORD).await.expect(2);
        done.says("never printed").says("--export-file FILE").says("othing was written").is_silent_about(PASSWORD);
        assert_eq!(done.stdout, "");
    }
    for words in [
        &["--inline-secrets"][..],
        &["--export-file", "x"],
        &["--export", "manifests", "--force"],
        &["--export", "manifests", "--inline-secrets", "--without-secret", "--export-file", "x"],
        &["--export", "everything"],
    ] {
        let _ = scene.prepare_with(words, PASSWORD).await.expect(2);
    }
    let there = scene.shell.file("mas-secret.yaml", "mine");
    let manifests = ["--export", "manifests", "--export-file", "mas.yaml"];
    scene.prepare_with(&manifests, PASSWORD).await.expect(2).says("already exists").says("--force");
    assert_eq!(std::fs::read_to_string(scene.shell.home().join(&there)).unwrap(), "mine");
    assert_eq!(files(&scene), ["mas-secret.yaml"], "all files or none");
    let _ = scene.prepare_with(&[&manifests[..], &["--force"]].concat(), PASSWORD).await.expect(0);
    assert_eq!(files(&scene), ["mas-secret.yaml", "mas.yaml"]);
    assert_eq!(mode(&scene.shell.home().join(&there)), 0o600);
    // A device is never replaced.
    let device = ["--export", "manifests", "--export-file", "/dev/null", "--without-secret", "--force"];
    scene.prepare().await;
    scene.prepare_with(&device, PASSWORD).await.expect(1).says("it is not a file");
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[tokio::test]
async fn export_by_name_requires_an_existing_complete_secret() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.versions().await;
    for words in [&["--export", "helm-values"][..], &["--export", "manifests", "--without-secret"]] {
        let done = scene.prepare_with(words, PASSWORD).await.expect(10);
        done.says("the Secret doesn't exist").says("the same command without --export").says("nothing was written");
        assert_eq!(done.stdout, "");
    }
    assert_eq!(scene.versions().await, before);
    scene.prepare().await;
    let before = scene.versions().await;
    let done = scene.shell.run("prepare --export helm-values").await.expect(0);
    let values = done.yaml();
    assert_eq!(values["secrets"], json!({"matrixAuthenticationService": {"existingSecret": "chat-of-ours-mas"}}));
    let mas = &values["components"]["matrixAuthenticationService"];
    assert_eq!(mas["config"]["active"], json!(false));
    assert_eq!(mas.get("secretName"), None, "the chart sets it");
    let done = scene.shell.run("prepare --export manifests --without-secret").await.expect(0);
    let patch = done.yaml();
    let mas = &patch["spec"]["components"]["matrixAuthenticationService"];
    assert_eq!(mas["secretName"], "chat-of-ours-mas");
    // Replacing a value would change the Secret.
    let replace = ["--export", "helm-values", "--replace", "postgresPassword"];
    scene.prepare_with(&replace, "another").await.expect(10).says("must be changed first");
    assert_eq!(scene.versions().await, before);
    scene.set_mas_secret("rsaPrivateKey", None).await;
    scene.shell.run("prepare --export helm-values").await.expect(10).says("rsaPrivateKey").says("the key is missing");
    scene.set_mas_secret("rsaPrivateKey", Some(b"nonsense")).await;
    let done = scene.prepare_with(&["--export", "manifests", "--export-file", "x"], PASSWORD).await.expect(1);
    done.says("rsaPrivateKey").says("nothing was changed");
    assert_eq!(files(&scene), [""; 0]);
}

#[tokio::test]
async fn export_needs_no_write_permission_and_by_name_no_read_of_the_secret() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let rule = |group: &str, resource: &str| PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        verbs: vec!["get".to_owned(), "list".to_owned()],
        ..PolicyRule::default()
    };
    let deployments = rule("matrix.element.io", "elementdeployments");
    let readers = [deployments.clone(), rule("", "configmaps"), rule("", "secrets")];
    let reader = scene.namespace.user("reader", readers.to_vec()).await.unwrap();
    let done =
        Shell::with_kubeconfig(&reader.kubeconfig).run("prepare --export manifests --export-file mas.yaml").await;
    done.expect(0).says("mas-secret.yaml written");
    let blind = scene.namespace.user("blind", vec![deployments, rule("", "configmaps")]).await.unwrap();
    let shell = Shell::with_kubeconfig(&blind.kubeconfig);
    let done = shell.run("prepare --export helm-values").await.expect(0);
    done.says("the Secret couldn't be read").shows("existingSecret: chat-of-ours-mas");
    shell.run("prepare --export manifests --export-file mas.yaml").await.expect(1).says("can't be read");
}

async fn of_helm() -> Scene {
    Scene::changed(Behaviour::default(), |deployment| {
        deployment.set("/metadata/annotations/meta.helm.sh~1release-name", "chat-of-ours")
    })
    .await
}

#[tokio::test]
async fn no_secret_is_created_under_the_charts_name() {
    let scene = of_helm().await;
    let before = scene.versions().await;
    for name in [
        "chat-of-ours-stack-matrixauthenticationservice",
        "chat-of-ours-stack-mas",
        "x-stack-matrixauthenticationservice",
    ] {
        let done = scene.prepare_with(&["--secret-name", name], PASSWORD).await.expect(2);
        done.says("Helm refuses to adopt").says("chat-of-ours-mas").says("nothing was changed");
        let more = ["--export", "manifests", "--export-file", "mas.yaml", "--secret-name", name];
        scene.prepare_with(&more, PASSWORD).await.expect(2).says("Helm refuses to adopt");
    }
    assert_eq!(scene.versions().await, before);
    assert_eq!(files(&scene), [""; 0]);
    // If the chart names its Secret without creating it, `prepare` uses another name.
    let named: Value = json!({"spec": {"components": {"matrixAuthenticationService": {
        "secretName": "chat-of-ours-stack-matrixauthenticationservice",
        "config": {"active": false, "postgresql": {"host": "pg", "database": "mas", "user": "mas"}},
        "k8s": {"ingress": {"fqdn": "auth.example.com"}}}}}});
    scene.patch(named).await;
    let _ = scene.prepare_with(&[], PASSWORD).await.expect(0);
    assert_eq!(scene.mas_secret().await["postgresPassword"], PASSWORD.as_bytes());
}

#[tokio::test]
async fn export_keeps_the_encryption_secret_of_a_deployed_mas() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let value = "3f9ac1d27be4560819f0e2d4c6b8a7935d1e0f2c4b6a89786543210fedcba987";
    let other = scene.shell.file("other", value);
    let export = ["--export", "manifests", "--export-file", "mas.yaml", "--encryption-secret-file", &other];
    scene
        .prepare_with(&[&export[..], &["--replace", "encryptionSecret"]].concat(), "pw")
        .await
        .expect(2)
        .says("cannot be replaced");
    scene
        .prepare_with(&[&export[..], &["--secret-name", "another"]].concat(), "pw")
        .await
        .expect(2)
        .says("cannot change");
    assert_eq!(files(&scene), ["other"]);
    scene.prepare_with(&export, "pw").await.expect(0).says("kept; differs from the given value");
    let text = std::fs::read_to_string(scene.shell.home().join("mas-secret.yaml")).unwrap();
    let secret: Value = serde_yaml::from_str(&text).unwrap();
    let kept =
        serde_json::to_value(k8s_openapi::ByteString(scene.mas_secret().await["encryptionSecret"].clone())).unwrap();
    assert_eq!(secret["data"]["encryptionSecret"], kept);
}

#[tokio::test]
async fn an_export_with_an_issued_certificate_writes_the_files_of_the_new_ca() {
    let scene = Scene::new(Behaviour::default()).await;
    let export = ["--export", "helm-values", "--inline-secrets", "--export-file", "mas.yaml", "--tls", "issue"];
    scene.prepare_with(&export, "pw").await.expect(0).says("Install auth.example.com-ca.crt");
    assert_eq!(files(&scene), ["auth.example.com-ca.crt", "auth.example.com-ca.key", "mas.yaml"]);
    let text = std::fs::read_to_string(scene.shell.home().join("mas.yaml")).unwrap();
    assert!(text.contains("      certificate: |\n        -----BEGIN CERTIFICATE-----\n"), "{text}");
    let values: Value = serde_yaml::from_str(&text).unwrap();
    let content = &values["secrets"]["matrixAuthenticationService"]["content"];
    scene.shell.file("leaf.pem", content["certificate"].as_str().unwrap());
    scene.shell.file("leaf.key", content["privateKey"].as_str().unwrap());
    let check = "tls check --host auth.example.com --certificate leaf.pem --private-key leaf.key --ca-certificate auth.example.com-ca.crt";
    let _ = scene.shell.run(check).await.expect(0);
    let nowhere = scene.prepare_with(&["--export", "helm-values", "--tls", "issue"], "pw").await;
    assert!([2, 10].contains(&nowhere.code), "{nowhere}");
}
