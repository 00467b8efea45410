//! The gates before the activation. Each is tested with all other conditions met.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::common::scene::{Scene, active, condition};

/// Without any of the conditions.
async fn is_refused(scene: &Scene, why: &str) {
    let before = scene.versions().await;
    let done = scene.activate().await.expect(10);
    done.says(why).says("nothing was changed");
    assert_eq!(scene.versions().await, before, "{done}");
}

#[tokio::test]
async fn activation_without_a_dry_run_is_refused() {
    let scene = Scene::new(Behaviour::default()).await;
    is_refused(&scene, "none has passed yet").await;
    scene.prepare().await;
    is_refused(&scene, "none has passed yet").await;
}

#[tokio::test]
async fn activation_after_a_failed_dry_run_is_refused() {
    let mut scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("users without a password"))).await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(1).says("users without a password");
    scene.operator.stop().await;
    is_refused(&scene, "users without a password").await;
}

#[tokio::test]
async fn activation_after_any_other_change_is_refused_and_names_it() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    // Down, so that the status still reports success.
    scene.operator.stop().await;
    let mas = |value: Value| json!({"spec": {"components": {"matrixAuthenticationService": value}}});
    let changes = [
        (
            json!({"spec": {"global": {"config": {"verifyTls": false}}}}),
            json!({"spec": {"global": {"config": {"verifyTls": true}}}}),
            "spec.global.config.verifyTls",
        ),
        (
            mas(json!({"config": {"postgresql": {"host": "other.example.com"}}})),
            mas(json!({"config": {"postgresql": {"host": "pg.example.com"}}})),
            "spec.components.matrixAuthenticationService.config.postgresql.host",
        ),
        (
            mas(json!({"secretName": "another"})),
            mas(json!({"secretName": "chat-of-ours-mas"})),
            "spec.components.matrixAuthenticationService.secretName",
        ),
        (
            mas(json!({"k8s": {"ingress": {"fqdn": "login.example.com"}}})),
            mas(json!({"k8s": {"ingress": {"fqdn": "auth.example.com"}}})),
            "spec.components.matrixAuthenticationService.k8s.ingress.fqdn",
        ),
    ];
    for (change, back, named) in changes {
        let before = scene.object().await["spec"].clone();
        scene.patch(change.clone()).await;
        assert_ne!(scene.object().await["spec"], before, "{change} must change something");
        is_refused(&scene, &format!("the ElementDeployment's spec has changed ({named})")).await;
        scene.patch(back).await;
    }
    let secret = scene.mas_secret().await;
    let key = rsa_key();
    for (key, value) in [
        ("postgresPassword", b"another".as_slice()),
        ("encryptionSecret", "0f".repeat(32).as_bytes()),
        ("rsaPrivateKey", key.as_bytes()),
    ] {
        scene.set_mas_secret(key, Some(value)).await;
        is_refused(&scene, &format!("the MAS Secret has changed ({key}: ")).await;
        scene.set_mas_secret(key, Some(&secret[key])).await;
    }
    scene.set_mas_secret("added", Some(b"x")).await;
    is_refused(&scene, "added: none -> hmac-sha256:").await;
    scene.set_mas_secret("added", None).await;
    scene.set_mas_secret("postgresPassword", None).await;
    is_refused(&scene, "postgresPassword").await;
    // Equal contents count as unchanged, whatever the resourceVersion is.
    scene.set_mas_secret("postgresPassword", Some(&secret["postgresPassword"])).await;
    scene.operator.resume();
    let _ = scene.activate().await.expect(0);
    assert_eq!(scene.object().await["status"]["mas_active"], json!(true));
}

