//! The progress display during the wait for a verdict; nothing depends on it.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::Value;

use crate::common::command::{Shell, finish};
use crate::common::scene::Scene;
use crate::common::stage::{Stage, Step, quick};

/// Long enough to observe each part of a reconcile separately.
const RUN: Duration = Duration::from_secs(6);

#[tokio::test]
async fn progress_is_shown_from_synapses_stop_to_its_return() {
    let scene = Scene::new(Behaviour::default().with_workloads()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().lasting(RUN).with_workloads());
    let done = scene.activate().await.expect(0);
    let mut place = 0;
    for words in [
        "operator started reconciling",
        "migrating; users are locked out: Synapse stopping, ",
        "Synapse is stopped",
        "Synapse stopped, migration job running (chat-of-ours-syn2mas)",
        "job chat-of-ours-syn2mas is complete",
        "Synapse starting, ",
        "Synapse is back: 5 of 5 pods ready",
        "mas_active is true",
        "operator finished: no errors",
    ] {
        let found = done.stderr[place..].find(words);
        place += found.unwrap_or_else(|| panic!("{words:?} is not said, or not in its turn\n{done}"));
    }
    let abort = scene.shell.run("status -q").await.expect(0);
    assert_eq!(abort.stderr, "");
}

#[tokio::test]
async fn the_failure_file_has_the_progress_before_the_failure() {
    let scene = Scene::new(Behaviour::default().with_workloads()).await;
    scene.dry_run().await;
    let failing = Behaviour::default().lasting(RUN).with_workloads().activation(Outcome::fail("no lock"));
    scene.operator.set(failing);
    let done = scene.activate_with(&["-q"]).await.expect(1);
    assert!(!done.stderr.contains("Synapse is stopped"), "{done}");
    let kept: Value = serde_json::from_slice(&std::fs::read(&scene.shell.failure_files()[0]).unwrap()).unwrap();
    let timeline: Vec<&str> =
        kept["timeline"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
    let job = "job chat-of-ours-syn2mas has failed; for the cause, run `kubectl logs job/chat-of-ours-syn2mas -n ";
    let place = |words: &str| timeline.iter().position(|what| what.starts_with(words));
    let (stopped, failed) = (place("Synapse is stopped"), place(job));
    assert!(stopped.is_some() && stopped < failed && place("operator started reconciling") < stopped, "{timeline:#?}");
}

/// Each way in which the observation can fail.
#[tokio::test]
async fn no_verdict_depends_on_the_workload_watches() {
    let stage = Stage::new(Step::Activate).await;
    let gate = Gate::default();
    let faults = [
        Fault::answer(403),
        Fault::answer(401),
        Fault::answer(404),
        Fault::answer(500),
        Fault::Answer { code: 429, retry_after: Some(60) },
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Half,
        Fault::CutLine { after: 1 },
        Fault::ErrorEvent { after: 1, code: 410 },
        Fault::HoldBefore(gate.clone()),
    ];
    for fault in faults {
        stage.reset().await;
        stage.proxy.spoil_looks(fault.clone());
        let done = stage.run(&[]).await.expect(0);
        assert!(stage.is_reached(&stage.standing().await), "{fault:?}\n{done}");
        for word in ["statefulset", "jobs", "pods", "warning"] {
            done.is_silent_about(word);
        }
    }
    gate.open();
}

#[tokio::test]
async fn progress_without_permission_for_workloads_is_shorter_without_a_warning() {
    let scene = Scene::new(Behaviour::default().with_workloads()).await;
    scene.dry_run().await;
    scene.operator.set(Behaviour::default().lasting(RUN).with_workloads());
    let rules = crate::common::roles::role();
    let user = scene.namespace.user("ada", rules).await.unwrap();
    let shell = Shell::with_kubeconfig(&user.kubeconfig);
    let words = ["activate", "--confirm", "chat-of-ours", "--backup", "on the shelf"];
    let done = finish(shell.command(words).spawn().unwrap(), "activate".to_owned()).await.expect(0);
    done.says("operator finished").is_silent_about("Synapse is stopped").is_silent_about("forbidden");
}

/// The watches of the workloads last an hour each, and the deployment's own is renewed every 290 seconds.
#[tokio::test]
async fn half_an_hour_of_migration_makes_at_most_thirty_requests() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(2)));
    stage.proxy.pass();
    let done = stage.run(&[]).await.expect(0);
    let (all, looks) = (stage.proxy.log(), stage.proxy.looks());
    assert_eq!(looks.len(), 3, "{done}");
    assert!(looks.iter().all(|look| look.address.contains("timeoutSeconds=3600")), "{looks:?}");
    let once = all.iter().filter(|request| !request.is_watch()).count();
    let half_an_hour = once + looks.len() + 30 * 60 / 290 + 1;
    println!(
        "{once} requests around {} watches and {} looks; {half_an_hour} in half an hour",
        all.len() - once,
        looks.len()
    );
    assert!(half_an_hour <= 30, "{half_an_hour} requests: {all:#?}");
}
