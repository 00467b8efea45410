//! `abort`: the rollback before the migration is complete.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::command::finish;
use crate::common::scene::{Scene, active, completion, condition};
use crate::common::stage::{Stage, Step};

#[tokio::test]
async fn a_failed_activation_is_rolled_back_and_can_be_retried() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let after_dry_run = scene.object().await["spec"].clone();
    scene.operator.set(Behaviour::default().activation(Outcome::fail("no connection to the database")));
    let _ = scene.activate().await.expect(1);
    let done = scene.shell.run("abort --yes -o json").await.expect(0).json();
    assert_eq!([&done["write"], &done["verdict"]], ["applied", "succeeded"]);
    let object = scene.object().await;
    assert_eq!(object["spec"], after_dry_run);
    // A reconcile that was queued before the abort may follow it.
    scene.until(|object| condition(object, "Successful") == "True").await;
    scene.operator.wait_for_end().await;
    let versions = scene.versions().await;
    scene.shell.run("abort --yes").await.expect(0).says("nothing to roll back");
    assert_eq!(scene.versions().await, versions);
    scene.operator.set(Behaviour::default());
    // A reconcile has failed since the dry run, so the dry run must be repeated.
    scene.activate().await.expect(10).says("a reconcile failed (no connection to the database)");
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

/// No command followed the activation until it failed, so only the abort could observe the failure.
#[tokio::test]
async fn dry_run_is_invalid_after_an_activation_that_failed_unobserved() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().activation(Outcome::fail("no room on the disk")));
    let _ = scene.activate_with(&["--wait=false"]).await.expect(0);
    scene.until(|object| condition(object, "Failure") == "True").await;
    let _ = scene.shell.run("abort --yes").await.expect(0);
    scene.activate().await.expect(10).says("a reconcile failed (no room on the disk)");
}

/// A damaged record, or one of a later release.
#[tokio::test]
async fn abort_works_with_a_record_that_cannot_be_read() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().activation(Outcome::fail("no connection to the database")));
    let _ = scene.activate().await.expect(1);
    let damaged = "{\"version\": 99";
    scene.replace_record(damaged).await;
    let done = scene.shell.run("abort --yes -o json").await.expect(0).says("can't update the record").json();
    assert_eq!([&done["write"], &done["verdict"]], ["applied", "succeeded"]);
    assert_eq!(scene.record_text().await.as_deref(), Some(damaged));
}

/// The operator reconciles the rollback without marking its start, and no record tells that a reconcile is missing.
#[tokio::test]
async fn abort_without_a_record_does_not_end_with_a_reconcile_that_was_not_observed() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    // A reconcile without an end in the status: all later ones start without a mark.
    scene.operator.set(Behaviour::default().activation(Outcome::Requeue(Duration::from_mins(1))));
    let _ = scene.activate_with(&["--timeout", "1s"]).await.expect(124);
    scene.operator.wait_for_rest(Duration::from_millis(500)).await;
    scene.replace_record("{\"version\": 99").await;
    scene.operator.set(Behaviour::default());
    let done = scene.shell.run("abort --yes -o json").await.expect(0).says("requesting another one").json();
    assert_eq!([&done["write"], &done["verdict"]], ["applied", "succeeded"]);
}

/// The operator writes between any two requests; that doesn't change the decision.
#[tokio::test]
async fn abort_is_written_while_the_operator_keeps_retrying() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let restless = Behaviour::default().activation(Outcome::fail("again")).lasting(Duration::from_millis(20));
    scene.operator.set(restless);
    let _ = scene.activate().await.expect(1);
    scene.shell.run("abort --yes").await.expect(0).says("active is false");
}

#[tokio::test]
async fn abort_does_not_wait_for_a_hanging_reconcile() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().activation(Outcome::Hang));
    let _ = scene.activate_with(&["--timeout", "1s"]).await.expect(124);
    let done = scene.shell.run("abort --yes --timeout 1s").await.expect(124);
    done.says("the current reconcile");
    assert_eq!(*active(&scene.object().await), json!(false));
    scene.operator.stop().await;
    // Not before the command follows it: a reconcile that ends unobserved may be the one that hung.
    scene.operator.set(Behaviour::default().reacting_after(Duration::from_secs(3)));
    scene.operator.resume();
    scene.shell.run("abort --yes").await.expect(0).says("active is false");
}

/// The hanging reconcile was killed, and the operator rolled back while no command was following. No other reconcile
/// starts by itself, so every later `abort` would wait until it timed out.
#[tokio::test]
async fn an_abort_that_completed_unseen_requests_a_reconcile() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().activation(Outcome::Hang));
    let _ = scene.activate_with(&["--timeout", "1s"]).await.expect(124);
    let _ = scene.shell.run("abort --yes --timeout 1s").await.expect(124);
    scene.operator.stop().await;
    scene.operator.set(Behaviour::default());
    scene.operator.resume();
    scene.until(|object| condition(object, "Successful") == "True").await;
    scene.operator.wait_for_end().await;
    scene.shell.run("abort --yes").await.expect(0).says("active is false");
    scene.shell.run("abort --yes").await.expect(0).says("nothing to roll back");
}

