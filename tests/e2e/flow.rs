//! The whole way, and what its last step leaves behind.

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::scene::{Scene, active};

#[tokio::test]
async fn a_deployment_is_taken_to_mas_and_only_one_value_changes_in_the_last_step() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
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
    // The record keeps the sentence about the backup, and who did it.
    let record = scene.record_text().await.unwrap();
    assert!(record.contains("on the shelf"), "{record}");
    assert!(record.contains("admin"), "{record}");

    // Every command once more: done already, and nothing is written.
    let versions = scene.versions().await;
    scene.activate().await.expect(0).says("done already");
    scene.shell.run("dry-run --yes").await.expect(0).says("done already");
    scene.prepare_with(&[], "other password\n").await.expect(0).says("done already");
    scene.shell.run("abort --yes").await.expect(10).says("already-migrated");
    scene.shell.run("abort --remove --yes").await.expect(10).says("backup");
    let status = scene.shell.run("status").await.expect(0);
    status.shows("migrated: MAS is active");
    assert_eq!(scene.versions().await, versions);
}

#[tokio::test]
async fn the_dry_run_writes_once_and_says_active_false_and_the_secret_by_name() {
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
    // Nothing else of the spec moved.
    let mut rest = after["spec"].clone();
    rest["components"].as_object_mut().unwrap().remove("matrixAuthenticationService");
    assert_eq!(rest, before["spec"]);
    // One write changed spec or annotations; all others are the operator's, and of the status.
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
    scene.rehearse().await;
    let versions = scene.versions().await;
    scene.shell.run("dry-run --yes").await.expect(0).says("passed already");
    assert_eq!(scene.versions().await, versions);
}

#[tokio::test]
async fn quiet_says_only_what_is_wrong() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("the database is full"))).await;
    let prepared = scene.prepare_with(&["-q"], "secret\n").await.expect(0);
    assert_eq!(prepared.stderr, "");
    prepared.shows("https://auth.example.com/upstream/callback/");
    let done = scene.shell.run("dry-run --yes -q").await.expect(1);
    done.says("the database is full").says("the dry run failed");
    done.is_silent_about("operator started").is_silent_about("matrixAuthenticationService");
    assert_eq!(done.stdout, "");
    // Whoever asks for the change alone gets it.
    scene.shell.run("abort --remove --preview -q").await.expect(0).says("- config.active: false");
}

#[tokio::test]
async fn status_tells_the_phase_at_every_step() {
    let scene = Scene::new(Behaviour::default()).await;
    let phase = async || scene.shell.run("status -o json").await.expect(0).json()["items"][0].clone();
    let now = phase().await;
    assert_eq!([&now["phase"], &now["rehearsal"]["state"]], ["Configuration", "none"]);
    assert!(now["next"].as_str().unwrap().starts_with("kubectl ess-mas prepare chat-of-ours -n "));
    assert_eq!(now["spec"], json!({"active": null, "host": null}));
    scene.prepare().await;
    let now = phase().await;
    assert_eq!(now["phase"], "Configuration");
    assert!(now["next"].as_str().unwrap().contains(" dry-run "));
    assert_eq!(
        now["identityProviders"][0]["masRedirectUri"],
        "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0"
    );
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("no room")));
    let _ = scene.shell.run("dry-run --yes").await.expect(1);
    let now = phase().await;
    assert_eq!([&now["phase"], &now["rehearsal"]["state"]], ["DryRunFailed", "failed"]);
    assert_eq!(now["status"]["failure"]["message"], "no room");
    scene.shell.run("status").await.expect(0).shows("dry run failed").shows("no room");
    scene.operator.set(Behaviour::default());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let now = phase().await;
    assert_eq!([&now["phase"], &now["rehearsal"]["state"]], ["ReadyToMigrate", "passed"]);
    assert_eq!(now["status"]["masActive"], json!(false));
    // A run that was queued while the rehearsal failed may follow the one that passed.
    assert!(["idle", "running"].contains(&now["status"]["run"].as_str().unwrap()), "{now:#}");
    scene.operator.set(Behaviour::default().activation(Outcome::Hang));
    let _ = scene.activate_with(&["--wait=false"]).await.expect(0);
    assert_eq!(phase().await["phase"], "Migrating");
}
