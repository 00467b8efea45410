//! Suspended machines, and connections that become silent.

use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::live::Live;
use crate::common::stage::{Stage, Step, quick};

/// The machine was suspended beyond the time-out, and the operator finished meanwhile: the command checks again before
/// it times out.
#[cfg(unix)]
#[tokio::test]
async fn a_timeout_during_suspend_does_not_hide_the_verdict() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_millis(1500)));
    // Every connection is dead after the suspend.
    stage.proxy.plan(|request| if request.is_watch() { Fault::Silence { after: 1 } } else { Fault::None });
    let mut live = Live::with(&stage, &["--timeout", "3s"]);
    live.until("operator started reconciling").await;
    live.signal("-STOP");
    stage.scene.until(|object| object["status"]["mas_active"] == json!(true)).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    stage.proxy.pass();
    live.signal("-CONT");
    assert_eq!(live.end().await, 0, "{}", live.text());
}

/// The same time-out without a verdict: the command times out a little later.
#[cfg(unix)]
#[tokio::test]
async fn a_timeout_during_suspend_is_a_timeout() {
    let mut stage = Stage::new(Step::Activate).await;
    stage.scene.operator.stop().await;
    let mut live = Live::with(&stage, &["--timeout", "1s"]);
    live.until("the operator to start reconciling").await;
    live.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let woken = live.signal("-CONT");
    assert_eq!(live.end().await, 124, "{}", live.text());
    assert!(woken.elapsed() < Duration::from_secs(28), "{:?}", woken.elapsed());
}

/// The manifest owner made the change while the machine was suspended beyond the time-out.
#[cfg(unix)]
#[tokio::test]
async fn an_owners_change_during_suspend_is_followed() {
    let stage = Stage::new(Step::Activate).await;
    let mut live = Live::with(&stage, &["--via-owner", "--timeout", "2s"]);
    live.until("the manifest owner's change").await;
    live.signal("-STOP");
    let switch = json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}});
    stage.scene.patch(switch).await;
    stage.scene.until(|object| object["status"]["mas_active"] == json!(true)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    live.signal("-CONT");
    assert_eq!(live.end().await, 0, "{}", live.text());
}

/// Confirmed, then suspended beyond the time-out while waiting for an earlier reconcile: nothing is written, because
/// the user may be absent.
#[cfg(unix)]
#[tokio::test]
async fn a_confirmed_write_is_not_sent_after_a_suspend_past_the_timeout() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(6)));
    let before = stage.standing().await;
    stage.scene.start_a_run().await;
    let mut live = Live::with(&stage, &["--timeout", "4s"]);
    live.until("waiting for the running reconcile to finish").await;
    live.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    live.signal("-CONT");
    let code = live.end().await;
    assert_eq!((code, Stage::changes(&before, &stage.standing().await)), (124, 0), "{}", live.text());
}

/// A connection without any data, not even bookmarks, for longer than the server's interval: a NAT or a load balancer
/// dropped it. Uses the real limit, so it takes two minutes.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_silent_watch_is_restarted() {
    let stage = Stage::new(Step::Activate).await;
    let mut watches = 0;
    stage.proxy.plan(move |request| {
        watches += usize::from(request.is_watch());
        if request.is_watch() && watches == 1 { Fault::Silence { after: 0 } } else { Fault::None }
    });
    let begun = Instant::now();
    let mut live = Live::with(&stage, &[]);
    let code = live.end_within(Duration::from_mins(4)).await;
    assert_eq!(code, 0, "{}", live.text());
    println!("silent, and found out after {:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_mins(1), "the silence was not waited for, so nothing was tried");
}

/// A laptop that is suspended for ten minutes; the server has closed the watch.
#[cfg(unix)]
#[tokio::test]
#[ignore = "takes ten minutes"]
async fn ten_minutes_of_suspend_do_not_end_the_command() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(3)));
    let before = stage.standing().await;
    let mut live = Live::with(&stage, &[]);
    live.until("operator started reconciling").await;
    live.signal("-STOP");
    tokio::time::sleep(Duration::from_mins(10)).await;
    let woken = live.signal("-CONT");
    assert_eq!(live.end().await, 0, "{}", live.text());
    println!("awake and done in {:?}", woken.elapsed());
    assert_eq!(Stage::changes(&before, &stage.standing().await), 1);
}
