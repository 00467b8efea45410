//! What was seen of a real operator without being in the recordings: no success is reported in any of it.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::plugin::finish;
use crate::scene::Scene;

/// The end of the last run, as the operator stamps it.
fn completion(object: &Value) -> Value {
    let all = object["status"]["conditions"].as_array();
    let running = all.into_iter().flatten().find(|one| one["type"] == "Running");
    running.map(|one| one["ansibleResult"]["completion"].clone()).unwrap_or_default()
}

#[tokio::test]
async fn the_good_end_of_a_run_of_the_old_spec_is_no_success() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(2)));
    scene.start_a_run().await;
    // Somebody else turns the switch on during that run, with kubectl; the plugin only follows.
    scene.patch(json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}})).await;
    let mut follower = scene.follower().await;
    let child = scene.shell.start("activate");
    // The old run ends well, with the new generation in the metadata.
    let ended = follower.until(|object| !completion(object).is_null()).await.unwrap();
    assert_eq!(ended["status"]["mas_active"], json!(false));
    let done = finish(child, "activate".to_owned()).await.expect(0);
    done.says("there already by field manager somebody-else").says("mas_active is true");
    assert_eq!(scene.object().await["status"]["mas_active"], json!(true));
}

#[tokio::test]
async fn an_abort_during_a_run_reports_the_run_after_it() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(2)));
    let _ = scene.shell.run("dry-run --yes --wait=false").await.expect(0);
    scene.operator.wait_for_run().await;
    let mut follower = scene.follower().await;
    let child = scene.shell.start("abort --remove --yes -o json");
    let first = completion(follower.until(|object| !completion(object).is_null()).await.unwrap());
    let outcome = finish(child, "abort --remove".to_owned()).await.expect(0).json();
    assert_eq!(outcome["verdict"], "succeeded");
    let object = scene.object().await;
    assert_ne!(completion(&object), first, "the rehearsal's end was taken for the abort's");
    assert!(object["spec"]["components"].get("matrixAuthenticationService").is_none());
}

#[tokio::test]
async fn an_operator_killed_in_mid_run_and_restarted_is_no_failure() {
    let mut scene = Scene::new(Behaviour::default().lasting(Duration::from_secs(1))).await;
    scene.prepare().await;
    let child = scene.shell.start("dry-run --yes");
    scene.operator.kill_in_mid_run().await;
    scene.operator.resume();
    let done = finish(child, "dry-run".to_owned()).await.expect(0);
    done.says("Dry run passed").says("trouble of its own");
    assert!(scene.shell.failure_files().is_empty());

    let child = scene.shell.command(["activate", "--confirm", "chat-of-ours", "--backup", "shelf"]).spawn().unwrap();
    scene.operator.kill_in_mid_run().await;
    scene.operator.resume();
    finish(child, "activate".to_owned()).await.expect(0).says("mas_active is true");
}

#[tokio::test]
async fn a_breakdown_of_the_operator_again_and_again_is_no_verdict() {
    let scene =
        Scene::new(Behaviour::default().dry_run(Script::times(3, &Outcome::BreakDown).then(Outcome::Succeed))).await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(0).says("trouble of its own");
    scene.operator.set(Behaviour::default().activation(Outcome::BreakDown));
    let done = scene.activate_with(&["--timeout", "3s"]).await.expect(124);
    done.says("Failed to get ansible-runner stdout");
    assert!(scene.shell.failure_files().is_empty());
}

#[tokio::test]
async fn a_change_by_somebody_else_during_the_rehearsal_is_not_taken_for_it() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(2)).reacting_after(Duration::from_millis(300)));
    let child = scene.shell.start("dry-run --yes -o json");
    scene.until(|object| *crate::scene::active(object) == json!(false)).await;
    // Before the operator has looked: its run then rehearses both changes, and not what was written.
    scene.patch(json!({"spec": {"global": {"config": {"verifyTls": false}}}})).await;
    let done = finish(child, "dry-run".to_owned()).await.expect(1);
    done.says("somebody else changed");
    assert_eq!(done.json()["verdict"], "failed");
    scene.until(|object| crate::scene::condition(object, "Successful") == "True").await;
    scene.activate().await.expect(10).says("rehearsal");
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}
