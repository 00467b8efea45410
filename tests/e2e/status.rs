//! `status`: the phase, lists in pages, and watching.

use std::io::Write as _;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ess_mas_sandbox::many;
use ess_mas_sandbox::prelude::*;
use flate2::{Compression, write::GzEncoder};
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::common::command::{Done, Shell, finish};
use crate::common::roles::{acting, role};
use crate::common::scene::Scene;
use crate::common::stage::{Stage, Step};

#[tokio::test]
async fn status_reports_the_phase_at_every_step() {
    let scene = Scene::new(Behaviour::default()).await;
    let phase = async || scene.shell.run("status -o json").await.expect(0).json()["items"][0].clone();
    let now = phase().await;
    assert_eq!([&now["phase"], &now["rehearsal"]["state"]], ["Configuration", "none"]);
    assert!(now["next"].as_str().unwrap().starts_with("kubectl ess-mas prepare chat-of-ours -n "));
    assert_eq!(now["spec"], json!({"active": null, "host": null}));
    scene.prepare().await;
    let now = phase().await;
    assert_eq!(now["phase"], "Configuration");
    assert!(now["next"].as_str().unwrap().contains(" dry-run "));
    assert_eq!(
        now["identityProviders"][0]["masRedirectUri"],
        "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0"
    );
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("no room")));
    let _ = scene.shell.run("dry-run --yes").await.expect(1);
    let now = phase().await;
    assert_eq!([&now["phase"], &now["rehearsal"]["state"]], ["DryRunFailed", "failed"]);
    assert_eq!(now["status"]["failure"]["message"], "no room");
    scene.shell.run("status").await.expect(0).shows("dry run failed").shows("no room");
    scene.operator.set(Behaviour::default());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let now = phase().await;
    assert_eq!([&now["phase"], &now["rehearsal"]["state"]], ["ReadyToMigrate", "passed"]);
    assert_eq!(now["status"]["masActive"], json!(false));
    // A reconcile that was queued while the dry run failed may follow the successful one.
    assert!(["idle", "running"].contains(&now["status"]["run"].as_str().unwrap()), "{now:#}");
    scene.operator.set(Behaviour::default().activation(Outcome::Hang));
    let _ = scene.activate_with(&["--wait=false"]).await.expect(0);
    assert_eq!(phase().await["phase"], "Migrating");
}

#[tokio::test]
async fn the_release_is_read_from_helms_secret_and_is_null_without_permission() {
    let mut scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment.set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
    })
    .await;
    for (name, version) in [("ess", "2.29.0"), ("other", "2.28.1")] {
        let release = json!({"chart": {"metadata": {"name": "ess-stack", "version": version}}});
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(release.to_string().as_bytes()).unwrap();
        let secret = json!({"type": "helm.sh/release.v1",
            "metadata": {"name": format!("sh.helm.release.v1.{name}.v1"),
                "labels": {"owner": "helm", "status": "deployed", "name": name}},
            "stringData": {"release": STANDARD.encode(packer.finish().unwrap())}});
        let secret = serde_json::from_value(secret).unwrap();
        scene.secrets().create(&PostParams::default(), &secret).await.unwrap();
    }
    let line = format!("status {} -o json", scene.deployment.name());
    for line in [&line, "status -o json"] {
        let status = scene.shell.run(line).await.expect(0).json();
        let version = &status["items"][0]["version"];
        assert_eq!(*version, json!({"ess": "25.10.1", "chart": "2.29.0", "source": "helm"}));
    }
    scene.shell.run("status").await.expect(0).shows("(ESS 25.10.1, chart 2.29.0)");
    let mut rules = role();
    rules.truncate(1);
    rules[0].verbs.push("get".to_owned());
    acting(&mut scene, "reader-of-one", rules).await;
    let status = scene.shell.run(&line).await.expect(0).json();
    assert_eq!(status["items"][0]["version"], json!({"ess": null, "chart": null, "source": null}));
}

const COUNT: usize = 450;

/// Whether this is not the first page.
fn is_later(request: &Request) -> bool {
    request.address.contains("/elementdeployments") && request.address.contains("continue=")
}

