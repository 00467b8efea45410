//! `dry-run`: one write, and the verdict on the reconcile that follows it.

mod endpoints;

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::common::command::finish;
use crate::common::scene::{Scene, active, condition};

#[tokio::test]
async fn a_dry_run_writes_active_false_and_the_secret_name_once() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let before = scene.object().await;
    let mut follower = scene.follower().await;
    let done = scene.shell.run("dry-run --yes").await.expect(0);
    done.says("Dry run passed").says("kubectl ess-mas activate chat-of-ours -n ");
    assert_eq!(done.stdout, "", "what is no data goes to stderr");
    let after = scene.object().await;
    let component = &after["spec"]["components"]["matrixAuthenticationService"];
    assert_eq!(component["config"]["active"], json!(false));
    assert_eq!(component["secretName"], "chat-of-ours-mas");
    assert_eq!(component["k8s"]["ingress"]["fqdn"], "auth.example.com");
    assert_eq!(component["config"]["postgresql"]["port"], json!(5432));
    // The rest of the spec is unchanged.
    let mut rest = after["spec"].clone();
    rest["components"].as_object_mut().unwrap().remove("matrixAuthenticationService");
    assert_eq!(rest, before["spec"]);
    // One write changed the spec or the annotations; all others are status updates of the operator.
    let last = after["metadata"]["resourceVersion"].clone();
    let decided = |object: &serde_json::Value| json!([object["spec"], object["metadata"]["annotations"]]);
    let (mut now, mut changes) = (decided(&before), 0);
    while follower.last()["metadata"]["resourceVersion"] != last {
        let next = decided(follower.next().await.unwrap());
        changes += usize::from(next != now);
        now = next;
    }
    assert_eq!(changes, 1);
    assert_eq!(after["metadata"]["generation"], json!(2));
}

#[tokio::test]
async fn a_dry_run_that_has_passed_is_not_run_again() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let versions = scene.versions().await;
    scene.shell.run("dry-run --yes").await.expect(0).says("already passed");
    assert_eq!(scene.versions().await, versions);
}

#[tokio::test]
async fn a_failed_dry_run_is_reported_saved_and_can_be_repeated() {
    let message = "Error: user 'anna' has no password\nand no upstream account";
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail(message))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes").await.expect(1);
    for line in message.lines() {
        done.says(line);
    }
    done.says("the dry run failed").says("kubectl ess-mas dry-run chat-of-ours -n ").says("abort --remove");
    let files = scene.shell.failure_files();
    assert_eq!(files.len(), 1, "{done}");
    done.says(files[0].to_str().unwrap());
    let kept: Value = serde_json::from_slice(&std::fs::read(&files[0]).unwrap()).unwrap();
    assert_eq!(kept["message"], message);
    assert_eq!(kept["command"], "dry-run");
    assert!(kept["goBack"].as_str().unwrap().starts_with("kubectl ess-mas abort chat-of-ours -n "));
    assert!(kept["status"]["conditions"].as_array().is_some_and(|all| all.len() >= 3), "{kept:#}");
    assert!(kept["timeline"].as_array().is_some_and(|all| !all.is_empty()), "{kept:#}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(files[0].parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }
    // The cause still exists: another dry run, another failure.
    scene.shell.run("dry-run --yes").await.expect(1).says("anna");
    scene.operator.set(Behaviour::default());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn a_censored_failure_is_reported_as_such() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::FailCensored)).await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(1).says("unknown playbook failure");
}

#[tokio::test]
async fn a_hanging_reconcile_times_out_and_can_be_resumed() {
    let mut scene = Scene::new(Behaviour::default().dry_run(Outcome::Hang)).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes --timeout 2s").await.expect(124);
    done.says("timed out waiting for the operator to finish reconciling")
        .says("kubectl ess-mas dry-run chat-of-ours -n ");
    assert_eq!(scene.shell.failure_files().len(), 0);
    let before = scene.decided().await;
    scene.shell.run("dry-run --yes --timeout 0").await.expect(124).says("already made");
    assert_eq!(scene.decided().await, before);
    scene.operator.stop().await;
    scene.operator.set(Behaviour::default());
    let follower = scene.shell.start("dry-run --yes");
    scene.operator.resume();
    finish(follower, "dry-run".to_owned()).await.expect(0).says("Dry run passed");
    let (versions, spec) = scene.decided().await;
    assert_eq!(spec, before.1, "coming back writes nothing to the deployment");
    assert_ne!(versions, before.0, "the record has the verdict");
}

