//! `activate`: the write, its results, and its failures.

mod gates;
mod progress;

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::common::scene::{Scene, active, condition, switch};

#[tokio::test]
async fn activation_changes_one_value_and_every_command_is_a_no_op_afterwards() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let before = scene.object().await;
    assert_eq!(*active(&before), json!(false));
    let outcome = scene.activate_with(&["-o", "json"]).await.expect(0).json();
    assert_eq!(outcome["write"], "applied");
    assert_eq!(outcome["verdict"], "succeeded");
    assert_eq!(outcome["status"]["phase"], "Complete");
    let after = scene.object().await;
    assert_eq!(after["status"]["mas_active"], json!(true));
    let mut expected = before["spec"].clone();
    expected["components"]["matrixAuthenticationService"]["config"]["active"] = json!(true);
    assert_eq!(after["spec"], expected);
    assert_eq!(before["metadata"]["annotations"], after["metadata"]["annotations"]);
    // The record contains the statement about the backup, and who made it.
    let record = scene.record_text().await.unwrap();
    assert!(record.contains("on the shelf"), "{record}");
    assert!(record.contains("admin"), "{record}");

    // Every command again: already done, and nothing is written.
    let versions = scene.versions().await;
    scene.activate().await.expect(0).says("already done");
    scene.shell.run("dry-run --yes").await.expect(0).says("already done");
    scene.prepare_with(&[], "other password\n").await.expect(0).says("already complete");
    scene.shell.run("abort --yes").await.expect(10).says("already-migrated");
    scene.shell.run("abort --remove --yes").await.expect(10).says("backup");
    let status = scene.shell.run("status").await.expect(0);
    status.shows("migrated: MAS is active");
    assert_eq!(scene.versions().await, versions);
}

#[tokio::test]
async fn after_wait_false_the_same_command_follows() {
    let scene = Scene::new(Behaviour::default().lasting(Duration::from_secs(2))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes --wait=false").await.expect(0);
    done.says("Not waiting").says("kubectl ess-mas dry-run chat-of-ours");
    let before = scene.decided().await.1;
    scene.shell.run("dry-run --yes").await.expect(0).says("already made").says("Dry run passed");
    assert_eq!(scene.decided().await.1, before);
    let done = scene.activate_with(&["--wait=false", "-o", "json"]).await.expect(0).json();
    assert_eq!([&done["write"], &done["verdict"]], ["applied", "not-waited"]);
    // No flag is needed again, because everything was decided before.
    scene.shell.run("activate").await.expect(0).says("already made").says("mas_active is true");
}

#[tokio::test]
async fn a_failing_activation_saves_the_details_and_offers_retry_and_rollback() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let message = "could not obtain lock on relation \"users\"";
    scene.operator.set(Behaviour::default().activation(Outcome::fail(message)));
    let done = scene.activate_with(&["-o", "json"]).await.expect(1);
    done.says(message).says("the migration failed").says("kubectl ess-mas activate chat-of-ours -n ");
    done.says("kubectl ess-mas abort chat-of-ours -n ");
    let outcome = done.json();
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["applied", "failed"]);
    assert_eq!(outcome["message"], message);
    assert_eq!(outcome["status"]["phase"], "MigrationFailed");
    let file = outcome["recordFile"].as_str().unwrap();
    let kept: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(kept["active"], json!(true));
    assert_eq!(kept["message"], message);
    // The same command follows the operator's next attempt, without repeating the introduction.
    scene.shell.run("activate").await.expect(1).says(message);
    let spec = scene.object().await["spec"].clone();
    mend(&mut scene).await;
    scene.shell.run("activate").await.expect(0).says("mas_active is true");
    assert_eq!(scene.object().await["spec"], spec);
}

#[tokio::test]
async fn a_failure_after_mas_is_active_is_no_success_and_offers_no_abort() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(
        Behaviour::default()
            .activation(Outcome::FailLate("ingress not ready".to_owned()))
            .plain(Outcome::fail("ingress not ready")),
    );
    let done = scene.activate().await.expect(1);
    done.says("ingress not ready").says("mas_active is true").says("backup");
    assert!(!done.stderr.contains("ess-mas abort"), "{done}");
    scene.shell.run("abort --yes").await.expect(10).says("already-migrated");
    scene.shell.run("activate").await.expect(1).says("ingress not ready");
    mend(&mut scene).await;
    let _ = scene.shell.run("activate").await.expect(0);
}

/// All reconciles succeed from now on, and earlier failures have been reported.
async fn mend(scene: &mut Scene) {
    scene.operator.stop().await;
    let _ = scene.shell.run("activate --timeout 0").await;
    scene.operator.set(Behaviour::default());
    scene.operator.resume();
}

/// A reconcile whose start was not observed completed the migration; the command must not wait for another one.
#[tokio::test]
async fn an_activation_by_another_client_is_followed_without_a_write() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let slow = Duration::from_millis(1500);
    scene.operator.set(Behaviour { run: Duration::from_millis(100), settle: slow, ..Behaviour::default() });
    scene.patch(switch(true)).await;
    scene.until(|object| object["status"]["mas_active"] == json!(true)).await;
    assert_eq!(condition(&scene.object().await, "Successful"), "False");
    let done = scene.shell.run("activate").await.expect(0);
    done.says("already made by field manager somebody-else").says("The migration is already done");
}

#[tokio::test]
async fn dry_run_and_prepare_are_blocked_during_a_migration() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().activation(Outcome::Hang));
    let _ = scene.activate_with(&["--wait=false"]).await.expect(0);
    scene.operator.wait_for_run().await;
    let before = scene.decided().await;
    scene.shell.run("dry-run --yes").await.expect(10).says("migration-under-way");
    scene.prepare_with(&[], "pw").await.expect(10).says("migration-under-way");
    assert_eq!(scene.decided().await, before);
}

#[tokio::test]
async fn written_objects_carry_the_names_of_the_contract() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let client = scene.namespace.client().unwrap();
    let maps = kube::Api::<k8s_openapi::api::core::v1::ConfigMap>::namespaced(client, scene.namespace.name());
    let all = maps.list(&ListParams::default()).await.unwrap();
    assert_eq!(all.items.len(), 1, "one ConfigMap per deployment");
    let record = serde_json::to_value(&all.items[0]).unwrap();
    let object = scene.object().await;
    let owner = &record["metadata"]["ownerReferences"][0];
    assert_eq!([&owner["uid"], &owner["kind"]], [&object["metadata"]["uid"], &json!("ElementDeployment")]);
    let secret = serde_json::to_value(scene.secrets().get("chat-of-ours-mas").await.unwrap()).unwrap();
    for one in [&record, &secret] {
        assert_ne!(one["metadata"]["labels"]["app.kubernetes.io/managed-by"], "element-updater");
        assert_eq!(one["metadata"]["managedFields"][0]["manager"], "kubectl-ess-mas");
    }
    // The Secret outlives the deployment: without it, nobody can read the values that MAS encrypted.
    assert_eq!(secret["metadata"]["ownerReferences"], Value::Null);
    let managers = object["metadata"]["managedFields"].as_array().unwrap();
    let ours: Vec<_> = managers.iter().filter(|one| one["manager"] == "kubectl-ess-mas").collect();
    assert_eq!(ours.len(), 1);
    let switch = "/fieldsV1/f:spec/f:components/f:matrixAuthenticationService/f:config/f:active";
    assert!(ours[0].pointer(switch).is_some(), "{ours:#?}");
}
