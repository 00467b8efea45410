//! Each situation once, reproduced deliberately.

use std::time::Duration;

use serde_json::json;

use super::install::Telling;
use super::process::{Behaviour, Kill, Outcome};
use super::scene::{Said, Scene, Step, condition};

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn the_whole_way() {
    let scene = Scene::prepared(Behaviour::default()).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
    let _ = scene.run(Step::Abort, &[]).await.expect(Said::Unchanged).expect(10);
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn repeatedly_failing_dry_run_succeeds_after_the_fix() {
    let broken = Behaviour { dry_run: Outcome::Fail, ..Behaviour::default() };
    let scene = Scene::prepared(broken).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Failed);
    let count = scene.runs();
    scene.run_begun_after(count + 1).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Failed);
    scene.operator.set(Behaviour::default()).unwrap();
    let done = scene.run(Step::DryRun, &[]).await;
    // The current reconcile may already have decided to fail.
    if done.said == Said::Failed {
        let _ = done.expect(Said::Failed);
        let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    } else {
        let _ = done.expect(Said::Succeeded);
    }
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
}

/// Then a second failure can't be distinguished from an internal error of the operator, so there is no verdict, but a
/// message.
#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn operator_that_reports_only_the_first_failure() {
    let broken = Behaviour { dry_run: Outcome::Fail, ..Behaviour::default() };
    let scene = Scene::with(broken, Telling::First).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Failed);
    let done = scene.run(Step::DryRun, &["--timeout", "15s"]).await.expect(Said::Nothing);
    done.says("ended without success").says("rehearsal cannot go on");
    scene.operator.set(Behaviour::default()).unwrap();
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn a_failing_activation_is_aborted_and_made_again() {
    let scene = Scene::prepared(Behaviour::default()).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    scene.operator.set(Behaviour { activation: Outcome::Fail, ..Behaviour::default() }).unwrap();
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Failed);
    // The operator retries during this write.
    let _ = scene.run(Step::Abort, &[]).await.expect(Said::Succeeded);
    assert_eq!(scene.object().await["status"]["mas_active"], json!(false));
    scene.operator.set(Behaviour::default()).unwrap();
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn operator_killed_during_a_reconcile_is_no_failure() {
    let mut scene = Scene::prepared(Behaviour { seconds: 2.0, ..Behaviour::default() }).await;
    for (step, kill) in [(Step::DryRun, Kill::WithItsRun), (Step::Activate, Kill::Alone)] {
        let count = scene.runs();
        let child = scene.begin(step, &[]);
        scene.run_begun_after(count).await;
        scene.operator.kill(kill).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.operator.resume().unwrap();
        let _ = scene.end(step, child).await.expect(Said::Succeeded);
    }
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn an_operator_that_is_down_at_the_write() {
    let mut scene = Scene::prepared(Behaviour::default()).await;
    scene.operator.kill(Kill::WithItsRun).unwrap();
    let done = scene.run(Step::DryRun, &["--timeout", "3s"]).await.expect(Said::Nothing);
    done.says("the operator to start reconciling");
    scene.operator.resume().unwrap();
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    scene.operator.kill(Kill::WithItsRun).unwrap();
    let child = scene.begin(Step::Activate, &[]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    scene.operator.resume().unwrap();
    let _ = scene.end(Step::Activate, child).await.expect(Said::Succeeded);
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn write_of_another_client_during_a_reconcile() {
    let scene = Scene::prepared(Behaviour { seconds: 2.0, ..Behaviour::default() }).await;
    // An irrelevant change: the reconcile's own report may conflict with it, and then that reconcile fails.
    let count = scene.runs();
    let child = scene.begin(Step::DryRun, &[]);
    scene.run_begun_after(count).await;
    scene.annotate().await;
    let judged = scene.end(Step::DryRun, child).await;
    assert!(matches!(judged.said, Said::Succeeded | Said::Failed), "{}", judged.done);
    let said = judged.said;
    let _ = judged.expect(said);
    let _ = scene.run(Step::DryRun, &[]).await;

    // Another setting: no later reconcile is a dry run of the written spec.
    scene.patch(json!({"spec": {"global": {"config": {"verifyTls": false}}}})).await;
    scene.until("a run starts", |object| condition(object, "Successful") == "False").await;
    scene.until("a run ends well", |object| condition(object, "Successful") == "True").await;
    let count = scene.runs();
    let child = scene.begin(Step::DryRun, &[]);
    scene.run_begun_after(count).await;
    scene.patch(json!({"spec": {"global": {"config": {"verifyTls": true}}}})).await;
    let _ = scene.end(Step::DryRun, child).await.expect(Said::Overtaken);
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn activation_by_another_client_during_an_old_reconcile_is_followed() {
    let scene = Scene::prepared(Behaviour { seconds: 2.0, ..Behaviour::default() }).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    let count = scene.runs();
    scene.annotate().await;
    scene.run_begun_after(count).await;
    scene.patch(json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}})).await;
    let done = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
    done.says("The change was already made by field manager somebody-else");
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn failure_with_a_hidden_message_is_reported() {
    let scene = Scene::prepared(Behaviour { dry_run: Outcome::Censored, ..Behaviour::default() }).await;
    let done = scene.run(Step::DryRun, &[]).await.expect(Said::Failed);
    done.says("unknown playbook failure").is_silent_about("a secret of");
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn a_failure_after_mas_active_turned_true() {
    let scene = Scene::prepared(Behaviour::default()).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    scene.operator.set(Behaviour { activation: Outcome::Late, ..Behaviour::default() }).unwrap();
    scene.run(Step::Activate, &[]).await.expect(Said::Failed).says("mas_active is true");
    scene.operator.set(Behaviour::default()).unwrap();
    let judged = scene.run(Step::Activate, &[]).await;
    if judged.said == Said::Failed {
        let _ = judged.expect(Said::Failed);
        let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
    } else if judged.said == Said::Unchanged {
        // The next attempt had already succeeded before the command read the status.
        let _ = judged.expect(Said::Unchanged).expect(0);
    } else {
        let _ = judged.expect(Said::Succeeded);
    }
}
