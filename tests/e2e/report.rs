//! `report`: one file for support without secrets, with many and with few permissions.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::{Value, json};

use crate::common::command::{Done, Shell};
use crate::common::kubelet::Kubelet;
use crate::common::neighbours::Neighbours;
use crate::common::scene::{PASSWORD, Scene};

/// In no Secret, so only its pattern or its key identifies it.
const UNKNOWN: &str = "canary-of-nobody-4417";
const TOKEN: &str = "syt_Y2FuYXJ5_canaryCANARYcanary0_4fGhJk";

const HASH: &str = "$2b$12$canaryCANARYcanary0123uYwq0Zl7dWc5r8m2xT1yH9o0Nn3QvA1e";
const KEY_LINE: &str = "MIIEcanaryCANARYBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us";

/// The files of a report, by their paths below its folder.
fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let (_, name) = name.split_once('/').expect("everything is below one folder");
        let name = name.to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

/// The encodings of a secret in logs.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
        secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        STANDARD.encode(STANDARD.encode(secret)),
    ];
    // The part of the base64 of a longer text that doesn't depend on the secret's neighbours.
    for before in ["", "x", "xx"] {
        for encoded in
            [STANDARD_NO_PAD.encode(format!("{before}{secret}")), URL_SAFE_NO_PAD.encode(format!("{before}{secret}"))]
        {
            let start = if before.is_empty() { 0 } else { 4 };
            forms.push(encoded[start..encoded.len() - 2].to_owned());
        }
    }
    forms
}

#[track_caller]
fn assert_clean(files: &BTreeMap<String, String>, secrets: &[&str]) {
    for (name, text) in files {
        for secret in secrets {
            for form in forms(secret) {
                assert!(!text.contains(&form) && !name.contains(&form), "{secret} is in {name} as {form}\n{text}");
            }
        }
    }
}

fn path_of(done: &Done) -> std::path::PathBuf {
    done.stdout.trim().into()
}

