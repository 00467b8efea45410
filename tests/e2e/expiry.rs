//! Credentials that expire half-way, connections that fall silent, and machines that sleep.

use std::path::Path;
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};

use crate::plugin::Shell;
use crate::signals::Live;
use crate::stage::{Stage, Step, quick};

/// A kubeconfig through the stage's proxy with this user.
fn kubeconfig(stage: &Stage, folder: &Path, user: &Value) -> std::path::PathBuf {
    let text = std::fs::read_to_string(stage.proxy.kubeconfig()).unwrap();
    let mut config: Value = serde_yaml::from_str(&text).unwrap();
    config["users"][0]["user"] = user.clone();
    let path = folder.join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// A credential plugin that prints the file `credential`, and counts.
fn plugin(folder: &Path) -> Value {
    let folder = folder.display();
    let script = format!("echo x >> {folder}/runs; cat {folder}/credential");
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never"}})
}

fn issue(folder: &Path, status: &Value) {
    let credential =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status});
    std::fs::write(folder.join("credential.new"), credential.to_string()).unwrap();
    std::fs::rename(folder.join("credential.new"), folder.join("credential")).unwrap();
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap_or_default().lines().count()
}

/// From each request on, the token that was good before is refused, and the plugin has another one by then.
#[tokio::test]
async fn a_token_that_expires_at_any_request_is_renewed_by_its_plugin() {
    let mut stage = Stage::new(Step::Activate).await;
    let folder = tempfile::tempdir().unwrap();
    let config = kubeconfig(&stage, folder.path(), &plugin(folder.path()));
    stage.shell = Shell::with_kubeconfig(&config);
    issue(folder.path(), &json!({"token": "good"}));
    stage.proxy.pass();
    let _ = stage.run(&[]).await.expect(0);
    let count = stage.proxy.log().len();
    assert!(stage.proxy.log().iter().all(|request| request.token.as_deref() == Some("good")));
    for index in 0..count {
        stage.reset().await;
        let before = stage.standing().await;
        std::fs::remove_file(folder.path().join("runs")).unwrap();
        issue(folder.path(), &json!({"token": format!("early-{index}")}));
        let (early, place) = (format!("early-{index}"), folder.path().to_owned());
        let mut expired = false;
        stage.proxy.plan(move |request| {
            if request.index == index {
                expired = true;
                issue(&place, &json!({"token": "late"}));
            }
            if expired && request.token.as_deref() == Some(early.as_str()) { Fault::answer(401) } else { Fault::None }
        });
        let done = stage.run(&[]).await.expect(0);
        let after = stage.standing().await;
        assert!(stage.is_reached(&after), "{done}");
        assert_eq!(Stage::changes(&before, &after), 1, "{done}");
        assert_eq!(runs(folder.path()), 2, "one run per token\n{done}");
    }
}

/// They take 300 ms and more, and some ask the person something; requests that go out side by side share one answer.
#[tokio::test]
async fn a_credential_plugin_runs_once_in_each_command() {
    let stage = Stage::new(Step::Activate).await;
    let folder = tempfile::tempdir().unwrap();
    let mut user = plugin(folder.path());
    let script = format!("sleep 0.3; {}", user["exec"]["args"][1].as_str().unwrap());
    user["exec"]["args"][1] = script.into();
    issue(folder.path(), &json!({"token": "good"}));
    let shell = Shell::with_kubeconfig(&kubeconfig(&stage, folder.path(), &user));
    let name = stage.scene.deployment.name();
    for (count, line) in [format!("status {name}"), "status -A".to_owned(), "status".to_owned()].iter().enumerate() {
        let done = shell.run(line).await.expect(0);
        assert_eq!(runs(folder.path()), count + 1, "{done}");
    }
}

/// As kubectl does it: the plugin is asked again, and the connections are made anew with what it gives.
#[tokio::test]
async fn a_client_certificate_that_expires_half_way_is_renewed_by_its_plugin() {
    let mut stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_millis(800)));
    let folder = tempfile::tempdir().unwrap();
    let certificate = || {
        let text = Sandbox::shared().certificate_kubeconfig("admin", &["system:masters"], None).unwrap();
        let config: Value = serde_yaml::from_str(&text).unwrap();
        let pem = |key: &str| {
            let bytes: k8s_openapi::ByteString =
                serde_json::from_value(config["users"][0]["user"][key].clone()).unwrap();
            String::from_utf8(bytes.0).unwrap()
        };
        (pem("client-certificate-data"), pem("client-key-data"))
    };
    let (early, late) = (certificate(), certificate());
    let status = |pair: &(String, String)| json!({"clientCertificateData": pair.0, "clientKeyData": pair.1});
    issue(folder.path(), &status(&early));
    let config = kubeconfig(&stage, folder.path(), &plugin(folder.path()));
    stage.shell = Shell::with_kubeconfig(&config);
    let der = CertificateDer::from_pem_slice(early.0.as_bytes()).unwrap().to_vec();
    let (next, place) = (status(&late), folder.path().to_owned());
    let (mut watches, mut seen) = (0, false);
    stage.proxy.plan(move |request| {
        seen |= request.certificate.as_deref() == Some(&der);
        assert!(seen, "the first certificate is shown");
        watches += usize::from(request.is_watch());
        // The first watch ends, and whatever comes after it finds the certificate expired.
        if request.is_watch() && watches == 1 {
            issue(&place, &next);
            return Fault::CutLine { after: 1 };
        }
        let early = request.certificate.as_deref() == Some(&der);
        if watches >= 1 && early { Fault::answer(401) } else { Fault::None }
    });
    let before = stage.standing().await;
    let done = stage.run(&[]).await.expect(0);
    let after = stage.standing().await;
    assert!(stage.is_reached(&after), "{done}");
    assert_eq!(Stage::changes(&before, &after), 1);
    assert_eq!(runs(folder.path()), 2, "{done}");
    assert!(stage.proxy.log().iter().any(|request| {
        request
            .certificate
            .as_deref()
            .is_some_and(|one| one == CertificateDer::from_pem_slice(late.0.as_bytes()).unwrap().as_ref())
    }));
}

