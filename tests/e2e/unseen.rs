//! What happens while nobody looks: no verdict is made of it that it does not bear.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Scene, active, condition};
use crate::signals::Live;
use crate::stage::{Stage, Step, quick};

fn switch(on: bool) -> Value {
    json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": on}}}}})
}

/// The write is held until the operator works on something else, and lost; meanwhile somebody makes the same change. The
/// failure of that run was reported as the migration's.
#[tokio::test]
async fn somebody_elses_same_change_after_a_lost_answer_is_not_taken_for_our_own() {
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
    // It does fail in the end, because no rehearsal has passed any more; that is what has to be told.
    assert_eq!(live.end().await, 1, "{}", live.text());
    let outcome: Value = serde_json::from_str(&live.stdout().await).unwrap();
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["not-applied", "failed"]);
    assert!(outcome["message"].as_str().unwrap().contains("needs a dry run first"), "{}", live.text());
    assert!(live.text().contains("there already by field manager somebody-else"), "{}", live.text());
}

/// The run that ended well had the component in it. With the operator down, `abort --remove` said that it was back.
#[tokio::test]
async fn a_component_that_somebody_else_took_out_is_not_the_write_that_never_arrived() {
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

/// The migration's goal was reached by a run whose start nobody saw, and the command waited for another one.
#[tokio::test]
async fn an_activation_that_was_found_half_done_is_not_waited_for_beyond_its_end() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
    let slow = Duration::from_millis(1500);
    scene.operator.set(Behaviour { run: Duration::from_millis(100), settle: slow, ..Behaviour::default() });
    scene.patch(switch(true)).await;
    scene.until(|object| object["status"]["mas_active"] == json!(true)).await;
    assert_eq!(condition(&scene.object().await, "Successful"), "False");
    let done = scene.shell.run("activate").await.expect(0);
    done.says("there already by field manager somebody-else").says("The migration is done already");
}

/// As it was seen with a real operator: it was killed in a run and came back, and worked on the new spec without a sign of
/// its start. Nothing came after that, so the command waited until its time was up.
#[tokio::test]
async fn a_rehearsal_that_began_without_a_sign_is_asked_for_again() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("broken")));
    let _ = scene.shell.run("dry-run --yes").await.expect(1);
    // A run that leaves no end in the status: all that follow begin without a sign.
    scene.operator.set(Behaviour::default().dry_run(Outcome::Requeue(Duration::from_secs(60))));
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
    scene.operator.set(Behaviour::default());
    let done = scene.shell.run("dry-run --yes -o json").await.expect(0);
    done.says("asking it for another run").says("Dry run passed");
    assert_eq!(*active(&scene.object().await), json!(false));
}