/// Fills the objects and logs around a failed deployment with secrets.
async fn add_secrets_everywhere(scene: &Scene) -> Kubelet {
    let neighbours = Neighbours::of(scene).await;
    neighbours.install_child_kind().await;
    let namespace = scene.namespace.name().to_owned();
    let kubelet = Kubelet::start(&scene.namespace.client().unwrap(), &format!("node-of-{namespace}")).await;
    let node = Some(kubelet.node.as_str());
    let quoted = serde_json::to_string(&format!("{{\"password\": \"{PASSWORD}\"}}")).unwrap();
    neighbours
        .child(
            "chat-of-ours",
            json!({"config": {"password": UNKNOWN}, "additional": format!("form_secret: {UNKNOWN}")}),
            json!({"conditions": [{"type": "Failure", "status": "True", "message": format!("failed with {quoted} and {TOKEN}")}]}),
        )
        .await;
    let env = json!([{"name": "PGPASSWORD", "value": UNKNOWN}, {"name": "LEVEL", "value": PASSWORD}]);
    let labels =
        json!({"app.kubernetes.io/instance": "chat-of-ours-synapse-main", "app.kubernetes.io/name": "synapse-main"});
    let container =
        json!({"name": "synapse", "image": "example.com/synapse:1.139.0", "env": env, "args": ["--password", UNKNOWN]});
    let running = json!({"phase": "Running", "containerStatuses": [{
        "name": "synapse", "image": "example.com/synapse:1.139.0", "imageID": "", "ready": true, "restartCount": 1,
        "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 1, "message": STANDARD.encode(format!("mas:{PASSWORD}"))}}}]});
    neighbours.pod("chat-of-ours-synapse-main-0", labels, node, container, running).await;
    let container = json!({"name": "syn2mas", "image": "example.com/mas:1.4.0", "env": env});
    let ended = json!({"phase": "Failed", "containerStatuses": [{
        "name": "syn2mas", "image": "example.com/mas:1.4.0", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 1}}}]});
    neighbours
        .pod("chat-of-ours-syn2mas-x7k2p", json!({"job-name": "chat-of-ours-syn2mas"}), node, container, ended)
        .await;
    neighbours.job("chat-of-ours-syn2mas", json!({"startTime": "2026-11-23T10:00:00Z", "failed": 1})).await;
    neighbours
        .warning("chat-of-ours-syn2mas-x7k2p", &format!("Error: https://u:{PASSWORD}@h/?access_token={UNKNOWN}"))
        .await;
    neighbours.deployment("element-updater-controller-manager", "example.com/ess-core-updater:2.29.0", env).await;
    let manager = json!({"name": "manager", "image": "example.com/ess-core-updater:2.29.0"});
    let running = json!({"phase": "Running", "containerStatuses": [{
        "name": "manager", "image": "example.com/ess-core-updater:2.29.0", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}}]});
    let labels = json!({"app": "element-updater-controller-manager"});
    neighbours.pod("element-updater-controller-manager-5d9c7b8f6-x2v9q", labels, node, manager, running).await;

    let requests = "2026-11-23 10:00:00,000 - synapse.access.http.8008 - INFO - GET-1 - {@alice:example.com} Processed request: 0.1s\n";
    let synapse = format!(
        "{requests}ERROR - login of @alice:example.com with {PASSWORD} failed\nAuthorization: Bearer {TOKEN}\nmail to alice.a@example.org failed\n@bob:example.com and again @alice:example.com\n"
    );
    kubelet.says(&format!("{namespace}/chat-of-ours-synapse-main-0/synapse"), &synapse);
    kubelet.says(
        &format!("{namespace}/chat-of-ours-synapse-main-0/synapse?previous"),
        "session_lifetime cannot be set when OAuth delegation is enabled\n",
    );
    kubelet.says(
        &format!("{namespace}/chat-of-ours-syn2mas-x7k2p/syn2mas"),
        "Error: user @ghost:example.com was not found for migration but a row in access_tokens was found for them\n",
    );
    let ansible = json!({"msg": format!("password: {PASSWORD}"), "stdout": format!("-----BEGIN PRIVATE KEY-----\n{KEY_LINE}\n-----END PRIVATE KEY-----")});
    let updater = format!(
        "TASK [synapse : Fetch] ***\nfatal: [localhost]: FAILED! => {ansible}\nhash {HASH} hex {}\n",
        PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    );
    kubelet.says(&format!("{namespace}/element-updater-controller-manager-5d9c7b8f6-x2v9q/manager"), &updater);
    kubelet
}

#[tokio::test]
async fn a_report_has_all_parts_and_no_secret_in_any_encoding() {
    let failure = format!("could not reach postgres://mas:{PASSWORD}@pg/mas: {TOKEN}");
    let scene = Scene::changed(Behaviour::default().dry_run(Outcome::fail(&failure)), |deployment| {
        deployment
            .set("/spec/components/synapse/config/additional", format!("max_upload_size: 100M\nturn_shared_secret: {UNKNOWN}\nkey: |\n  -----BEGIN PRIVATE KEY-----\n  {KEY_LINE}\n  -----END PRIVATE KEY-----\n"))
            .set("/metadata/annotations/example.com~1note", format!("token={UNKNOWN}"))
    })
    .await;
    scene.prepare().await;
    let _kubelet = add_secrets_everywhere(&scene).await;
    let _ = scene.shell.run("dry-run --yes").await.expect(1);

    let done = scene.shell.run("report").await.expect(0);
    done.says("Secrets are redacted").says(" files, ").says("review the report before you share it");
    let path = path_of(&done);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with(&format!("ess-mas-report-{}-chat-of-ours-20", scene.namespace.name())), "{name}");
    assert_eq!(path.parent(), Some(scene.shell.home().canonicalize().unwrap().as_path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let files = unpacked(&path);
    let known = scene.deployment.secret_values();
    let mas = scene.mas_secret().await;
    let mas: Vec<String> = mas.values().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    let mut secrets: Vec<&str> = vec![PASSWORD, UNKNOWN, TOKEN, HASH, KEY_LINE];
    secrets.extend(known.iter().map(String::as_str));
    secrets
        .extend(mas.iter().flat_map(|value| value.lines()).filter(|line| line.len() > 8 && !line.starts_with("-----")));
    assert_clean(&files, &secrets);
    done.is_silent_about(PASSWORD).is_silent_about(UNKNOWN);

    let file = |name: &str| files.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", files.keys()));
    let namespace = scene.namespace.name();
    let status: Value = serde_json::from_str(file("status.json")).unwrap();
    assert_eq!(status["items"][0]["phase"], "DryRunFailed");
    let findings: Value = serde_json::from_str(file("findings.json")).unwrap();
    assert_eq!(findings["kind"], "CheckReport");
    let versions: Value = serde_json::from_str(file("versions.json")).unwrap();
    assert!(versions["apiServer"].as_str().unwrap().starts_with("v1."), "{versions}");
    // Other tests have their own operators on this server.
    let operators = versions["operators"].as_array().unwrap();
    assert!(operators.iter().any(|one| one["images"][0] == "example.com/ess-core-updater:2.29.0"), "{versions}");
    for (name, text) in [
        ("elementdeployment.yaml", "passwordSecretKey"),
        ("elementdeployment.yaml", "max_upload_size: 100M"),
        ("record.json", "rehearsal"),
        ("children.yaml", "QuirkyComponent"),
        ("pods.yaml", "example.com/synapse:1.139.0"),
        ("jobs.yaml", "chat-of-ours-syn2mas"),
        ("events.yaml", "chat-of-ours-syn2mas-x7k2p"),
        ("operators.yaml", "element-updater-controller-manager"),
        ("secrets.yaml", "encryptionSecret: 64 bytes"),
        ("INDEX.txt", "elementdeployment.yaml"),
        ("INDEX.txt", "What the report omits"),
    ] {
        assert!(file(name).contains(text), "{text} is not in {name}\n{}", file(name));
    }
    assert_eq!(files.keys().filter(|name| name.starts_with("failures/")).count(), 1);
    let log = |pod: &str| file(&format!("logs/{namespace}/{pod}.log"));
    assert!(log("chat-of-ours-syn2mas-x7k2p/syn2mas").contains("@ghost:example.com"), "a failure may be about a user");
    assert!(log("element-updater-controller-manager-5d9c7b8f6-x2v9q/manager").contains("TASK [synapse : Fetch]"));
    assert!(log("chat-of-ours-synapse-main-0/synapse.before").contains("session_lifetime cannot be set"));
    let synapse = log("chat-of-ours-synapse-main-0/synapse");
    assert!(
        !synapse.contains("alice") && !synapse.contains("bob") && !synapse.contains("Processed request"),
        "{synapse}"
    );
    assert!(synapse.contains("@user-2:example.com and again @user-1:example.com"), "{synapse}");
}

#[tokio::test]
async fn with_few_permissions_missing_parts_are_listed() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    Neighbours::of(&scene).await.install_child_kind().await;
    crate::common::roles::acting(&mut scene, "operations", crate::common::roles::role()).await;
    let done = scene.shell.run("report --file out.tar.gz -o json").await.expect(0);
    let document = done.json();
    assert_eq!(
        [&document["apiVersion"], &document["kind"], &document["name"]],
        ["ess-mas/v1", "Report", "chat-of-ours"]
    );
    let path = scene.shell.home().join("out.tar.gz");
    assert_eq!(document["file"], json!(path.canonicalize().unwrap().display().to_string()));
    let missing: BTreeMap<String, String> = document["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["part"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned()))
        .collect();
    let namespace = scene.namespace.name();
    for kind in [
        "pods",
        "jobs.batch",
        "events",
        "secrets",
        "deployments.apps",
        "statefulsets.apps",
        "replicasets.apps",
        "quirkycomponents.matrix.element.io",
    ] {
        let part = format!("list {kind} in namespace {namespace}");
        assert_eq!(missing.get(&part).map(String::as_str), Some("not allowed"), "{part} is not in {missing:#?}");
    }
    assert!(missing.contains_key("list deployments.apps in all namespaces"), "{missing:#?}");
    let files = unpacked(&path);
    for name in [
        "INDEX.txt",
        "status.json",
        "findings.json",
        "elementdeployment.yaml",
        "record.json",
        "secrets.yaml",
        "versions.json",
    ] {
        assert!(files.contains_key(name), "no {name} in {:?}", files.keys());
    }
    assert!(
        files["INDEX.txt"].contains(&format!("list pods in namespace {namespace}: not allowed")),
        "{}",
        files["INDEX.txt"]
    );
    assert_clean(&files, &[PASSWORD]);
}

/// The permissions that docs/reference.md calls optional.
fn optional_rules() -> Vec<PolicyRule> {
    let page = include_str!("../../docs/reference.md");
    let (_, block) = page.split_once("<!-- optional permissions -->\n```yaml\n").unwrap();
    serde_yaml::from_str(block.split("```").next().unwrap()).unwrap()
}

#[tokio::test]
async fn with_the_optional_permissions_no_part_of_the_namespace_is_missing() {
    let mut scene = Scene::new(Behaviour::default().dry_run(Outcome::FailCensored)).await;
    scene.prepare().await;
    let _kubelet = add_secrets_everywhere(&scene).await;
    let rules = [crate::common::roles::role(), optional_rules()].concat();
    crate::common::roles::acting(&mut scene, "operations", rules).await;
    let done = scene.shell.run("dry-run --yes").await.expect(1);
    done.says("Last lines of pod chat-of-ours-syn2mas-x7k2p").is_silent_about("Not read");
    let document = scene.shell.run("report -o json").await.expect(0).json();
    let missing: Vec<String> =
        document["missing"].as_array().unwrap().iter().map(|one| one["part"].to_string()).collect();
    let elsewhere = |part: &String| {
        part.contains("in all namespaces")
            || ["element-updater", "element-operator", "ess-system"]
                .iter()
                .any(|name| part.ends_with(&format!("in namespace {name}\"")))
    };
    assert!(missing.iter().all(elsewhere), "{missing:#?}");
    let files = unpacked(Path::new(document["file"].as_str().unwrap()));
    assert!(
        files.keys().any(|name| name.ends_with("manager.log")),
        "the updater runs in the same namespace: {:?}",
        files.keys()
    );
}

/// Without its node, a log can't be read.
#[tokio::test]
async fn an_unavailable_log_is_listed_with_the_servers_reason() {
    let scene = Scene::new(Behaviour::default()).await;
    let neighbours = Neighbours::of(&scene).await;
    let ended = json!({"containerStatuses": [{"name": "mas", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 1}}}]});
    neighbours
        .pod("chat-of-ours-mas-0", json!({}), Some("node-that-is-gone"), json!({"name": "mas", "image": "i"}), ended)
        .await;
    let done = scene.shell.run("report").await.expect(0);
    done.says("get pods/log of chat-of-ours-mas-0, container mas, in namespace").says(": not found");
    assert!(unpacked(&path_of(&done))["pods.yaml"].contains("exitCode: 1"));
}

