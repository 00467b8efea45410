//! The minimum Role of docs/reference.md suffices, and if any permission is missing, no step stops halfway.

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::json;

use crate::common::command::Shell;
use crate::common::roles::{acting, role, role_without};
use crate::common::scene::{Scene, active};

#[tokio::test]
async fn the_documented_role_suffices_from_status_to_activate() {
    let mut scene = Scene::new(Behaviour::default()).await;
    acting(&mut scene, "operations", role()).await;
    let _ = scene.shell.run("status").await.expect(0);
    let _ = scene.shell.run("check").await.expect(0);
    scene.prepare().await;
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("not yet")));
    let _ = scene.shell.run("dry-run --yes").await.expect(1);
    let _ = scene.shell.run("abort --remove --yes").await.expect(0);
    scene.operator.set(Behaviour::default());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let done = scene.activate().await.expect(0);
    assert!(!done.stderr.contains("not allowed"), "{done}");
    let record = scene.record_text().await.unwrap();
    assert!(record.contains(&format!("operations@{}", scene.namespace.name())), "{record}");
}

#[tokio::test]
async fn the_printed_role_is_the_documented_one() {
    let scene = Scene::new(Behaviour::default()).await;
    let documented = include_str!("../common/role.yaml")
        .replace("first-element", "chat-of-ours")
        .replace("element-onprem", scene.namespace.name());
    let done = scene.shell.run("check --rbac").await.expect(0);
    assert_eq!(done.stdout, documented);
    done.says("create rolebinding kubectl-ess-mas").says("--role=kubectl-ess-mas");
    assert_eq!(scene.shell.run("check --rbac -o json").await.expect(0).json(), done.yaml());
    // A user without permissions needs the Role: the name alone suffices, with default object names.
    let nobody = scene.namespace.user("nobody", Vec::new()).await.unwrap();
    let shell = Shell::with_kubeconfig(&nobody.kubeconfig);
    let done = shell.run("check --rbac chat-of-ours").await.expect(0);
    done.says("not allowed").says(&format!("--user=nobody@{}", scene.namespace.name())).shows("chat-of-ours-mas");
    shell.run("check --rbac").await.expect(1).says(" list ");
}

/// A command line that must exit with 1 or 10 without this permission, name it, and write nothing.
async fn is_stopped(scene: &mut Scene, words: &[&str], input: Option<&str>, (verb, resource): (&str, &str)) {
    let admin = std::mem::replace(&mut scene.shell, Shell::new(&scene.namespace));
    acting(scene, &format!("without-{verb}-{resource}-{}", words[0]), role_without(resource, verb)).await;
    let before = scene.decided().await;
    let done = scene.shell.run_words(words, input).await;
    let context = format!("without {verb} {resource}: {done}");
    assert!([1, 10].contains(&done.code), "{context}");
    // As in the API server's refusal or in the finding's list.
    let kind = match resource {
        "elementdeployments" => "ElementDeployment",
        "secrets" => "Secret",
        _ => "ConfigMap",
    };
    let named = [format!(" {verb} {resource}"), format!(" {verb} the {kind}"), format!(" {verb} {kind}s")];
    assert!(named.iter().any(|words| done.stderr.contains(words)), "{context}");
    assert!(done.stderr.contains("auth can-i"), "{context}");
    let plain = ["nothing was changed", "was not changed", "Ask an administrator"];
    assert!(plain.iter().any(|words| done.stderr.contains(words)), "{context}");
    assert_eq!(scene.decided().await, before, "{context}");
    scene.shell = admin;
}

const EVERY: [(&str, &str); 3] =
    [("get", "elementdeployments"), ("patch", "elementdeployments"), ("watch", "elementdeployments")];
const PROOF: [(&str, &str); 3] = [("get", "secrets"), ("get", "configmaps"), ("update", "configmaps")];

#[tokio::test]
async fn prepare_without_a_permission_names_it_and_writes_nothing() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let mut words = scene.prepare_words();
    words.insert(1, "chat-of-ours".to_owned());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let own = [
        ("get", "elementdeployments"),
        ("get", "secrets"),
        ("create", "secrets"),
        ("get", "configmaps"),
        ("create", "configmaps"),
    ];
    for right in own {
        is_stopped(&mut scene, &words, Some("pw\n"), right).await;
    }
    // An incomplete Secret is completed by a patch.
    scene.secrets().create(&PostParams::default(), &begun(&scene)).await.unwrap();
    is_stopped(&mut scene, &words, Some("pw\n"), ("patch", "secrets")).await;
    // Without a name, the deployments must be listed.
    let unnamed: Vec<&str> = words.iter().copied().filter(|word| *word != "chat-of-ours").collect();
    is_stopped(&mut scene, &unnamed, Some("pw\n"), ("list", "elementdeployments")).await;
}

