//! Two users at the same time, and another client's change between preview and write.

use std::process::Stdio;
use std::time::Duration;

use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{Patch, PatchParams};
use rexpect::session::{PtySession, spawn_command};
use serde_json::{Value, json};

use crate::common::command::{Done, Shell, finish};
use crate::common::scene::Scene;
use crate::common::stage::{Stage, Standing, Step};

/// Number of races in a full sweep.
const ROUNDS: usize = 10;

/// Two administrators of one namespace, each with a shell.
async fn two(stage: &Stage) -> [(String, Shell); 2] {
    let all = |text: &str| Some(vec![text.to_owned()]);
    let rules = || {
        vec![PolicyRule {
            api_groups: all("*"),
            resources: all("*"),
            verbs: vec!["*".to_owned()],
            ..PolicyRule::default()
        }]
    };
    let mut people = Vec::new();
    for name in ["ada", "grace"] {
        let user = stage.scene.namespace.user(name, rules()).await.unwrap();
        let shell = Shell::with_kubeconfig(&user.kubeconfig);
        std::fs::write(shell.home().join("password"), "correct horse\n").unwrap();
        people.push((user.name, shell));
    }
    people.try_into().ok().unwrap()
}

/// Runs the step twice concurrently.
async fn race(stage: &Stage, people: &[(String, Shell); 2]) -> [Done; 2] {
    let start = |shell: &Shell| shell.command(stage.words()).spawn().unwrap();
    let (one, other) = (start(&people[0].1), start(&people[1].1));
    let (one, other) = tokio::join!(finish(one, "first".into()), finish(other, "second".into()));
    [one, other]
}

/// Who made the write, according to both outputs; the other user comes second.
fn winner(done: &[Done; 2]) -> usize {
    let wrote: Vec<usize> = (0..2).filter(|who| done[*who].json()["write"] == "applied").collect();
    assert_eq!(wrote.len(), 1, "one writes\n{}{}", done[0], done[1]);
    wrote[0]
}

async fn one_writes_and_the_other_follows(step: Step) {
    let stage = Stage::new(step).await;
    let people = two(&stage).await;
    for round in 0..Sweep::from_environment().share_of(ROUNDS) {
        stage.reset().await;
        let before = stage.standing().await;
        let done = race(&stage, &people).await;
        let after = stage.standing().await;
        assert!(done.iter().all(|one| one.code == 0), "{}{}", done[0], done[1]);
        assert!(stage.is_reached(&after));
        assert_eq!(Stage::changes(&before, &after), 1, "round {round}: {}{}", done[0], done[1]);
        let first = winner(&done);
        let second = &done[1 - first];
        // If the second command started after the end, it has nothing to follow.
        let told = second.stderr.contains(&people[first].0) || second.stderr.contains("already");
        assert!(told, "the second is not told who was first: {second}");
    }
}

#[tokio::test]
async fn of_two_concurrent_activations_one_is_written_and_the_other_follows() {
    one_writes_and_the_other_follows(Step::Activate).await;
}

#[tokio::test]
async fn of_two_concurrent_dry_runs_one_is_written_and_the_other_follows() {
    one_writes_and_the_other_follows(Step::DryRun).await;
}

#[tokio::test]
async fn of_two_concurrent_prepares_one_creates_the_secret_and_the_other_keeps_it() {
    let stage = Stage::new(Step::Prepare).await;
    let people = two(&stage).await;
    for _ in 0..Sweep::from_environment().share_of(ROUNDS) {
        stage.reset().await;
        let done = race(&stage, &people).await;
        let after = stage.standing().await;
        assert!(done.iter().all(|one| one.code == 0), "{}{}", done[0], done[1]);
        assert!(stage.is_reached(&after));
        let made = done.iter().filter(|one| one.stderr.contains("Secret chat-of-ours-mas created.")).count();
        assert_eq!(made, 1, "{}{}", done[0], done[1]);
        // Both show the fingerprints of the stored values, not of their own.
        let other = done.iter().find(|one| !one.stderr.contains("created.")).unwrap();
        // A command that started after the end treats the Secret like any existing one.
        let told = other.stderr.contains("field manager kubectl-ess-mas") || other.stderr.contains("is unchanged:");
        assert!(other.stderr.contains("kept") && told, "{other}");
    }
}

