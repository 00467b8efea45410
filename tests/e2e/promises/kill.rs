//! After SIGKILL at any request or at a random moment, the same command reaches the same state as an uninterrupted one.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::prelude::*;
use ess_mas_sandbox::random::Rng;
use serde_json::json;

use crate::common::scene::{Scene, active, condition};
use crate::common::stage::{Stage, Step};

/// Number of kills at random moments for each command in a full sweep.
const RANDOM: usize = 10;

/// When a command is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Before this request leaves the machine.
    Before(usize),
    /// After the request was sent; it reaches the server after the program is dead.
    Sent(usize),
    /// After the server has processed the request, before its response arrives.
    After(usize),
    /// After this time.
    At(Duration),
}

#[derive(Default)]
struct Numbers {
    kills: usize,
    too_late: usize,
    wrong: Vec<String>,
}

/// Kills a command; false if it had already ended.
async fn kill(stage: &Stage, moment: Moment) -> bool {
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(move |request| match moment {
        Moment::Before(index) | Moment::Sent(index) if request.index == index => Fault::HoldBefore(held.clone()),
        Moment::After(index) if request.index == index => Fault::HoldAfter(held.clone()),
        _ => Fault::None,
    });
    let mut child = stage.start(&[]);
    let killed = if let Moment::At(pause) = moment {
        tokio::time::timeout(pause, child.wait()).await.is_err()
    } else {
        tokio::select! {
            () = gate.reached() => true,
            ended = child.wait() => {
                assert!(ended.unwrap().success(), "a run that nobody touched fails");
                false
            }
        }
    };
    child.start_kill().ok();
    child.wait().await.unwrap();
    match moment {
        Moment::Sent(_) => gate.open(),
        _ => gate.shut(),
    }
    killed
}

async fn work(stage: &Stage, queue: &Mutex<VecDeque<Moment>>, numbers: &Mutex<Numbers>) {
    loop {
        let Some(moment) = queue.lock().unwrap().pop_front() else { return };
        stage.reset().await;
        let before = stage.standing().await;
        let killed = kill(stage, moment).await;
        let between = stage.standing().await;
        let again = stage.run(&[]).await;
        let after = stage.standing().await;
        let mut wrong = stage.judge_again(&before, &between, &after, &again);
        if Stage::changes(&before, &between) > 1 {
            wrong.push("killed, it had written twice".to_owned());
        }
        let mut numbers = numbers.lock().unwrap();
        numbers.kills += usize::from(killed);
        numbers.too_late += usize::from(!killed);
        if !wrong.is_empty() {
            numbers.wrong.push(format!("{:?} killed {moment:?}: {}\n{again}", stage.step, wrong.join("; ")));
        }
    }
}

async fn sweep(step: Step) {
    let stage = Stage::new(step).await;
    stage.proxy.pass();
    let begun = Instant::now();
    let _ = stage.run(&[]).await.expect(0);
    let took = begun.elapsed();
    let log = stage.proxy.log();
    let sweep = Sweep::from_environment();
    let at_requests =
        (0..log.len()).flat_map(|index| [Moment::Before(index), Moment::Sent(index), Moment::After(index)]);
    let mut queue = VecDeque::from(sweep.sample(at_requests));
    let (mut rng, whole) = (Rng::new(sweep.seed()), usize::try_from(took.as_micros()).unwrap().max(1));
    let mut moment = || Moment::At(Duration::from_micros(rng.below(whole) as u64));
    queue.extend((0..sweep.share_of(RANDOM)).map(|_| moment()));
    let all = queue.len();
    let stages = stage.and_more_for(all).await;
    let (queue, numbers) = (Mutex::new(queue), Mutex::new(Numbers::default()));
    futures::future::join_all(stages.iter().map(|stage| work(stage, &queue, &numbers))).await;
    let numbers = numbers.into_inner().unwrap();
    println!(
        "{step:?}: killed {} times at {} requests and random moments ({} were too late), {} wrong",
        numbers.kills,
        log.len(),
        numbers.too_late,
        numbers.wrong.len()
    );
    assert!(numbers.wrong.is_empty(), "{} kills went wrong:\n{}", numbers.wrong.len(), numbers.wrong.join("\n"));
    // In a small sample, some moments can come too late.
    let least = if all >= 40 { all / 2 } else { 1 };
    assert!(numbers.kills >= least, "hardly anything was killed");
}

#[tokio::test]
async fn a_killed_prepare_resumes_with_the_same_secrets() {
    sweep(Step::Prepare).await;
}

#[tokio::test]
async fn a_killed_dry_run_resumes() {
    sweep(Step::DryRun).await;
}

#[tokio::test]
async fn a_killed_activation_resumes_and_is_written_once() {
    sweep(Step::Activate).await;
}

#[tokio::test]
async fn a_killed_abort_resumes() {
    tokio::join!(sweep(Step::Abort), sweep(Step::Remove));
}

#[cfg(unix)]
#[tokio::test]
async fn the_next_command_resumes_a_killed_one() {
    let scene = Scene::new(Behaviour::default().lasting(Duration::from_secs(1))).await;
    scene.prepare().await;
    let mut child = scene.shell.start("dry-run --yes");
    scene.until(|object| *active(object) == json!(false)).await;
    child.kill().await.unwrap();
    scene
        .until(|object| object["status"]["mas_active"] == json!(false) && condition(object, "Successful") == "True")
        .await;
    let spec = scene.decided().await.1;
    // The dry run succeeded while no command was following.
    scene.shell.run("dry-run --yes").await.expect(0).says("already made").says("Dry run passed");
    assert_eq!(scene.decided().await.1, spec);

    scene.operator.set(Behaviour::default().activation(Outcome::fail("no lock")));
    let words = ["activate", "--confirm", "chat-of-ours", "--backup", "shelf"];
    let mut child = scene.shell.command(words).spawn().unwrap();
    scene.until(|object| *active(object) == json!(true)).await;
    child.kill().await.unwrap();
    scene.until(|object| condition(object, "Failure") == "True").await;
    // A failure that no command observed is reported too.
    scene.shell.run("activate").await.expect(1).says("no lock");
    assert_eq!(scene.shell.failure_files().len(), 1);
    let _ = scene.shell.run("abort --yes").await.expect(0);
}
