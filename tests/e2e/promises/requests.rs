//! Budgets for requests to the API server and for round trips, which are slow on a slow link.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::command::{Done, Shell};
use crate::common::scene::Scene;

/// The delay of each response: dependent requests are this far apart, independent ones are not.
const PAUSE: Duration = Duration::from_millis(1500);

/// The requests of one `check`, grouped by round trip. A request that follows a response may depend on it.
async fn ask(scene: &Scene, line: &str, codes: &[u8]) -> (Done, Vec<String>, usize) {
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&arrivals);
    proxy.plan(move |_| {
        seen.lock().unwrap().push(Instant::now());
        Fault::Slow(PAUSE)
    });
    let done = Shell::with_kubeconfig(&proxy.kubeconfig()).run(line).await;
    assert!(codes.iter().any(|code| i32::from(*code) == done.code), "{done}");
    let requests = proxy.log().iter().map(Request::name).collect();
    let arrivals = arrivals.lock().unwrap().clone();
    let mut rounds: Vec<(Instant, usize)> = Vec::new();
    for arrival in arrivals {
        let answered = rounds.iter().filter(|(earlier, _)| *earlier + PAUSE <= arrival).map(|(_, round)| *round);
        let round = answered.max().unwrap_or(0) + 1;
        rounds.push((arrival, round));
    }
    (done, requests, rounds.iter().map(|(_, round)| *round).max().unwrap_or(0))
}

/// The maximum of objects to read: a Helm release, and the certificates in MAS's Secret and in the global Secret, or
/// their issuer.
#[tokio::test]
async fn check_makes_at_most_twelve_requests_in_three_rounds() {
    let inline = json!({"mode": "certfile", "certificate": {"certFileSecretKey": "certificate", "privateKeySecretKey": "privateKey"}});
    let issued = json!({"mode": "certmanager", "certmanager": {"issuer": "letsencrypt"}});
    for (tls, accepted) in [(inline, "certificate-missing"), (issued, "cluster-issuer")] {
        let scene = Scene::changed(Behaviour::default(), |deployment| {
            deployment
                .set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
                .set("/spec/global/k8s/ingresses/tls", tls)
        })
        .await;
        let before = ask(&scene, "check -o json", &[11]).await;
        // Only the record contains the name of the Secret.
        let _ = scene.prepare_with(&["--accept", accepted], "pw\n").await;
        let after = ask(&scene, "check -o json", &[10, 11]).await;
        for (done, requests, rounds) in [before, after] {
            println!("{} requests in {rounds} rounds: {requests:#?}", requests.len());
            assert!(requests.len() <= 12, "{} requests: {requests:#?}", requests.len());
            assert!(rounds <= 3, "{rounds} rounds: {requests:#?}");
            let mut once = requests.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), requests.len(), "something was asked twice: {requests:#?}");
            let report = done.json();
            let mut findings = report["findings"].as_array().unwrap().iter();
            let seen = findings.any(|one| one["code"] == "component-secret" && one["severity"] == "ok");
            assert!(seen, "every Secret that matters was looked at: {done}");
        }
    }
}

/// The deployment, the record, the Secret and the release are read by known names, so that no request waits for
/// another.
#[tokio::test]
async fn status_with_a_name_takes_one_round_and_without_a_name_two() {
    let scene = Scene::new(Behaviour::default()).await;
    let line = format!("status {} -o json", scene.deployment.name());
    for dry_run_passed in [false, true] {
        if dry_run_passed {
            scene.dry_run().await;
        }
        for (line, wanted) in [(line.as_str(), 1), ("status -o json", 2)] {
            let (done, requests, rounds) = ask(&scene, line, &[0]).await;
            assert_eq!((requests.len(), rounds), (5, wanted), "{requests:#?}");
            let passed = done.json()["items"][0]["rehearsal"]["state"] == "passed";
            assert_eq!(passed, dry_run_passed, "{done}");
        }
    }
    let (_, requests, rounds) = ask(&scene, "status -A -o json", &[0]).await;
    // Other tests have deployments on this server, possibly more than one page.
    let pages = requests.iter().filter(|request| request.ends_with("/elementdeployments")).count();
    assert_eq!((requests.len(), rounds), (pages + 1, pages), "{requests:#?}");
}

/// The requests of a step except for following: the number of watches depends on the time. Failures are excluded,
/// because conflicts with a retrying operator and the kinds of other tests vary.
#[tokio::test]
async fn each_step_stays_within_its_request_budget() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    let within = |step: &str, budget: usize| {
        let requests: Vec<String> = proxy.log().iter().filter(|one| !one.is_watch()).map(Request::name).collect();
        assert!(requests.len() <= budget, "{step}: {} requests: {requests:#?}", requests.len());
        proxy.pass();
    };
    proxy.pass();
    scene.prepare().await;
    // One of them lists Ingresses that may have MAS's host.
    within("prepare", 18);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    within("dry-run", 17);
}