#[tokio::test]
async fn no_success_is_reported_while_the_operator_is_down() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.stop().await;
    let done = scene.shell.run("dry-run --yes --timeout 1s").await.expect(124);
    done.says("the operator to start reconciling").says("updater-controller-manager");
    assert_eq!(*active(&scene.object().await), json!(false));
    let again = scene.shell.run("dry-run --yes --timeout 1s -o json").await.expect(124).json();
    assert_eq!([&again["write"], &again["verdict"]], ["none", "timed-out"]);
    assert_eq!(again["status"]["phase"], "DryRun");
    scene.operator.resume();
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn nothing_is_written_before_a_running_reconcile_ends() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(3)));
    scene.start_a_run().await;
    let done = scene.shell.run("dry-run --yes --timeout 500ms").await.expect(124);
    done.says("nothing was written");
    assert_eq!(*active(&scene.object().await), Value::Null);
    scene
        .shell
        .run("dry-run --yes")
        .await
        .expect(0)
        .says("waiting for the running reconcile to finish")
        .says("Dry run passed");
}

#[tokio::test]
async fn success_requires_available_true_after_the_write() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().available(Available::False));
    scene.shell.run("dry-run --yes --timeout 3s").await.expect(124).says("Available");
    assert_eq!(condition(&scene.object().await, "Successful"), "True");
    scene.activate().await.expect(10).says("nothing was changed");
}

/// The output of a playbook can contain terminal escape sequences.
#[tokio::test]
async fn operator_messages_cannot_control_the_terminal() {
    let message = "fatal: \u{1b}[2J\u{1b}]0;owned\u{7} end of it";
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail(message))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes --color always").await.expect(1);
    done.says("end of it").is_silent_about("\u{1b}[2J").is_silent_about("\u{1b}]").is_silent_about("\u{7}");
    let status = scene.shell.run("status").await.expect(0);
    status.shows("end of it").is_silent_about("\u{1b}").is_silent_about("\u{7}");
    // JSON contains the original text.
    let json = scene.shell.run("status -o json").await.expect(0);
    assert_eq!(json.json()["items"][0]["status"]["failure"]["message"], message);
    json.is_silent_about("\u{1b}");
}

#[tokio::test]
async fn failure_details_fall_back_to_another_folder() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("no"))).await;
    scene.prepare().await;
    let mut command = scene.shell.command(["dry-run", "--yes", "-o", "json"]);
    command.env("XDG_STATE_HOME", "/dev/null/nowhere");
    let done = finish(command.spawn().unwrap(), "dry-run".to_owned()).await.expect(1);
    let path = scene.shell.home().join(done.json()["recordFile"].as_str().unwrap());
    assert!(path.exists(), "{done}");
}

/// Observed with a real operator: it was killed during a reconcile, restarted, and reconciled the new spec without
/// marking its start. No event followed, so the command waited until it timed out.
#[tokio::test]
async fn a_dry_run_that_started_unseen_is_requested_again() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("broken")));
    let _ = scene.shell.run("dry-run --yes").await.expect(1);
    // A reconcile without an end in the status: all later ones start without a mark.
    scene.operator.set(Behaviour::default().dry_run(Outcome::Requeue(Duration::from_mins(1))));
    let silent = |object: &Value| {
        let all = object["status"]["conditions"].as_array().unwrap();
        all.iter().any(|one| one["type"] == "Running" && one["status"] == "True" && one["reason"] == "Running")
    };
    loop {
        scene.start_a_run().await;
        scene.operator.wait_for_end().await;
        if silent(&scene.object().await) {
            break;
        }
    }
    // A queued reconcile with another behaviour would leave its end.
    scene.operator.wait_for_rest(Duration::from_millis(500)).await;
    scene.operator.set(Behaviour::default());
    let done = scene.shell.run("dry-run --yes -o json").await.expect(0);
    done.says("requesting another one").says("Dry run passed");
    assert_eq!(*active(&scene.object().await), json!(false));
}

#[tokio::test]
async fn a_foreign_change_during_the_dry_run_invalidates_it() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(2)).reacting_after(Duration::from_millis(300)));
    let child = scene.shell.start("dry-run --yes -o json");
    scene.until(|object| *crate::common::scene::active(object) == json!(false)).await;
    // Before the operator starts: its reconcile then includes both changes, so it is no dry run of the written spec.
    scene.patch(json!({"spec": {"global": {"config": {"verifyTls": false}}}})).await;
    let done = finish(child, "dry-run".to_owned()).await.expect(1);
    done.says("was changed again before the operator finished");
    assert_eq!(done.json()["verdict"], "failed");
    scene.until(|object| crate::common::scene::condition(object, "Successful") == "True").await;
    scene.activate().await.expect(10).says("rehearsal");
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}
