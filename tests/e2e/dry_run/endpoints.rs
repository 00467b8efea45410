//! The endpoint checks in other commands: reported, and never a verdict.

use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::command::{Done, finish};
use crate::common::endpoints::{fill, scene, wrong};
use crate::common::scene::{Scene, active};

/// A proxy that leads to a web server for every host, like a company's proxy: the only way for commands without
/// `--resolve` to reach the hosts of a test.
async fn through_proxy(scene: &Scene, web: &Web, line: &str) -> Done {
    let proxy = web.proxy().await.unwrap();
    let authority = scene.shell.file("ca.pem", web.authority());
    let mut command = scene.shell.command(line.split_whitespace());
    command
        .env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port()))
        .env("NO_PROXY", "127.0.0.1")
        .env("SSL_CERT_FILE", scene.shell.home().join(authority));
    finish(command.spawn().unwrap(), line.to_owned()).await
}

const ACTIVATE: &str = "activate --confirm chat-of-ours --backup shelf";

#[tokio::test]
async fn dry_run_reports_that_mas_responds_after_its_verdict() {
    let scene = scene().await;
    let web = crate::common::endpoints::web(&scene, "dry-run-done").await;
    scene.prepare().await;
    fill(&web, &scene, "dry-run-done").await;
    let done = through_proxy(&scene, &web, "dry-run --yes").await.expect(0);
    done.says("MAS responds at https://auth.example.com with this deployment's key");
    let at = |words: &str| done.stderr.find(words).unwrap_or_else(|| panic!("{words:?} is not in\n{done}"));
    assert!(at("Dry run passed in") < at("MAS responds at"), "{done}");
}

#[tokio::test]
async fn endpoint_problems_after_a_dry_run_leave_its_verdict() {
    let scene = scene().await;
    let web = crate::common::endpoints::web(&scene, "dry-run-done").await;
    scene.prepare().await;
    fill(&web, &scene, "dry-run-done").await;
    web.answer(
        "auth.example.com",
        "/.well-known/openid-configuration",
        Reply::json(200, &json!({"issuer": "http://[::]:8080/"})),
    );
    let done = through_proxy(&scene, &web, "dry-run --yes -o json").await.expect(0);
    assert_eq!(done.json()["verdict"], "succeeded");
    done.says("mas-issuer")
        .says("fix these problems before you migrate")
        .says("kubectl ess-mas verify chat-of-ours -n ");

    // `check` reports what `activate` requires to be accepted: it is shown on a terminal, and a script must name it.
    let check = through_proxy(&scene, &web, "check -o json").await.expect(11);
    let found = wrong(&check);
    for code in ["mas-issuer", "mas-discovery"] {
        assert!(found.contains(&(code.to_owned(), "warning".to_owned())), "{found:?}");
    }
    let before = scene.decided().await;
    let done = through_proxy(&scene, &web, ACTIVATE).await.expect(11);
    done.says("nothing was changed").says("--accept mas-issuer,mas-discovery");
    assert_eq!(scene.decided().await, before);
    fill(&web, &scene, "active").await;
    web.answer(
        "auth.example.com",
        "/.well-known/openid-configuration",
        Reply::json(200, &json!({"issuer": "http://[::]:8080/"})),
    );
    let accepting = format!("{ACTIVATE} --accept mas-issuer,mas-discovery,synapse-auth-metadata,synapse-login");
    let done = through_proxy(&scene, &web, &accepting).await.expect(0);
    done.says("Migrated in").says("these problems affect users");
}

#[tokio::test]
async fn an_unreachable_mas_is_reported_and_blocks_no_script() {
    let scene = scene().await;
    scene.prepare().await;
    let silent = Web::start(&["auth.example.com", "matrix.example.com"]).await.unwrap();
    // A proxy where nothing listens: only the API server is reachable from this machine.
    let lost = |line: &str| {
        let mut command = scene.shell.command(line.split_whitespace());
        command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
        finish(command.spawn().unwrap(), line.to_owned())
    };
    let done = lost("dry-run --yes").await.expect(0);
    done.says("mas-reachable").says("can't be reached from this machine").says("--through-cluster");
    let check = lost("check -o json").await.expect(11);
    assert!(wrong(&check).contains(&("mas-reachable".to_owned(), "warning".to_owned())), "{check}");
    let done = lost(ACTIVATE).await.expect(0);
    done.says("mas-reachable").says("Migrated in");
    assert_eq!(silent.visits(), []);
    assert_eq!(*active(&scene.object().await), json!(true));
}

#[tokio::test]
async fn an_interrupt_ends_the_endpoint_checks_at_once_and_keeps_the_verdict() {
    use rustix::process::{Pid, Signal, kill_process};

    let scene = scene().await;
    scene.prepare().await;
    let web = Web::start(&["auth.example.com", "matrix.example.com", "idp.example.com"]).await.unwrap();
    for (host, path) in
        [("auth.example.com", "/.well-known/openid-configuration"), ("matrix.example.com", "/_matrix/client/versions")]
    {
        web.answer(host, path, Reply::Drip);
    }
    let proxy = web.proxy().await.unwrap();
    let mut command = scene.shell.command("dry-run --yes -o json".split_whitespace());
    command.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port())).env("NO_PROXY", "127.0.0.1");
    let child = command.spawn().unwrap();
    let limit = Instant::now() + Duration::from_secs(40);
    while web.visits().is_empty() {
        assert!(Instant::now() < limit, "nothing was asked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let began = Instant::now();
    let done = finish(child, "dry-run --yes".to_owned()).await.expect(0);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    done.says("only the check over the network is skipped");
    assert_eq!(done.json()["verdict"], "succeeded");
}
