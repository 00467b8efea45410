//! A known failure is explained, and a hidden failure causes details to be collected.

use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::common::command::{Done, Shell};
use crate::common::kubelet::Kubelet;
use crate::common::neighbours::Neighbours;
use crate::common::scene::{PASSWORD, Scene};

const LOCK: &str = include_str!("../../texts/syn2mas/migrate-lock-not-available.txt");

const MANY: &str = include_str!("../../texts/syn2mas/check-many.txt");

/// Asserts that stderr contains these texts in this order.
#[track_caller]
fn in_order(done: &Done, texts: &[&str]) {
    let mut at = 0;
    for text in texts {
        match done.stderr[at..].find(text) {
            Some(found) => at += found + text.len(),
            None => panic!("{text:?} does not come (after the one before)\n{done}"),
        }
    }
}

fn failure_file(scene: &Scene) -> Value {
    let files = scene.shell.failure_files();
    serde_json::from_slice(&std::fs::read(files.last().expect("a failure file")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_lock_during_the_migration_is_explained_with_a_remedy() {
    let scene = Scene::new(Behaviour::default().activation(Outcome::fail(LOCK))).await;
    scene.dry_run().await;
    let done = scene.activate().await.expect(1);
    in_order(
        &done,
        &[
            "operator reports failure",
            "database error whilst locking Synapse table `users`",
            "Another session held a lock on table users in Synapse's database",
            "Nothing was migrated: syn2mas locks Synapse's tables before it copies anything.",
            "The operator retries automatically, and a retry often succeeds.",
            "list the sessions that may hold the lock, in Synapse's database:",
            "SELECT pid,",
            "Saved: ",
            "error: the migration failed",
            "activate chat-of-ours",
            "abort chat-of-ours",
        ],
    );
    done.is_silent_about("Collecting details");
    assert_eq!(failure_file(&scene)["causes"][0]["code"], "synapse-table-locked");
    let status = scene.shell.run("status").await.expect(0);
    status.shows("What it means: Another session held a lock");
}

#[tokio::test]
async fn all_errors_of_syn2mas_are_reported_before_its_warnings() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail(MANY))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes").await.expect(1);
    in_order(
        &done,
        &[
            "1. Users can change their e-mail addresses in Synapse",
            "2. In Synapse, a signed-in device",
            "3. The pepper",
            "4. Synapse accepts guests",
            "These warnings didn't cause the failure",
            "- Users can register themselves in Synapse",
            "error: the dry run failed",
        ],
    );
    // Stated only for an activation.
    done.is_silent_about("Nothing was migrated");
    done.is_silent_about("migrated nothing");
    let status = scene.shell.run("status").await.expect(0);
    status
        .shows("What it means: Users can change their e-mail addresses in Synapse")
        .shows("And 1 more; see the message.");
}

#[tokio::test]
async fn an_unknown_failure_text_is_shown_unchanged() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("the flux capacitor is empty"))).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes").await.expect(1);
    done.says("    the flux capacitor is empty\n").says("Collecting details").says("report chat-of-ours");
}

