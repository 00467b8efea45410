//! How long it takes from the status event that makes a verdict true to the end of the program.

use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::scene::condition;
use crate::stage::{Stage, Step};

/// How many activations are measured.
const RUNS: &str = "ESS_MAS_PROMPTNESS_RUNS";

/// Prints the distribution. What is asserted is only that nothing waits where nothing has to be waited for: a busy machine
/// is slow. On an idle one 99 of 100 should take less than 100 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_verdict_is_told_as_soon_as_it_is_true() {
    let count = std::env::var(RUNS).ok().and_then(|text| text.parse().ok()).unwrap_or(200_usize);
    let stage = Stage::new(Step::Activate).await;
    let mut taken = Vec::new();
    for _ in 0..count {
        stage.reset().await;
        let follower = Follower::start(&stage.scene.api(), stage.scene.deployment.name()).await.unwrap();
        let event = tokio::spawn(watch(follower));
        let mut child = stage.start(&[]);
        let status = child.wait().await.unwrap();
        let ended = Instant::now();
        assert!(status.success());
        taken.push(ended.saturating_duration_since(event.await.unwrap()));
    }
    taken.sort();
    let at = |percent: usize| taken[(taken.len() * percent / 100).min(taken.len() - 1)];
    println!(
        "{count} activations, from the event to the exit: least {:?}, median {:?}, 90 % {:?}, 99 % {:?}, most {:?}",
        taken[0],
        at(50),
        at(90),
        at(99),
        taken[taken.len() - 1]
    );
    assert!(at(99) < Duration::from_secs(3), "something waits: {:?}", at(99));
}

/// The moment at which an activation's good end is seen.
async fn watch(mut follower: Follower) -> Instant {
    let done = |object: &serde_json::Value| {
        object["status"]["mas_active"] == json!(true) && condition(object, "Successful") == "True"
    };
    follower.until(done).await.unwrap();
    Instant::now()
}