#[tokio::test]
async fn an_old_dry_run_must_be_accepted_or_repeated() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let mut record: Value = serde_json::from_str(&scene.record_text().await.unwrap()).unwrap();
    let now: jiff::Timestamp = record["rehearsal"]["at"].as_str().unwrap().parse().unwrap();
    record["rehearsal"]["at"] = json!(now - jiff::SignedDuration::from_hours(24 * 8));
    let maps = kube::Api::<k8s_openapi::api::core::v1::ConfigMap>::namespaced(
        scene.namespace.client().unwrap(),
        scene.namespace.name(),
    );
    let patch = Patch::Merge(json!({"data": {"record.json": record.to_string()}}));
    maps.patch("chat-of-ours-kubectl-ess-mas", &PatchParams::default(), &patch).await.unwrap();
    scene.shell.run("check").await.expect(11).shows("rehearsal-old").shows("8 days old");
    let done = scene.activate_with(&["--preview"]).await.expect(0);
    done.says("rehearsal-old");
    scene.activate().await.expect(11).says("--accept rehearsal-old").says("nothing was changed");
    // The command in the remedy works.
    scene.shell.run("dry-run --yes").await.expect(0).says("Dry run passed");
    let done = scene.activate().await.expect(0);
    assert!(!done.stderr.contains("rehearsal-old"), "{done}");
}

fn rsa_key() -> String {
    let deployment = Deployment::new("x", "y");
    deployment.mas_secret().unwrap().string_data.unwrap()["rsaPrivateKey"].clone()
}

#[tokio::test]
async fn a_recreated_deployment_needs_a_new_dry_run() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let mut object = scene.object().await;
    scene.operator.stop().await;
    scene.api().delete(scene.deployment.name(), &DeleteParams::default()).await.unwrap();
    for field in ["uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"] {
        object["metadata"].as_object_mut().unwrap().remove(field);
    }
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    scene.api().create(&PostParams::default(), &object).await.unwrap();
    scene.operator.resume();
    scene.until(|object| condition(object, "Successful") == "True").await;
    let before = scene.versions().await;
    scene.activate().await.expect(10).says("none has passed yet");
    assert_eq!(scene.versions().await, before);
}

#[tokio::test]
async fn a_reconcile_that_failed_since_invalidates_the_dry_run() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("the disk is full")));
    scene.patch(json!({"metadata": {"annotations": {"example.com/poke": "1"}}})).await;
    scene.until(|object| condition(object, "Failure") == "True").await;
    scene.operator.stop().await;
    let before = scene.versions().await;
    scene.activate().await.expect(10).says("the disk is full").says("nothing was changed");
    assert_eq!(scene.versions().await, before);
}

/// New settings from `prepare` reach the deployment only with the next dry run.
#[tokio::test]
async fn settings_prepared_since_the_dry_run_block_the_activation() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let _ = scene.shell.run("prepare --database-host new.example.com --yes").await.expect(0);
    let before = scene.versions().await;
    scene.activate().await.expect(10).says("prepare").says("nothing was changed");
    assert_eq!(scene.versions().await, before);
    let item = scene.shell.run("status -o json").await.expect(0).json()["items"][0].clone();
    assert_eq!([&item["phase"], &item["rehearsal"]["state"]], ["DryRun", "outdated"]);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
    let config = &scene.object().await["spec"]["components"]["matrixAuthenticationService"]["config"];
    assert_eq!(config["postgresql"]["host"], "new.example.com");
}

#[tokio::test]
async fn activation_without_backup_or_name_is_wrong_usage_and_changes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let before = scene.versions().await;
    let name = scene.deployment.name().to_owned();
    let lines: [(&[&str], &str); 8] = [
        (&["--yes"], "--yes is not sufficient"),
        (&[], "--backup"),
        (&["--confirm", &name], "--backup"),
        (&["--backup", "on the shelf"], "--confirm chat-of-ours"),
        (&["--yes", "--backup", "on the shelf"], "--confirm chat-of-ours"),
        (&["--confirm", "another", "--backup", "on the shelf"], "the deployment is chat-of-ours"),
        (&["--confirm", &name, "--backup", ""], "--backup must say where"),
        (&["--confirm", &name, "--backup", "   "], "--backup must say where"),
    ];
    for (more, why) in lines {
        let words: Vec<&str> = ["activate"].iter().chain(more).copied().collect();
        let done = scene.shell.run_words(&words, None).await.expect(2);
        done.says(why);
        assert_eq!(scene.versions().await, before, "{done}");
    }
    assert_eq!(*active(&scene.object().await), json!(false));
}