/// One server, used by one test after another, because creating so many objects takes a while.
#[tokio::test]
async fn many_deployments_are_read_in_pages_and_an_incomplete_list_is_invalid_json() {
    let server = Sandbox::start(Release::Current).unwrap();
    let namespace = server.namespace().await.unwrap();
    let proxy = Proxy::start(&namespace).await.unwrap();
    let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    let all = async |flags: &str| shell.run(&format!("status -A {flags}")).await;
    no_deployment_is_an_empty_list(&all("-o json").await, &all("-o yaml").await, &all("").await);

    many::create(&namespace, 0..COUNT).await.unwrap();
    proxy.pass();
    let list = all("-o json").await.expect(0).json();
    let names: Vec<&str> = list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, (0..COUNT).map(many::name).collect::<Vec<_>>());
    let asked: Vec<String> = proxy.log().iter().map(Request::name).collect();
    assert_eq!(asked.len(), 4, "three pages, and the records once: {asked:?}");
    assert_eq!(all("-o yaml").await.expect(0).yaml(), list);
    assert_eq!(all("").await.expect(0).stdout.lines().count(), COUNT + 1);

    // The server refuses to continue the list, or has expired it and offers no continuation.
    for code in [403, 410] {
        proxy.plan(move |request| if is_later(request) { Fault::answer(code) } else { Fault::None });
        let broken = all("-o json").await.expect(1);
        assert!(broken.stdout.contains(&many::name(0)), "{broken}");
        assert!(serde_json::from_str::<Value>(&broken.stdout).is_err(), "{broken}");
        broken.says("the list above is incomplete");
        // Half of a YAML document could be mistaken for a complete one, and half of a table too.
        for flags in ["-o yaml", ""] {
            assert_eq!(all(flags).await.expect(1).stdout, "");
        }
    }
    proxy.plan(
        |request| {
            if request.address.contains("/elementdeployments") { Fault::answer(403) } else { Fault::None }
        },
    );
    let nothing = all("-o json").await.expect(1);
    assert!(nothing.stdout.is_empty() && !nothing.stderr.contains("above"), "{nothing}");

    // Without the records, the dry runs are unknown, and no result is claimed.
    proxy.plan(|request| if request.address.contains("/configmaps") { Fault::answer(403) } else { Fault::None });
    let unread = all("-o json").await.expect(0);
    assert_eq!(unread.json(), list);
    unread.says("can't read the records, so the results of dry runs are not shown");
}

fn no_deployment_is_an_empty_list(in_json: &Done, in_yaml: &Done, in_words: &Done) {
    let empty = json!({"apiVersion": "ess-mas/v1", "kind": "StatusList", "items": []});
    assert_eq!((in_json.json(), in_yaml.yaml()), (empty.clone(), empty));
    in_words.says("There is no ElementDeployment");
}

#[tokio::test]
async fn a_viewer_sees_the_status_and_what_could_not_be_read() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let mut rules = role();
    rules.truncate(1);
    rules[0].verbs.push("get".to_owned());
    acting(&mut scene, "viewer", rules).await;
    scene.shell.run("status").await.expect(0).shows("chat-of-ours");
    let check = scene.shell.run("check").await;
    assert!([10, 11].contains(&check.code), "{check}");
    check.shows("unknown");
    scene.shell.run("status -A").await.expect(1).says("not allowed").says(" list ");
}

#[tokio::test]
async fn watch_prints_a_line_per_change_until_an_interrupt() {
    let stage = Stage::new(Step::Activate).await;
    let mut child = stage.shell.command(["status", "--watch"]).spawn().unwrap();
    let pid = child.id().unwrap().to_string();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    let mut next = async || {
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line);
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("a line comes").unwrap();
        line
    };
    lines.push(next().await);
    assert!(lines[0].contains("ready to migrate; operator idle; active false"), "{lines:?}");
    let _ = stage.run(&[]).await.expect(0);
    while !lines.last().unwrap().contains("mas_active true, Available true, Successful true") {
        lines.push(next().await);
    }
    assert!(lines.iter().any(|line| line.contains("operator running; active true")), "{lines:?}");
    lines.dedup_by(|one, other| one[8..] == other[8..]);
    assert!(lines.len() >= 3, "{lines:?}");
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let done = finish(child, "status --watch".into()).await.expect(130);
    done.says("interrupted; nothing was changed").says("kubectl ess-mas status --watch chat-of-ours");
}
