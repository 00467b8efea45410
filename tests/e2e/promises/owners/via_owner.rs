//! `--via-owner` shows the complete change, and follows the owner's change like a write of its own.

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::common::command::Done;
use crate::common::live::Live;
use crate::common::stage::{Stage, Step};

/// Starts the step and waits until it shows the change.
async fn shown(stage: &Stage) -> (Live, Value) {
    let live = Live::with(stage, &["--via-owner"]);
    live.until("waiting for the manifest owner's change").await;
    let text = live.text();
    let after = text.split("apply it:\n").nth(1).expect("the change is shown");
    let block: String = after
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.contains('·'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let value = serde_yaml::from_str(&block).unwrap_or_else(|error| panic!("{error} in:\n{block}"));
    (live, value)
}

async fn end(mut live: Live, code: i32) -> Value {
    assert_eq!(live.end().await, code, "{}", live.text());
    serde_json::from_str(&live.stdout().await).unwrap()
}

#[tokio::test]
async fn a_change_by_the_owner_is_followed_to_the_same_verdict() {
    for step in [Step::DryRun, Step::Activate] {
        let stage = Stage::new(step).await;
        let before = stage.standing().await;
        let (live, change) = shown(&stage).await;
        assert_eq!(stage.standing().await.object["metadata"]["generation"], before.object["metadata"]["generation"]);
        stage.scene.patch(change).await;
        let outcome = end(live, 0).await;
        assert_eq!((&outcome["write"], &outcome["verdict"]), (&json!("none"), &json!("succeeded")));
        assert!(stage.is_reached(&stage.standing().await));
        // The activation accepts the dry run.
        if step == Step::DryRun {
            let _: Done = stage.scene.activate().await.expect(0);
        }
    }
}

#[tokio::test]
async fn a_change_beyond_the_shown_one_is_reported_and_never_a_success() {
    let stage = Stage::new(Step::Activate).await;
    let (live, mut change) = shown(&stage).await;
    change["spec"]["components"]["synapse"]["config"]["additional"] = json!("max_upload_size: 200M\n");
    stage.scene.patch(change).await;
    live.until("was not changed as shown; active is true").await;
    live.until("kubectl ess-mas abort").await;
    assert!(
        live.text().contains("max_upload_size: 200M") && live.text().contains("kubectl ess-mas abort"),
        "{}",
        live.text()
    );
    let (text, outcome) = (live.text(), end(live, 1).await);
    assert!(!text.contains("was not changed."), "{text}");
    assert_eq!((&outcome["write"], &outcome["verdict"]), (&json!("none"), &json!("failed")));
}

/// The pending write in the record.
async fn pending(stage: &Stage) -> Value {
    stage.standing().await.record.expect("a record")["pending"].clone()
}

#[tokio::test]
async fn an_interrupt_before_the_change_is_shown_leaves_nothing_pending() {
    let stage = Stage::new(Step::Activate).await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(move |request| {
        let is_record = request.is_write() && request.name().contains("/configmaps");
        if is_record { Fault::HoldAfter(held.clone()) } else { Fault::None }
    });
    let mut live = Live::with(&stage, &["--via-owner"]);
    gate.reached().await;
    live.signal("-INT");
    live.until("interrupted").await;
    gate.open();
    assert_eq!(live.end().await, 130);
    let text = live.text();
    assert!(text.contains("The ElementDeployment was not changed.") && !text.contains("apply it:"), "{text}");
    assert_eq!(pending(&stage).await, Value::Null);
}

#[tokio::test]
async fn the_backup_statement_is_recorded_and_the_next_command_reports_the_pending_change() {
    let stage = Stage::new(Step::Activate).await;
    let (live, change) = shown(&stage).await;
    let record = stage.standing().await.record.unwrap();
    assert_eq!(record["backup"]["statement"], "on the shelf");
    assert_eq!(record["pending"]["owner"], "awaited");
    assert_eq!(record["rehearsal"]["state"], "passed");
    let preview = stage.run(&["--preview"]).await.expect(0);
    preview.says("handed a change to the manifest owner (activate --via-owner, ");
    stage.scene.patch(change).await;
    let outcome = end(live, 0).await;
    assert_eq!(outcome["verdict"], "succeeded");
    let record = stage.standing().await.record.unwrap();
    assert_eq!((&record["pending"], &record["backup"]["statement"]), (&Value::Null, &json!("on the shelf")));
}

#[tokio::test]
async fn a_killed_command_resumes_waiting_for_the_owners_change() {
    for step in [Step::DryRun, Step::Activate] {
        let stage = Stage::new(step).await;
        let (live, _) = shown(&stage).await;
        live.kill().await;
        let (live, change) = shown(&stage).await;
        assert!(live.text().contains("handed a change to the manifest owner"), "{}", live.text());
        stage.scene.patch(change).await;
        assert_eq!(end(live, 0).await["verdict"], "succeeded");
        assert!(stage.is_reached(&stage.standing().await));
    }
}

#[tokio::test]
async fn command_killed_after_the_owners_change_resumes_with_the_baseline() {
    for step in [Step::DryRun, Step::Activate] {
        let stage = Stage::new(step).await;
        let slow = crate::common::stage::quick().lasting(std::time::Duration::from_millis(1500));
        stage.scene.operator.set(slow);
        let (live, change) = shown(&stage).await;
        stage.scene.patch(change).await;
        live.until("operator started reconciling").await;
        live.kill().await;
        assert_eq!(pending(&stage).await["owner"], "arrived");
        // It ends while no command is following.
        stage.scene.operator.wait_for_end().await;
        let done = stage.run(&["--via-owner"]).await.expect(0);
        let reached = done.json()["verdict"].clone();
        assert!(reached == "succeeded" || (step == Step::Activate && reached == "unchanged"), "{done}");
        assert!(stage.is_reached(&stage.standing().await), "{done}");
    }
}

#[tokio::test]
async fn owners_change_that_was_reconciled_unobserved_is_no_dry_run() {
    let stage = Stage::new(Step::DryRun).await;
    let (live, change) = shown(&stage).await;
    live.kill().await;
    stage.scene.patch(change).await;
    stage.scene.operator.wait_for_run().await;
    stage.scene.operator.wait_for_end().await;
    let done = stage.run(&["--via-owner"]).await.expect(1);
    done.says("while no command watched it").says("kubectl ess-mas dry-run chat-of-ours -n ");
    let _ = stage.scene.activate().await.expect(10);
    let _ = stage.run(&[]).await.expect(0);
}

#[tokio::test]
async fn a_change_that_never_arrives_times_out_with_nothing_written() {
    let stage = Stage::new(Step::Activate).await;
    let before = stage.standing().await;
    let done = stage.run(&["--via-owner", "--timeout", "1s"]).await.expect(124);
    done.says("timed out waiting for the manifest owner's change");
    assert_eq!(Stage::changes(&before, &stage.standing().await), 0);
}
