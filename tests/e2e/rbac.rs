//! Rights: the Role of the README is enough, and without any one of them nothing is half written.

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role};

use crate::plugin::Shell;
use crate::scene::Scene;

/// The Role that the README shows.
pub fn role() -> Vec<PolicyRule> {
    let role: Role = serde_yaml::from_str(include_str!("role.yaml")).unwrap();
    role.rules.unwrap()
}

/// The same without one verb.
fn role_without(resource: &str, verb: &str) -> Vec<PolicyRule> {
    let mut rules = role();
    let rule = rules.iter_mut().find(|rule| rule.resources.as_ref().unwrap().contains(&resource.to_owned())).unwrap();
    let before = rule.verbs.len();
    rule.verbs.retain(|one| one != verb);
    assert_eq!(rule.verbs.len(), before - 1, "the Role has {verb} {resource}");
    rules
}

/// The scene's commands, typed by somebody with these rules.
pub async fn acting(scene: &mut Scene, name: &str, rules: Vec<PolicyRule>) {
    let user = scene.namespace.user(name, rules).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&user.kubeconfig);
}

#[tokio::test]
async fn the_role_is_enough_for_the_whole_way() {
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
async fn without_a_right_for_reading_or_preparing_nothing_is_written_and_the_right_is_named() {
    for (resource, verb, named) in [
        ("elementdeployments", "get", true),
        ("elementdeployments", "list", false),
        ("secrets", "get", false),
        ("secrets", "create", false),
        ("configmaps", "create", false),
    ] {
        let mut scene = Scene::new(Behaviour::default()).await;
        acting(&mut scene, "operations", role_without(resource, verb)).await;
        let before = scene.versions().await;
        let more: &[&str] = if named { &["chat-of-ours"] } else { &[] };
        let done = scene.prepare_with(more, "pw\n").await;
        assert!([1, 10].contains(&done.code), "without {verb} {resource}: {done}");
        assert!(done.stderr.contains(&format!(" {verb} ")), "{verb} is not named: {done}");
        let kind = resource.trim_end_matches('s');
        assert!(done.stderr.to_lowercase().contains(kind), "{resource} is not named: {done}");
        assert_eq!(scene.versions().await, before, "without {verb} {resource}: {done}");
        if resource != "configmaps" && verb != "get" {
            done.says("auth can-i");
        }
    }
}

#[tokio::test]
async fn without_a_right_for_the_dry_run_nothing_is_written_and_the_right_is_named() {
    for (resource, verb) in [
        ("elementdeployments", "patch"),
        ("elementdeployments", "watch"),
        ("secrets", "get"),
        ("configmaps", "get"),
        ("configmaps", "update"),
    ] {
        let mut scene = Scene::new(Behaviour::default()).await;
        scene.prepare().await;
        acting(&mut scene, "operations", role_without(resource, verb)).await;
        let before = scene.versions().await;
        let done = scene.shell.run("dry-run --yes --timeout 5s").await;
        assert!([1, 10, 11].contains(&done.code), "without {verb} {resource}: {done}");
        assert!(done.stderr.contains(&format!(" {verb} ")), "{verb} is not named: {done}");
        assert_eq!(scene.versions().await, before, "without {verb} {resource}: {done}");
        // For the last step nothing may be accepted that could not be read.
        let codes = "record,mas-secret,rehearsal,mas-supported";
        let done = scene.activate_with(&["--accept", codes, "--timeout", "5s"]).await;
        assert!([1, 10].contains(&done.code), "without {verb} {resource}: {done}");
        assert_eq!(scene.versions().await, before, "without {verb} {resource}: {done}");
    }
}

#[tokio::test]
async fn a_viewer_sees_the_status_and_what_could_not_be_read() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
    let mut rules = role();
    rules.truncate(1);
    rules[0].verbs = vec!["get".to_owned(), "list".to_owned()];
    acting(&mut scene, "viewer", rules).await;
    scene.shell.run("status").await.expect(0).shows("chat-of-ours");
    let check = scene.shell.run("check").await;
    assert!([10, 11].contains(&check.code), "{check}");
    check.shows("unknown");
    scene.shell.run("status -A").await.expect(1).says("not allowed").says(" list ");
}