#[tokio::test]
async fn no_file_is_overwritten_and_no_incomplete_report_is_left() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.shell.file("there.tar.gz", "mine");
    scene.shell.run("report --file there.tar.gz").await.expect(1).says("already exists; nothing was overwritten");
    assert_eq!(std::fs::read_to_string(scene.shell.home().join("there.tar.gz")).unwrap(), "mine");
    scene.shell.run("report --file no/such/folder/r.tar.gz").await.expect(1).says("its folder doesn't exist");
    std::fs::create_dir(scene.shell.home().join("folder")).unwrap();
    let done = scene.shell.run("report --file folder").await.expect(0);
    assert_eq!(path_of(&done).parent().unwrap().file_name().unwrap(), "folder");
    scene.shell.run("report no-such --file x.tar.gz").await.expect(1).says("no-such");
    assert!(!scene.shell.home().join("x.tar.gz").exists());
    // With -q, the path is still printed.
    let done = scene.shell.run("report -q").await.expect(0);
    assert!(path_of(&done).exists() && done.stderr.is_empty(), "{done}");
    let yaml = scene.shell.run("report -o yaml --file other.tar.gz").await.expect(0).yaml();
    assert_eq!(yaml["kind"], "Report");
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_report_leaves_no_file() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    let gate = Gate::default();
    let held = gate.clone();
    proxy.plan(
        move |request| {
            if request.address.contains("/pods") { Fault::HoldBefore(held.clone()) } else { Fault::None }
        },
    );
    let child = scene.shell.start("report --file r.tar.gz");
    gate.reached().await;
    let files = || std::fs::read_dir(scene.shell.home()).unwrap().count();
    let during = files();
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let done = crate::common::command::finish(child, "report".to_owned()).await.expect(130);
    done.says("interrupted; nothing was changed");
    assert!(!scene.shell.home().join("r.tar.gz").exists() && files() == during - 1, "{done}");
}