fn begun(scene: &Scene) -> Secret {
    serde_json::from_value(
        json!({"metadata": {"name": scene.deployment.mas_secret_name()}, "stringData": {"other": "x"}}),
    )
    .unwrap()
}

#[tokio::test]
async fn a_dry_run_without_a_permission_names_it_and_writes_nothing() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    for right in EVERY.into_iter().chain(PROOF) {
        // An unreadable object can't be accepted either.
        let accept = "record,mas-secret,mas-supported,permissions,permission-to-follow";
        is_stopped(&mut scene, &["dry-run", "chat-of-ours", "--yes", "--accept", accept], None, right).await;
    }
    let words = ["dry-run", "chat-of-ours", "--yes", "--wait=false"];
    acting(&mut scene, "may-not-watch", role_without("elementdeployments", "watch")).await;
    let _ = scene.shell.run_words(&words, None).await.expect(0);
}

#[tokio::test]
async fn an_activation_without_a_permission_names_it_and_writes_nothing() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let words = ["activate", "chat-of-ours", "--confirm", "chat-of-ours", "--backup", "on the shelf"];
    for right in EVERY.into_iter().chain(PROOF) {
        is_stopped(&mut scene, &words, None, right).await;
    }
}

#[tokio::test]
async fn abort_needs_permissions_on_the_deployment_only() {
    let behaviour = Behaviour::default().activation(Outcome::fail("no lock"));
    let mut scene = Scene::new(behaviour).await;
    scene.dry_run().await;
    let _ = scene.activate().await.expect(1);
    for right in EVERY {
        is_stopped(&mut scene, &["abort", "chat-of-ours", "--yes"], None, right).await;
    }
    scene.operator.set(Behaviour::default());
    let mut rules = role();
    rules.retain(|rule| rule.resources.as_ref().unwrap()[0] == "elementdeployments");
    acting(&mut scene, "deployment-only", rules).await;
    scene.shell.run("abort --yes").await.expect(0).says("can't update the record");
    assert_eq!(*active(&scene.object().await), json!(false));
}

#[tokio::test]
async fn check_names_each_missing_permission() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    for (verb, resource) in [
        ("patch", "elementdeployments"),
        ("watch", "elementdeployments"),
        ("get", "secrets"),
        ("get", "configmaps"),
        ("update", "configmaps"),
    ] {
        acting(&mut scene, &format!("without-{verb}-{resource}"), role_without(resource, verb)).await;
        let done = scene.shell.run("check chat-of-ours -o json").await;
        assert!([10, 11].contains(&done.code), "without {verb} {resource}: {done}");
        let findings = done.json()["findings"].clone();
        let told = findings.as_array().unwrap().iter().find(|finding| {
            finding["code"].as_str().unwrap().starts_with("permission") && finding["severity"] == "warning"
        });
        let told = told.unwrap_or_else(|| panic!("without {verb} {resource}: {done}"));
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&format!(" {verb} {resource}")), "{done}");
        assert!(told["remedy"].as_str().unwrap().contains("kubectl ess-mas check chat-of-ours -n"), "{done}");
    }
}

/// Some API servers report no permissions, or an incomplete list.
#[tokio::test]
async fn commands_work_on_a_server_without_access_reviews() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    let refuse = |what: &'static str| {
        move |request: &Request| if request.address.contains(what) { Fault::answer(403) } else { Fault::None }
    };
    // The permissions are reviewed one by one.
    proxy.plan(refuse("selfsubjectrulesreviews"));
    let done = shell.run("check -o json").await;
    assert!(done.stdout.contains("permissions"), "{done}");
    assert_eq!(done.open_findings(), Vec::<String>::new(), "{done}");
    proxy.plan(refuse("selfsubject"));
    shell.run("check").await.expect(11).shows("couldn't determine").shows("--rbac");
    let _ = shell.run("dry-run --yes").await.expect(0);
}