#[tokio::test]
async fn preview_shows_the_one_value_and_writes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let before = scene.versions().await;
    let done = scene.shell.run("dry-run --preview").await.expect(0);
    done.says("active: false").says("secretName").says("preview; nothing was written");
    assert_eq!(scene.versions().await, before);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let before = scene.versions().await;
    let done = scene.shell.run("activate --preview").await.expect(0);
    done.says("active").says("true").says("preview; nothing was written");
    assert_eq!(scene.versions().await, before);
}

#[tokio::test]
async fn an_unreconciled_deployment_is_not_changed() {
    let namespace = Sandbox::shared().namespace().await.unwrap();
    let deployment = Deployment::new("fresh", namespace.name());
    namespace.create(&deployment).await.unwrap();
    let shell = crate::common::command::Shell::new(&namespace);
    let done = shell
        .run_words(
            &[
                "prepare",
                "--host",
                "auth.example.com",
                "--database-host",
                "pg",
                "--database-name",
                "mas",
                "--database-user",
                "mas",
                "--database-password-file",
                "-",
                "--yes",
            ],
            Some("x\n"),
        )
        .await
        .expect(10);
    done.says("never reconciled");
    shell.run("dry-run --yes").await.expect(10).says("never reconciled").says("nothing was changed");
    shell.run("check").await.expect(10).shows("never reconciled");
}

#[tokio::test]
async fn an_unavailable_deployment_is_blocked_and_an_unknown_one_must_be_accepted() {
    let scene = Scene::new(Behaviour::default().available(Available::False)).await;
    scene.shell.run("dry-run --yes").await.expect(10).says("available").says("nothing was changed");
    let done = scene.shell.run("dry-run --yes --accept available").await.expect(10);
    done.says("--accept available: a blocker can't be accepted");
    assert_eq!(condition(&scene.object().await, "Available"), "False");

    let scene = Scene::new(Behaviour::default().available(Available::Absent)).await;
    let done = scene.prepare_with(&[], "pw\n").await.expect(11);
    done.says("--accept available");
    let accept = ["--accept", "available"];
    let _ = scene.prepare_with(&accept, "pw\n").await.expect(0);
    let before = scene.versions().await;
    scene.shell.run("dry-run --yes").await.expect(11).says("--accept available").says("nothing was changed");
    scene.shell.run("dry-run --yes --accept rehearsal-old").await.expect(11).says("--accept available");
    scene.shell.run("dry-run --yes --accept availble").await.expect(2).says("'available'");
    assert_eq!(scene.versions().await, before);
    let _ = scene.shell.run("dry-run --yes --accept available").await.expect(0);
    scene.activate().await.expect(11).says("--accept available");
    let _ = scene.activate_with(&accept).await.expect(0);
}

/// An admission policy that changes the deployment, as a webhook may.
async fn meddle(scene: &Scene) {
    let name = format!("meddler-{}", scene.namespace.name());
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace.name()}},
                "resourceRules": [{"apiGroups": ["matrix.element.io"], "apiVersions": ["*"], "operations": ["UPDATE"],
                                   "resources": ["elementdeployments"]}],
            },
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression":
                "[JSONPatch{op: \"add\", path: \"/spec/global/config/verifyTls\", value: false}]"}}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name},
    });
    let client = scene.namespace.client().unwrap();
    for (path, object) in [("mutatingadmissionpolicies", policy), ("mutatingadmissionpolicybindings", binding)] {
        let request = http::Request::post(format!("/apis/admissionregistration.k8s.io/v1/{path}"))
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes())
            .unwrap();
        let _: Value = client.request(request).await.unwrap();
    }
    // The API server applies it with a delay.
    let params = PatchParams { dry_run: true, ..PatchParams::default() };
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/probe": "x"}}}));
    for _ in 0..400 {
        let answer = scene.api().patch(scene.deployment.name(), &params, &patch).await.unwrap();
        if answer.data["spec"]["global"]["config"]["verifyTls"] == json!(false) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the policy is not heeded after 10 s");
}

#[tokio::test]
async fn an_activation_that_would_change_more_than_active_is_not_written() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    meddle(&scene).await;
    let before = scene.versions().await;
    let done = scene.activate().await.expect(1);
    done.says("more than active").says("spec.global.config.verifyTls").says("was not changed");
    assert_eq!(scene.versions().await, before);
}
