//! Each situation once, on purpose.

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
async fn a_dry_run_that_fails_again_and_again_and_is_mended() {
    let broken = Behaviour { rehearsal: Outcome::Fail, ..Behaviour::default() };
    let scene = Scene::prepared(broken).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Failed);
    let count = scene.runs();
    scene.run_begun_after(count + 1).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Failed);
    scene.operator.set(Behaviour::default()).unwrap();
    let done = scene.run(Step::DryRun, &[]).await;
    // The run under way may have decided already that it fails.
    if done.said == Said::Failed {
        let _ = done.expect(Said::Failed);
        let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    } else {
        let _ = done.expect(Said::Succeeded);
    }
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
}

/// Then nothing tells the second failure from trouble inside the operator, so there is no verdict; but there are words.
#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn an_operator_that_tells_only_of_the_first_failure() {
    let broken = Behaviour { rehearsal: Outcome::Fail, ..Behaviour::default() };
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
    // The operator tries again while this is written.
    let _ = scene.run(Step::Abort, &[]).await.expect(Said::Succeeded);
    assert_eq!(scene.object().await["status"]["mas_active"], json!(false));
    scene.operator.set(Behaviour::default()).unwrap();
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    let _ = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn an_operator_killed_in_mid_run_is_no_failure() {
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
async fn somebody_else_writes_in_mid_run() {
    let scene = Scene::prepared(Behaviour { seconds: 2.0, ..Behaviour::default() }).await;
    // Nothing that matters: the run's own report may meet a conflict, and then that run fails.
    let count = scene.runs();
    let child = scene.begin(Step::DryRun, &[]);
    scene.run_begun_after(count).await;
    scene.annotate().await;
    let judged = scene.end(Step::DryRun, child).await;
    assert!(matches!(judged.said, Said::Succeeded | Said::Failed), "{}", judged.done);
    let said = judged.said;
    let _ = judged.expect(said);
    let _ = scene.run(Step::DryRun, &[]).await;

    // Another setting: whatever comes now is no rehearsal of what was written.
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
async fn an_activation_by_somebody_else_during_an_old_run() {
    let scene = Scene::prepared(Behaviour { seconds: 2.0, ..Behaviour::default() }).await;
    let _ = scene.run(Step::DryRun, &[]).await.expect(Said::Succeeded);
    let count = scene.runs();
    scene.annotate().await;
    scene.run_begun_after(count).await;
    scene.patch(json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}})).await;
    let done = scene.run(Step::Activate, &[]).await.expect(Said::Succeeded);
    done.says("there already by field manager somebody-else");
}

#[tokio::test]
#[ignore = "builds an ansible-operator"]
async fn a_failure_whose_words_are_hidden() {
    let scene = Scene::prepared(Behaviour { rehearsal: Outcome::Censored, ..Behaviour::default() }).await;
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
        // The next try had ended well before anybody looked.
        let _ = judged.expect(Said::Unchanged).expect(0);
    } else {
        let _ = judged.expect(Said::Succeeded);
    }
}