#[tokio::test]
async fn a_later_prepare_names_the_earlier_user() {
    let stage = Stage::new(Step::Prepare).await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(move |request| if request.is_write() { Fault::HoldBefore(held.clone()) } else { Fault::None });
    let late = stage.start(&[]);
    gate.reached().await;
    let [(name, shell), _] = two(&stage).await;
    let words = stage.words();
    let _ = shell.run_words(&words.iter().map(String::as_str).collect::<Vec<_>>(), None).await.expect(0);
    let between = stage.standing().await;
    gate.open();
    let late = finish(late, "late".into()).await.expect(0);
    late.says("changed concurrently (field manager kubectl-ess-mas, ");
    late.says(&format!("The record was written concurrently with the same settings ({name}, "));
    assert_eq!(between.secret, stage.standing().await.secret);
}

#[tokio::test]
async fn of_two_prepares_with_different_values_the_second_does_not_replace_the_first_unseen() {
    let stage = Stage::new(Step::Prepare).await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(move |request| if request.is_write() { Fault::HoldBefore(held.clone()) } else { Fault::None });
    let late = stage.start(&[]);
    gate.reached().await;
    let [(name, shell), _] = two(&stage).await;
    let words = stage.words();
    let words: Vec<&str> =
        words.iter().map(|word| if word == "auth.example.com" { "login.example.com" } else { word }).collect();
    let _ = shell.run_words(&words, None).await.expect(0);
    let between = stage.standing().await;
    gate.open();
    let late = finish(late, "late".into()).await.expect(1);
    late.says(&name).says("concurrently with other settings").says("kubectl ess-mas prepare");
    let after = stage.standing().await;
    assert_eq!((between.secret, between.record), (after.secret, after.record));
}

/// Two commands whose records don't stop them: the first write takes longer than the second command waits.
#[tokio::test]
async fn a_late_write_is_refused_and_its_writer_follows_the_other_one() {
    let stage = Stage::new(Step::Activate).await;
    let before = stage.standing().await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(
        move |request| {
            if request.is_deployment_write() { Fault::HoldBefore(held.clone()) } else { Fault::None }
        },
    );
    let first = stage.start(&[]);
    gate.reached().await;
    let [(_, grace), _] = two(&stage).await;
    let second = grace.run_words(&stage.words().iter().map(String::as_str).collect::<Vec<_>>(), None).await.expect(0);
    second.says("admin started activate a moment ago");
    assert_eq!(second.json()["write"], "applied");
    stage.proxy.pass();
    gate.open();
    let first = finish(first, "first".into()).await.expect(0);
    assert_eq!(first.json()["write"], "none", "{first}");
    let after = stage.standing().await;
    assert_eq!(Stage::changes(&before, &after), 1);
}

/// Delays the step's write until another client has made a change.
async fn meanwhile(stage: &Stage, what: impl Future<Output = ()>) -> Done {
    let gate = Gate::default();
    let held = gate.clone();
    let mut once = true;
    stage.proxy.plan(move |request| {
        if request.is_deployment_write() && std::mem::take(&mut once) {
            Fault::HoldBefore(held.clone())
        } else {
            Fault::None
        }
    });
    let child = stage.start(&[]);
    gate.reached().await;
    what.await;
    gate.open();
    finish(child, stage.words().join(" ")).await
}

fn change() -> Value {
    json!({"spec": {"components": {"synapse": {"config": {"additional": "max_upload_size: 200M\n"}}}}})
}

#[tokio::test]
async fn a_script_fails_if_the_deployment_changed_since_the_preview() {
    for step in [Step::DryRun, Step::Activate, Step::Remove] {
        let stage = Stage::new(step).await;
        let before = stage.standing().await;
        let done = meanwhile(&stage, stage.scene.patch(change())).await.expect(1);
        done.says("another client").says("was not changed");
        let after = stage.standing().await;
        assert_eq!(Stage::changes(&before, &after), 1, "only somebody else's change is there");
        assert_eq!(pending(&after), pending(&before), "no write is announced that nobody sends");
    }
}

