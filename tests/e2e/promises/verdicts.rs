//! Situations that were observed with a real operator but not recorded. None of them is reported as a success.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::common::command::finish;
use crate::common::live::Live;
use crate::common::scene::{Scene, active, completion, switch};
use crate::common::stage::{Stage, Step, quick};

#[tokio::test]
async fn a_successful_reconcile_of_the_old_spec_is_no_success() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(2)));
    scene.start_a_run().await;
    // Another client sets `active` with kubectl during that reconcile; the plugin only follows.
    scene.patch(json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}})).await;
    let mut follower = scene.follower().await;
    let child = scene.shell.start("activate");
    // The old reconcile succeeds, with the new generation in the metadata.
    let ended = follower.until(|object| !completion(object).is_null()).await.unwrap();
    assert_eq!(ended["status"]["mas_active"], json!(false));
    let done = finish(child, "activate".to_owned()).await.expect(0);
    done.says("already made by field manager somebody-else").says("mas_active is true");
    assert_eq!(scene.object().await["status"]["mas_active"], json!(true));
}

#[tokio::test]
async fn an_operator_restarted_during_a_reconcile_is_no_failure() {
    let mut scene = Scene::new(Behaviour::default().lasting(Duration::from_secs(1))).await;
    scene.prepare().await;
    let child = scene.shell.start("dry-run --yes");
    scene.operator.kill_in_mid_run().await;
    scene.operator.resume();
    let done = finish(child, "dry-run".to_owned()).await.expect(0);
    done.says("Dry run passed").says("an internal error");
    assert!(scene.shell.failure_files().is_empty());

    let child = scene.shell.command(["activate", "--confirm", "chat-of-ours", "--backup", "shelf"]).spawn().unwrap();
    scene.operator.kill_in_mid_run().await;
    scene.operator.resume();
    finish(child, "activate".to_owned()).await.expect(0).says("mas_active is true");
}

#[tokio::test]
async fn repeated_operator_errors_are_no_verdict() {
    let scene =
        Scene::new(Behaviour::default().dry_run(Script::times(3, &Outcome::BreakDown).then(Outcome::Succeed))).await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(0).says("an internal error");
    scene.operator.set(Behaviour::default().activation(Outcome::BreakDown));
    let done = scene.activate_with(&["--timeout", "3s"]).await.expect(124);
    done.says("Failed to get ansible-runner stdout");
    assert!(scene.shell.failure_files().is_empty());
}

/// The write is delayed until the operator reconciles something else, and then lost. Meanwhile, another client makes
/// the same change. The failure of that reconcile must not be reported as the migration's.
#[tokio::test]
async fn an_identical_foreign_change_after_a_lost_response_is_not_ours() {
    let stage = Stage::new(Step::Activate).await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(
        move |request| {
            if request.is_deployment_write() { Fault::HoldBefore(held.clone()) } else { Fault::None }
        },
    );
    let live = Live::with(&stage, &[]);
    gate.reached().await;
    stage.scene.operator.set(quick().lasting(Duration::from_millis(1500)).dry_run(Outcome::fail("of the old run")));
    stage.scene.start_a_run().await;
    stage.scene.patch(switch(true)).await;
    gate.shut();
    let mut live = live;
    // The migration fails in the end, because no dry run is valid any more. That failure must be reported.
    assert_eq!(live.end().await, 1, "{}", live.text());
    let outcome: Value = serde_json::from_str(&live.stdout().await).unwrap();
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["not-applied", "failed"]);
    assert!(outcome["message"].as_str().unwrap().contains("needs a dry run first"), "{}", live.text());
    assert!(live.text().contains("already made by field manager somebody-else"), "{}", live.text());
}

#[tokio::test]
async fn a_deployment_deleted_during_the_wait_is_no_success() {
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
