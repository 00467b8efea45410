//! Following the operator: failures, silence, giving up, and coming back.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::plugin::finish;
use crate::scene::{Scene, active, condition};

#[tokio::test]
async fn a_failing_dry_run_is_told_and_kept_and_can_be_repeated() {
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
    // The cause is still there: another rehearsal, another failure.
    scene.shell.run("dry-run --yes").await.expect(1).says("anna");
    scene.operator.set(Behaviour::default());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn a_censored_failure_is_told_as_what_it_is() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::FailCensored)).await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(1).says("unknown playbook failure");
}

#[tokio::test]
async fn a_run_that_hangs_is_given_up_and_come_back_to() {
    let mut scene = Scene::new(Behaviour::default().dry_run(Outcome::Hang)).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes --timeout 2s").await.expect(124);
    done.says("gave up waiting").says("the end of the operator's run").says("kubectl ess-mas dry-run chat-of-ours -n ");
    assert_eq!(scene.shell.failure_files().len(), 0);
    let before = scene.decided().await;
    scene.shell.run("dry-run --yes --timeout 0").await.expect(124).says("there already");
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
async fn an_operator_that_is_down_is_waited_for_and_no_success_is_made_up() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.stop().await;
    let done = scene.shell.run("dry-run --yes --timeout 1s").await.expect(124);
    done.says("first sign").says("updater-controller-manager");
    assert_eq!(*active(&scene.object().await), json!(false));
    let again = scene.shell.run("dry-run --yes --timeout 1s -o json").await.expect(124).json();
    assert_eq!([&again["write"], &again["verdict"]], ["none", "timed-out"]);
    assert_eq!(again["status"]["phase"], "DryRun");
    scene.operator.resume();
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn without_waiting_the_same_command_follows_later() {
    let scene = Scene::new(Behaviour::default().lasting(Duration::from_secs(2))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes --wait=false").await.expect(0);
    done.says("Not waiting").says("kubectl ess-mas dry-run chat-of-ours");
    let before = scene.decided().await.1;
    scene.shell.run("dry-run --yes").await.expect(0).says("there already").says("Dry run passed");
    assert_eq!(scene.decided().await.1, before);
    let done = scene.activate_with(&["--wait=false", "-o", "json"]).await.expect(0).json();
    assert_eq!([&done["write"], &done["verdict"]], ["applied", "not-waited"]);
    // No flag has to be given again: nothing is decided any more.
    scene.shell.run("activate").await.expect(0).says("there already").says("mas_active is true");
}

#[tokio::test]
async fn a_run_under_way_is_waited_for_before_anything_is_written() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(3)));
    scene.start_a_run().await;
    let done = scene.shell.run("dry-run --yes --timeout 500ms").await.expect(124);
    done.says("nothing was written");
    assert_eq!(*active(&scene.object().await), Value::Null);
    scene.shell.run("dry-run --yes").await.expect(0).says("waiting for its end").says("Dry run passed");
}

#[tokio::test]
async fn available_must_be_true_after_the_write() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().available(Available::False));
    scene.shell.run("dry-run --yes --timeout 3s").await.expect(124).says("Available");
    assert_eq!(condition(&scene.object().await, "Successful"), "True");
    scene.activate().await.expect(10).says("nothing was changed");
}

#[tokio::test]
async fn a_failing_activation_keeps_the_details_and_offers_both_ways() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
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
    // The next try of the operator is followed by the same command, without saying everything again.
    scene.shell.run("activate").await.expect(1).says(message);
    let spec = scene.object().await["spec"].clone();
    mend(&mut scene).await;
    scene.shell.run("activate").await.expect(0).says("mas_active is true");
    assert_eq!(scene.object().await["spec"], spec);
}

#[tokio::test]
async fn a_failure_after_the_migration_itself_is_no_success_and_no_way_back() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
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

/// All runs end well from now on, and those that did not have been told of.
async fn mend(scene: &mut Scene) {
    scene.operator.stop().await;
    let _ = scene.shell.run("activate --timeout 0").await;
    scene.operator.set(Behaviour::default());
    scene.operator.resume();
}

/// What a playbook prints is not always meant for a terminal.
#[tokio::test]
async fn the_operators_words_cannot_steer_the_terminal() {
    let message = "fatal: \u{1b}[2J\u{1b}]0;owned\u{7} end of it";
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail(message))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes --color always").await.expect(1);
    done.says("end of it").is_silent_about("\u{1b}[2J").is_silent_about("\u{1b}]").is_silent_about("\u{7}");
    let status = scene.shell.run("status").await.expect(0);
    status.shows("end of it").is_silent_about("\u{1b}").is_silent_about("\u{7}");
    // As data it is what it was.
    let json = scene.shell.run("status -o json").await.expect(0);
    assert_eq!(json.json()["items"][0]["status"]["failure"]["message"], message);
    json.is_silent_about("\u{1b}");
}

#[tokio::test]
async fn details_that_cannot_be_kept_in_the_usual_place_are_kept_in_another() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("no"))).await;
    scene.prepare().await;
    let mut command = scene.shell.command(["dry-run", "--yes", "-o", "json"]);
    command.env("XDG_STATE_HOME", "/dev/null/nowhere");
    let done = finish(command.spawn().unwrap(), "dry-run".to_owned()).await.expect(1);
    let path = scene.shell.home().join(done.json()["recordFile"].as_str().unwrap());
    assert!(path.exists(), "{done}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_interruption_before_the_write_changes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(30)));
    scene.start_a_run().await;
    let before = scene.decided().await;
    let child = scene.shell.start("dry-run --yes");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let done = finish(child, "dry-run, interrupted".to_owned()).await.expect(130);
    done.says("waiting for its end").says("nothing was changed");
    assert_eq!(scene.decided().await, before);
}

#[cfg(unix)]
#[tokio::test]
async fn an_interruption_says_what_the_cluster_goes_on_doing() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::Hang)).await;
    scene.prepare().await;
    for (signal, more) in [("-INT", ""), ("-TERM", " -o json")] {
        let child = scene.shell.start(&format!("dry-run --yes{more}"));
        scene.until(|object| *active(object) == json!(false)).await;
        scene.operator.wait_for_run().await;
        // Long enough for a second call to be following as well.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let id = child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        let done = finish(child, format!("dry-run, ended by {signal}")).await.expect(130);
        done.says("the operator goes on rehearsing").says("kubectl ess-mas dry-run chat-of-ours -n ");
        if !more.is_empty() {
            let outcome = done.json();
            assert_eq!(outcome["verdict"], "interrupted");
        }
    }
    assert_eq!(*active(&scene.object().await), json!(false));
}
