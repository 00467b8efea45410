//! How much is asked of the API server: budgets of requests, and of rounds, which a slow link makes long.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::command::{Done, Shell};
use crate::common::scene::Scene;

/// So long every answer takes: requests that need one another are this far apart, and no others.
const PAUSE: Duration = Duration::from_millis(1500);

/// The requests of one `check` and the rounds that they came in: a request that came after an answer may have needed it.
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

/// The most that there is to look at: a Helm release, and certificates in MAS's own and in the global Secret, or their issuer.
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
        // The name of the Secret is in the record only.
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

/// Deployment, record and Secret have known names, and so has what tells the release: none of them waits for another.
#[tokio::test]
async fn status_with_a_name_takes_one_round_and_without_a_name_two() {
    let scene = Scene::new(Behaviour::default()).await;
    let line = format!("status {} -o json", scene.deployment.name());
    for rehearsed in [false, true] {
        if rehearsed {
            scene.rehearse().await;
        }
        for (line, wanted) in [(line.as_str(), 1), ("status -o json", 2)] {
            let (done, requests, rounds) = ask(&scene, line, &[0]).await;
            assert_eq!((requests.len(), rounds), (5, wanted), "{requests:#?}");
            let passed = done.json()["items"][0]["rehearsal"]["state"] == "passed";
            assert_eq!(passed, rehearsed, "{done}");
        }
    }
    let (_, requests, rounds) = ask(&scene, "status -A -o json", &[0]).await;
    // Other tests have deployments of their own on this server, perhaps more than a page of them.
    let pages = requests.iter().filter(|request| request.ends_with("/elementdeployments")).count();
    assert_eq!((requests.len(), rounds), (pages + 1, pages), "{requests:#?}");
}

/// What a step asks for apart from following: watches come as long as it takes. What comes after a failure is no budget's
/// matter: conflicts with an operator that tries again, and the kinds that other tests have in its group.
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
    // One of them is the look at Ingresses that may have MAS's host.
    within("prepare", 18);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    within("dry-run", 17);
}