#[tokio::test]
async fn abort_remove_removes_the_component_and_keeps_the_secret() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.object().await["spec"].clone();
    scene.shell.run("abort --yes").await.expect(0).says("no MAS component");
    scene.dry_run().await;
    let secret = scene.mas_secret().await;
    scene.shell.run("abort").await.expect(0).says("nothing to roll back").says("abort --remove chat-of-ours -n");
    let preview = scene.shell.run("abort --remove --preview").await.expect(0);
    preview.says("matrixAuthenticationService").says("nothing was written");
    scene.shell.run("abort --remove").await.expect(2).says("--yes");
    assert_eq!(*active(&scene.object().await), json!(false));
    let _ = scene.shell.run("abort --remove --yes").await.expect(0);
    assert_eq!(scene.object().await["spec"], before);
    assert_eq!(scene.mas_secret().await, secret);
    scene.shell.run("abort --remove --yes").await.expect(0).says("no MAS component");
    scene.activate().await.expect(10).says("rehearsal");
    // The complete sequence again.
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn a_new_encryption_secret_after_abort_remove_must_be_accepted() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let _ = scene.shell.run("abort --remove --yes").await.expect(0);
    let _ = scene.prepare_with(&[], "pw").await.expect(0);
    let ours = scene.mas_secret().await["encryptionSecret"].clone();
    let print = ess_mas::secrets::EncryptionSecret::parse(&ours).unwrap().fingerprint().to_string();
    scene.shell.file("ours", std::str::from_utf8(&ours).unwrap());
    let delete = async || {
        let name = scene.deployment.mas_secret_name();
        scene.secrets().delete(&name, &kube::api::DeleteParams::default()).await.unwrap();
    };
    delete().await;
    let before = scene.versions().await;
    let refused = scene.prepare_with(&[], "pw").await.expect(11);
    refused.says(&print).says("Restore that value").says("--accept encryption-secret-lost");
    assert_eq!(scene.versions().await, before);
    scene.shell.run("check -o json").await.shows("encryption-secret-lost").shows(&print);
    // The value itself needs no acceptance.
    let _ = scene.prepare_with(&["--encryption-secret-file", "ours"], "pw").await.expect(0);
    assert_eq!(scene.mas_secret().await["encryptionSecret"], ours);
    scene.shell.file("wrong", "02fdd10256ae0d02caa6882b5ff64b4a1234c82cd98e677fcf271cefdc6c5817");
    let wrong = ["--encryption-secret-file", "wrong", "--replace", "encryptionSecret"];
    scene.prepare_with(&wrong, "pw").await.expect(11).says(&print);
    delete().await;
    let _ = scene.prepare_with(&["--accept", "encryption-secret-lost"], "pw").await.expect(0);
    assert_ne!(scene.mas_secret().await["encryptionSecret"], ours);
    // Until the next dry run, the record keeps the fingerprint.
    scene.prepare_with(&[], "pw").await.expect(11).says(&print);
    scene.shell.run("dry-run --yes").await.expect(11).says(&print);
    let _ = scene.shell.run("dry-run --yes --accept encryption-secret-lost").await.expect(0);
    scene.shell.run("check -o json").await.is_silent_about("encryption-secret-lost");
}

#[tokio::test]
async fn abort_ends_a_dry_run_that_keeps_failing() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("always"))).await;
    scene.prepare().await;
    let _ = scene.shell.run("dry-run --yes").await.expect(1);
    let _ = scene.shell.run("abort --remove --yes").await.expect(0);
    // A queued reconcile may follow; none fails any more.
    for _ in 0..3 {
        assert_eq!(condition(&scene.object().await, "Failure"), "False");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn an_abort_during_a_reconcile_reports_the_next_reconcile() {
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

/// The successful reconcile included the component. With the operator down, `abort --remove` must not report success.
#[tokio::test]
async fn a_component_removed_by_another_client_is_not_our_lost_write() {
    let mut stage = Stage::new(Step::Remove).await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(
        move |request| {
            if request.is_deployment_write() { Fault::HoldBefore(held.clone()) } else { Fault::None }
        },
    );
    let mut child = stage.start(&[]);
    gate.reached().await;
    child.kill().await.unwrap();
    gate.shut();
    stage.scene.start_a_run().await;
    stage.scene.operator.wait_for_end().await;
    stage.scene.operator.stop().await;
    stage.scene.patch(json!({"spec": {"components": {"matrixAuthenticationService": null}}})).await;
    stage.proxy.pass();
    let outcome = stage.run(&["--timeout", "2s"]).await.expect(124).json();
    assert_eq!(outcome["verdict"], "timed-out");
    stage.scene.operator.resume();
    assert_eq!(stage.run(&[]).await.expect(0).json()["verdict"], "succeeded");
}
