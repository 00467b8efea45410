//! SIGINT and SIGTERM are reported immediately, with the state of the work. A suspended program continues when it is
//! resumed.

use std::time::Duration;

use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::command::finish;
use crate::common::live::Live;
use crate::common::scene::{Scene, active};
use crate::common::stage::{Stage, Step, quick};

/// The longest acceptable delay for a user.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Most reactions are immediate, and none depends on the network. A busy machine is occasionally late.
fn assert_at_once(mut answers: Vec<Duration>) {
    assert!(!answers.is_empty(), "nothing was interrupted");
    answers.sort();
    assert!(answers[(answers.len() - 1) / 2] < AT_ONCE, "answered after {answers:?}");
    assert!(*answers.last().unwrap() < AT_ONCE * 10, "answered after {answers:?}");
}

fn slow() -> Behaviour {
    quick().lasting(Duration::from_millis(1500))
}

#[tokio::test]
async fn an_interrupted_activation_reports_the_state_and_how_to_resume() {
    let stage = Stage::new(Step::Activate).await;
    let mut answers = Vec::new();
    for signal in ["-INT", "-TERM"] {
        stage.scene.operator.set(quick());
        stage.reset().await;
        stage.scene.operator.set(slow());
        let before = stage.standing().await;
        let mut live = Live::start(&stage);
        live.until("operator started reconciling").await;
        let sent = live.signal(signal);
        live.until("interrupted; the operator continues the migration. Users are locked out").await;
        let (answer, code) = (live.when("interrupted").unwrap() - sent, live.end().await);
        assert!(sent.elapsed() < AT_ONCE * 10, "ended after {:?}", sent.elapsed());
        answers.push(answer);
        assert_eq!(code, 130, "{}", live.text());
        assert!(live.text().contains("kubectl ess-mas activate chat-of-ours -n"), "{}", live.text());
        let again = stage.run(&[]).await.expect(0);
        again.says("The change was already made by admin");
        let after = stage.standing().await;
        assert!(stage.judge_again(&before, &before, &after, &again).is_empty(), "{again}");
    }
    assert_at_once(answers);
}

#[tokio::test]
async fn an_interrupt_at_any_request_is_reported_promptly_and_truthfully() {
    let mut answers = Vec::new();
    for step in [Step::Prepare, Step::DryRun, Step::Activate] {
        let stage = Stage::new(step).await;
        stage.proxy.pass();
        let _ = stage.run(&[]).await.expect(0);
        let log = stage.proxy.log();
        let moments = (0..log.len()).flat_map(|index| [(index, false), (index, true)]);
        for (index, after) in Sweep::from_environment().sample(moments) {
            stage.reset().await;
            let before = stage.standing().await;
            let gate = Gate::default();
            let held = gate.clone();
            stage.proxy.plan(move |request| match (request.index == index, after) {
                (true, false) => Fault::HoldBefore(held.clone()),
                (true, true) => Fault::HoldAfter(held.clone()),
                _ => Fault::None,
            });
            let mut live = Live::start(&stage);
            tokio::select! {
                () = gate.reached() => {}
                // This execution made fewer requests; the order of some is random.
                _ = live.child.wait() => continue,
            }
            let what = format!("{step:?} at {index} ({}), after: {after}", stage.proxy.log()[index].name());
            let sent = live.signal("-INT");
            live.until("interrupted").await;
            let answer = live.when("interrupted").unwrap() - sent;
            gate.open();
            let code = live.end().await;
            let between = stage.standing().await;
            let text = live.text();
            answers.push(answer);
            // The command had already ended.
            let done = code == 0 && stage.is_reached(&between);
            assert!(code == 130 || done, "{what}: exit code {code}\n{text}");
            let changed = Stage::changes(&before, &between) != 0 || before.secret != between.secret;
            let denied = text.contains("nothing was changed") || text.contains("was not changed");
            assert!(!changed || !denied, "{what}: something was changed\n{text}");
            let goes_on = denied || done || text.contains("kubectl ess-mas");
            assert!(goes_on, "{what}: it does not say how to come back\n{text}");
            stage.proxy.pass();
            let again = stage.run(&[]).await;
            let end = stage.standing().await;
            let wrong = stage.judge_again(&before, &between, &end, &again);
            assert!(wrong.is_empty(), "{what}: {wrong:?}\n{text}{again}");
        }
    }
    assert_at_once(answers);
}