/// Without a plugin only the person can help: they log in again, elsewhere, and the program goes on.
#[tokio::test]
async fn whoever_logs_in_again_elsewhere_need_not_run_the_command_again() {
    let mut stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(2)));
    let folder = tempfile::tempdir().unwrap();
    let config = kubeconfig(&stage, folder.path(), &json!({"token": "early"}));
    stage.shell = Shell::with_kubeconfig(&config);
    let mut watches = 0;
    stage.proxy.plan(move |request| {
        watches += usize::from(request.is_watch());
        if request.is_watch() && watches == 1 {
            return Fault::CutLine { after: 1 };
        }
        if watches >= 1 && request.token.as_deref() == Some("early") { Fault::answer(401) } else { Fault::None }
    });
    let mut live = Live::with(&stage, &[]);
    live.until("cannot be followed at the moment, trying on").await;
    kubeconfig(&stage, folder.path(), &json!({"token": "late"}));
    live.until("can be followed again").await;
    assert_eq!(live.end().await, 0, "{}", live.text());
    assert!(stage.is_reached(&stage.standing().await));
}

/// The machine slept beyond the time-out, and the operator finished meanwhile: that is looked at before anybody gives up.
#[cfg(unix)]
#[tokio::test]
async fn a_timeout_that_ran_out_during_a_sleep_does_not_hide_the_verdict() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_millis(1500)));
    // Every connection is dead when it wakes up.
    stage.proxy.plan(|request| if request.is_watch() { Fault::Silence { after: 1 } } else { Fault::None });
    let mut live = Live::with(&stage, &["--timeout", "3s"]);
    live.until("operator started on it").await;
    live.signal("-STOP");
    stage.scene.until(|object| object["status"]["mas_active"] == json!(true)).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    stage.proxy.pass();
    live.signal("-CONT");
    assert_eq!(live.end().await, 0, "{}", live.text());
}

/// The same time-out without a verdict: it is given up, a little later.
#[cfg(unix)]
#[tokio::test]
async fn a_timeout_that_ran_out_during_a_sleep_is_a_timeout() {
    let mut stage = Stage::new(Step::Activate).await;
    stage.scene.operator.stop().await;
    let mut live = Live::with(&stage, &["--timeout", "1s"]);
    live.until("first sign").await;
    live.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let woken = live.signal("-CONT");
    assert_eq!(live.end().await, 124, "{}", live.text());
    assert!(woken.elapsed() < Duration::from_secs(28), "{:?}", woken.elapsed());
}

/// The manifest's owner made the change while the machine slept beyond the time-out.
#[cfg(unix)]
#[tokio::test]
async fn an_owners_change_that_came_during_a_sleep_is_followed_and_not_called_missing() {
    let stage = Stage::new(Step::Activate).await;
    let mut live = Live::with(&stage, &["--via-owner", "--timeout", "2s"]);
    live.until("change to arrive").await;
    live.signal("-STOP");
    let switch = json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}});
    stage.scene.patch(switch).await;
    stage.scene.until(|object| object["status"]["mas_active"] == json!(true)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    live.signal("-CONT");
    assert_eq!(live.end().await, 0, "{}", live.text());
}

/// Confirmed, and the machine slept past the time-out while an earlier run was waited for: nothing is written for somebody
/// who may be gone.
#[cfg(unix)]
#[tokio::test]
async fn what_was_confirmed_before_a_sleep_is_not_written_after_the_timeout() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(6)));
    let before = stage.standing().await;
    stage.scene.start_a_run().await;
    let mut live = Live::with(&stage, &["--timeout", "4s"]);
    live.until("waiting for its end").await;
    live.signal("-STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    live.signal("-CONT");
    let code = live.end().await;
    assert_eq!((code, Stage::changes(&before, &stage.standing().await)), (124, 0), "{}", live.text());
}

/// A connection that says nothing, not even bookmarks, for longer than the server would be silent: a NAT or load balancer
/// forgot it. By the real limit, so it takes two minutes.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_watch_that_falls_silent_for_longer_than_it_may_is_begun_anew() {
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

/// A laptop that sleeps for ten minutes; the server has closed the watch long before.
#[cfg(unix)]
#[tokio::test]
#[ignore = "takes ten minutes"]
async fn ten_minutes_of_sleep_are_slept_through() {
    let stage = Stage::new(Step::Activate).await;
    stage.scene.operator.set(quick().lasting(Duration::from_secs(3)));
    let before = stage.standing().await;
    let mut live = Live::with(&stage, &[]);
    live.until("operator started on it").await;
    live.signal("-STOP");
    tokio::time::sleep(Duration::from_mins(10)).await;
    let woken = live.signal("-CONT");
    assert_eq!(live.end().await, 0, "{}", live.text());
    println!("awake and done in {:?}", woken.elapsed());
    assert_eq!(Stage::changes(&before, &stage.standing().await), 1);
}