#[tokio::test]
async fn a_status_update_is_no_conflict() {
    for step in [Step::DryRun, Step::Activate, Step::Remove] {
        let stage = Stage::new(step).await;
        let (api, name) = (stage.scene.api(), stage.scene.deployment.name().to_owned());
        let moving = async move {
            let patch = Patch::Merge(json!({"status": {"something": "else"}}));
            api.patch_status(&name, &PatchParams::default(), &patch).await.unwrap();
        };
        let before = stage.standing().await;
        let done = meanwhile(&stage, moving).await.expect(0);
        assert!(!done.stderr.contains("another client"), "{done}");
        assert_eq!(done.stderr.matches("Change to the ElementDeployment:").count(), 1, "{done}");
        let after = stage.standing().await;
        assert!(stage.is_reached(&after), "{done}");
        assert_eq!(Stage::changes(&before, &after), 1);
    }
}

fn pending(standing: &Standing) -> Value {
    standing.record.as_ref().map_or(Value::Null, |record| record["pending"].clone())
}

/// The plugin on a terminal.
fn on_terminal(shell: &Shell, words: &[&str]) -> PtySession {
    let mut command = shell.command(words).into_std();
    // The terminal replaces all three streams.
    command.env("TERM", "xterm").stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    spawn_command(command, Some(20_000)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_shows_the_change_and_asks_again() {
    let stage = Stage::new(Step::DryRun).await;
    let before = stage.standing().await;
    let mut terminal = on_terminal(&stage.shell, &["dry-run"]);
    let mut terminal = tokio::task::spawn_blocking(move || {
        terminal.exp_string("Continue?").unwrap();
        terminal
    })
    .await
    .unwrap();
    stage.scene.patch(change()).await;
    tokio::task::spawn_blocking(move || {
        terminal.send("y\r").unwrap();
        terminal.flush().unwrap();
        terminal.exp_string("another client").unwrap();
        terminal.exp_string("Change to the ElementDeployment:").unwrap();
        terminal.exp_string("Continue?").unwrap();
        terminal.send("y\r").unwrap();
        terminal.flush().unwrap();
        terminal.exp_string("Dry run passed").unwrap();
    })
    .await
    .unwrap();
    // The record is written before the last output.
    let after = stage.standing().await;
    assert!(stage.is_reached(&after));
    assert_eq!(Stage::changes(&before, &after), 2, "theirs and ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_stops_an_activation_of_another_spec() {
    let stage = Stage::new(Step::Activate).await;
    let mut terminal = on_terminal(&stage.shell, &["activate"]);
    let mut terminal = tokio::task::spawn_blocking(move || {
        terminal.exp_string("Where is the backup").unwrap();
        terminal.send("on the shelf\r").unwrap();
        terminal.flush().unwrap();
        terminal.exp_string("Type the deployment name").unwrap();
        terminal
    })
    .await
    .unwrap();
    stage.scene.patch(change()).await;
    tokio::task::spawn_blocking(move || {
        terminal.send("chat-of-ours\r").unwrap();
        terminal.flush().unwrap();
        terminal.exp_string("another client").unwrap();
        terminal.exp_string("rehears").unwrap();
        terminal.exp_eof().unwrap();
    })
    .await
    .unwrap();
    let after = stage.standing().await;
    let mas = &after.object["spec"]["components"]["matrixAuthenticationService"];
    assert_eq!(mas["config"]["active"], json!(false));
    assert_ne!(after.object["status"]["mas_active"], json!(true));
}

fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap()
}

#[tokio::test]
async fn two_people_at_once_make_one_write_and_both_get_the_verdict() {
    let scene = Scene::new(Behaviour::default().lasting(Duration::from_millis(800))).await;
    scene.prepare().await;
    for line in ["dry-run --yes", "activate --confirm chat-of-ours --backup shelf"] {
        let before = generation(&scene.object().await);
        let line = format!("{line} -o json");
        let all = tokio::join!(scene.shell.run(&line), scene.shell.run(&line), scene.shell.run(&line));
        let mut applied = 0;
        for done in [all.0, all.1, all.2] {
            let outcome = done.expect(0).json();
            assert!(["succeeded", "unchanged"].contains(&outcome["verdict"].as_str().unwrap()), "{outcome:#}");
            applied += usize::from(outcome["write"] == "applied");
        }
        assert_eq!(applied, 1);
        assert_eq!(generation(&scene.object().await), before + 1);
    }
    assert_eq!(scene.object().await["status"]["mas_active"], json!(true));
}