#[tokio::test]
async fn a_second_interrupt_exits_at_once_even_during_a_write() {
    let stage = Stage::new(Step::Activate).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        stage.reset().await;
        let before = stage.standing().await;
        let gate = Gate::default();
        let held = gate.clone();
        stage.proxy.plan(
            move |request| {
                if request.is_deployment_write() { Fault::HoldAfter(held.clone()) } else { Fault::None }
            },
        );
        let mut live = Live::start(&stage);
        gate.reached().await;
        live.signal("-INT");
        live.until("Press Ctrl-C again to exit at once").await;
        let second = live.signal("-INT");
        assert_eq!(live.end().await, 130);
        answers.push(second.elapsed());
        gate.shut();
        let between = stage.standing().await;
        let again = stage.run(&[]).await.expect(0);
        let after = stage.standing().await;
        assert!(stage.judge_again(&before, &between, &after, &again).is_empty(), "{again}");
    }
    assert_at_once(answers);
}

#[tokio::test]
async fn a_suspended_command_reports_the_verdict_after_it_continues() {
    let stage = Stage::new(Step::Activate).await;
    for cut in [false, true] {
        stage.scene.operator.set(quick());
        stage.reset().await;
        stage.scene.operator.set(slow());
        let before = stage.standing().await;
        // The connection may be lost when the program resumes.
        stage.proxy.plan(
            move |request| {
                if cut && request.is_watch() { Fault::CutLine { after: 1 } } else { Fault::None }
            },
        );
        let mut live = Live::start(&stage);
        live.until("operator started reconciling").await;
        live.signal("-STOP");
        stage
            .scene
            .until(|object| {
                object["status"]["mas_active"] == true
                    && crate::common::scene::condition(object, "Successful") == "True"
            })
            .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.proxy.pass();
        live.signal("-CONT");
        assert_eq!(live.end().await, 0, "{}", live.text());
        let after = stage.standing().await;
        assert!(stage.is_reached(&after));
        assert_eq!(Stage::changes(&before, &after), 1);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupt_before_the_write_changes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(30)));
    scene.start_a_run().await;
    let before = scene.decided().await;
    // Several times: the order in which the program's tasks notice the signal is random.
    for more in ["", " -o json", " -o json", " -o json", " -o json"] {
        let child = scene.shell.start(&format!("dry-run --yes{more}"));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let id = child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let done = finish(child, "dry-run, interrupted".to_owned()).await.expect(130);
        let done = done.says("waiting for the running reconcile to finish").says("nothing was changed");
        if !more.is_empty() {
            assert_eq!(done.json()["verdict"], "interrupted");
        }
        assert_eq!(scene.decided().await, before);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupt_reports_what_the_cluster_continues_to_do() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::Hang)).await;
    scene.prepare().await;
    for (signal, more) in [("-INT", ""), ("-TERM", " -o json")] {
        let child = scene.shell.start(&format!("dry-run --yes{more}"));
        scene.until(|object| *active(object) == json!(false)).await;
        scene.operator.wait_for_run().await;
        // Long enough for the second command to start following.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let id = child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        let done = finish(child, format!("dry-run, ended by {signal}")).await.expect(130);
        done.says("the operator continues the dry run").says("kubectl ess-mas dry-run chat-of-ours -n ");
        if !more.is_empty() {
            let outcome = done.json();
            assert_eq!(outcome["verdict"], "interrupted");
        }
    }
    assert_eq!(*active(&scene.object().await), json!(false));
}
