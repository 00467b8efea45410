//! Others who act at the same time: colleagues, other tools, and whoever kills the program.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams};
use serde_json::{Value, json};

use crate::plugin::finish;
use crate::scene::{Scene, active, condition};

fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap()
}

#[tokio::test]
async fn two_people_at_once_make_one_write_and_both_get_the_verdict() {
    let scene = Scene::new(Behaviour::default().lasting(Duration::from_millis(800))).await;
    scene.prepare().await;
    for line in ["dry-run --yes", "activate --confirm chat-of-ours --backup shelf"] {
        let before = generation(&scene.object().await);
        let line = format!("{line} -o json");
        let all = tokio::join!(scene.shell.run(&line), scene.shell.run(&line), scene.shell.run(&line));
        let mut applied = 0;
        for done in [all.0, all.1, all.2] {
            let outcome = done.expect(0).json();
            assert!(["succeeded", "unchanged"].contains(&outcome["verdict"].as_str().unwrap()), "{outcome:#}");
            applied += usize::from(outcome["write"] == "applied");
        }
        assert_eq!(applied, 1);
        assert_eq!(generation(&scene.object().await), before + 1);
    }
    assert_eq!(scene.object().await["status"]["mas_active"], json!(true));
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_that_was_killed_is_gone_on_with_by_the_next_call() {
    let scene = Scene::new(Behaviour::default().lasting(Duration::from_secs(1))).await;
    scene.prepare().await;
    let mut child = scene.shell.start("dry-run --yes");
    scene.until(|object| *active(object) == json!(false)).await;
    child.kill().await.unwrap();
    scene
        .until(|object| object["status"]["mas_active"] == json!(false) && condition(object, "Successful") == "True")
        .await;
    let spec = scene.decided().await.1;
    // The rehearsal ended well while nobody looked.
    scene.shell.run("dry-run --yes").await.expect(0).says("there already").says("Dry run passed");
    assert_eq!(scene.decided().await.1, spec);

    scene.operator.set(Behaviour::default().activation(Outcome::fail("no lock")));
    let words = ["activate", "--confirm", "chat-of-ours", "--backup", "shelf"];
    let mut child = scene.shell.command(words).spawn().unwrap();
    scene.until(|object| *active(object) == json!(true)).await;
    child.kill().await.unwrap();
    scene.until(|object| condition(object, "Failure") == "True").await;
    // And so does a failure that nobody saw.
    scene.shell.run("activate").await.expect(1).says("no lock");
    assert_eq!(scene.shell.failure_files().len(), 1);
    let _ = scene.shell.run("abort --yes").await.expect(0);
}

#[tokio::test]
async fn a_deployment_that_is_deleted_while_it_is_followed_is_no_success() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::Hang)).await;
    scene.prepare().await;
    let child = scene.shell.start("dry-run --yes -o json");
    scene.until(|object| *active(object) == json!(false)).await;
    scene.operator.wait_for_run().await;
    scene.api().delete(scene.deployment.name(), &DeleteParams::default()).await.unwrap();
    let done = finish(child, "dry-run".to_owned()).await.expect(1);
    done.says("was deleted");
    assert_eq!(done.json()["verdict"], "failed");
}

#[tokio::test]
async fn a_deployment_made_anew_under_the_same_name_has_not_been_rehearsed() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
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
async fn a_run_that_failed_since_the_rehearsal_takes_its_word_back() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("the disk is full")));
    scene.patch(json!({"metadata": {"annotations": {"example.com/poke": "1"}}})).await;
    scene.until(|object| condition(object, "Failure") == "True").await;
    scene.operator.stop().await;
    let before = scene.versions().await;
    scene.activate().await.expect(10).says("the disk is full").says("nothing was changed");
    assert_eq!(scene.versions().await, before);
}

/// What `prepare` settles comes into the deployment with the next rehearsal, and not unrehearsed or never.
#[tokio::test]
async fn settings_prepared_since_the_rehearsal_are_not_left_out_of_the_activation() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
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
async fn nothing_else_is_begun_while_a_migration_is_under_way() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
    scene.operator.set(Behaviour::default().activation(Outcome::Hang));
    let _ = scene.activate_with(&["--wait=false"]).await.expect(0);
    scene.operator.wait_for_run().await;
    let before = scene.decided().await;
    scene.shell.run("dry-run --yes").await.expect(10).says("migration-under-way");
    scene.prepare_with(&[], "pw").await.expect(10).says("migration-under-way");
    assert_eq!(scene.decided().await, before);
}

#[tokio::test]
async fn what_is_written_carries_the_names_that_the_contract_gives() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
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
    // The Secret outlives the deployment: what MAS encrypts cannot be read without it.
    assert_eq!(secret["metadata"]["ownerReferences"], Value::Null);
    let managers = object["metadata"]["managedFields"].as_array().unwrap();
    let ours: Vec<_> = managers.iter().filter(|one| one["manager"] == "kubectl-ess-mas").collect();
    assert_eq!(ours.len(), 1);
    let switch = "/fieldsV1/f:spec/f:components/f:matrixAuthenticationService/f:config/f:active";
    assert!(ours[0].pointer(switch).is_some(), "{ours:#?}");
}