/// The operator reports only that something failed; the migration's pod logs the cause.
#[tokio::test]
async fn a_censored_failure_is_traced_to_children_jobs_pods_events_and_logs() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::FailCensored)).await;
    scene.prepare().await;
    let neighbours = Neighbours::of(&scene).await;
    neighbours.install_child_kind().await;
    let namespace = scene.namespace.name();
    let kubelet = Kubelet::start(&scene.namespace.client().unwrap(), &format!("node-of-{namespace}")).await;
    let failing = json!({"conditions": [{"type": "Failure", "status": "True", "message": format!("cannot log in with {PASSWORD}")}]});
    neighbours.child("chat-of-ours", json!({}), failing).await;
    let failed = json!({"startTime": "2026-11-23T10:00:00Z", "failed": 1, "conditions": [
        {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded", "message": "no more tries"},
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "no more tries"}]});
    neighbours.job("chat-of-ours-syn2mas", failed).await;
    let ended = json!({"phase": "Failed", "containerStatuses": [{
        "name": "syn2mas", "image": "example.com/mas:1.4.0", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]});
    let container = json!({"name": "syn2mas", "image": "example.com/mas:1.4.0"});
    let labels = json!({"job-name": "chat-of-ours-syn2mas"});
    neighbours.pod("chat-of-ours-syn2mas-x7k2p", labels, Some(&kubelet.node), container, ended).await;
    neighbours.warning("chat-of-ours-syn2mas-x7k2p", "Back-off restarting failed container").await;
    let log = format!(
        "connecting to postgres://mas:{PASSWORD}@pg/mas\nError: user @ghost:example.com was not found for migration but a row in access_tokens was found for them\n"
    );
    kubelet.says(&format!("{namespace}/chat-of-ours-syn2mas-x7k2p/syn2mas"), &log);

    let done = scene.shell.run("dry-run --yes").await.expect(1);
    in_order(
        &done,
        &[
            "operator reports failure",
            "unknown playbook failure",
            "The operator hides the error",
            "DEBUG_MANIFESTS=1",
            "logs then contain secrets in plain text",
            "Saved: ",
            "Collecting details for at most 5 seconds.",
            "QuirkyComponent chat-of-ours: Failure: cannot log in with [redacted]",
            "Job chat-of-ours-syn2mas: failed: BackoffLimitExceeded",
            "Pod chat-of-ours-syn2mas-x7k2p: container syn2mas ended with exit code 1",
            "Back-off restarting failed container",
            "Last lines of pod chat-of-ours-syn2mas-x7k2p, container syn2mas:",
            "postgres://mas:[redacted]@pg/mas",
            "Possible causes:",
            "Table access_tokens of Synapse's database has rows for @ghost:example.com, but that account doesn't exist.",
            "error: the dry run failed",
            "report chat-of-ours",
        ],
    );
    done.is_silent_about(PASSWORD).is_silent_about("Not read");
    let saved = failure_file(&scene);
    assert_eq!(saved["causes"][0]["code"], "output-hidden");
    assert_eq!(saved["around"]["causes"][0]["code"], "row-without-account");
    assert!(!saved.to_string().contains(PASSWORD), "{saved}");
}

#[tokio::test]
async fn missing_permissions_for_the_diagnosis_are_listed_in_one_line() {
    let mut scene = Scene::new(Behaviour::default().dry_run(Outcome::FailCensored)).await;
    crate::common::roles::acting(&mut scene, "operations", crate::common::roles::role()).await;
    scene.prepare().await;
    let done = scene.shell.run("dry-run --yes").await.expect(1);
    let line =
        done.stderr.lines().find(|line| line.contains("Not read: not allowed:")).unwrap_or_else(|| panic!("{done}"));
    for right in ["list pods in namespace", "list jobs.batch in namespace", "list events in namespace"] {
        assert!(line.contains(right), "{right} is not in {line}");
    }
    assert!(failure_file(&scene)["around"]["notSeen"].to_string().contains("list pods"));
}

/// The verdict is reported and everything is stored immediately, whatever the API server does afterwards.
#[tokio::test]
async fn the_diagnosis_keeps_to_its_time_limit() {
    let mut scene = Scene::new(Behaviour::default().dry_run(Outcome::FailCensored)).await;
    scene.prepare().await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    let gate = Gate::default();
    proxy.plan(move |request| {
        let around =
            ["/pods", "/jobs", "/events", "/apis/matrix.element.io?"].iter().any(|path| request.address.contains(path))
                || request.address == "/apis/matrix.element.io";
        if around { Fault::HoldBefore(gate.clone()) } else { Fault::None }
    });
    let mut child = scene.shell.start("dry-run --yes");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut verdict = None;
    let mut text = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("operator reports failure") {
            verdict = Some(Instant::now());
        }
        if line.contains("Collecting details") {
            assert!(verdict.unwrap().elapsed() < Duration::from_secs(3), "{text}");
            assert_eq!(failure_file(&scene)["message"], "unknown playbook failure");
            assert!(scene.record_text().await.unwrap().contains("dry-run failed"));
        }
        text.push_str(&line);
        text.push('\n');
    }
    assert_eq!(child.wait().await.unwrap().code(), Some(1));
    let took = verdict.unwrap().elapsed();
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(9), "{took:?}\n{text}");
    assert!(text.contains("list pods in namespace") && text.contains("not read: the time limit"), "{text}");
}
