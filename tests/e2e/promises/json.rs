//! `-o json` and `-o yaml` have the documented form on stdout, with every exit code.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::Value;

use crate::common::scene::Scene;
use crate::common::shape::{assert_shape, check_report, outcome, status_list};

/// Runs a command with both formats if it changes nothing, and checks the form of its output.
async fn outcome_of(scene: &Scene, line: &str, code: i32, write: &str, verdict: &str) -> Value {
    let command = line.split_whitespace().next().unwrap();
    let done = scene.shell.run(&format!("{line} -o json")).await.expect(code);
    let document = done.json();
    assert_shape(&document, &outcome(command));
    assert_eq!([&document["write"], &document["verdict"]], [write, verdict], "{done}");
    document
}

#[tokio::test]
async fn every_outcome_has_the_form_of_the_contract_whatever_the_exit_code() {
    let scene = Scene::new(Behaviour::default()).await;
    let blocked = outcome_of(&scene, "activate --confirm chat-of-ours --backup shelf", 10, "none", "unchanged").await;
    assert!(blocked["message"].as_str().unwrap().contains("blocked"), "{blocked}");
    outcome_of(&scene, "dry-run --yes", 10, "none", "unchanged").await;
    scene.prepare().await;
    outcome_of(&scene, "dry-run", 2, "none", "unchanged").await;
    outcome_of(&scene, "dry-run --preview", 0, "none", "unchanged").await;
    scene.operator.set(Behaviour::default().dry_run(Outcome::fail("no")));
    let failed = outcome_of(&scene, "dry-run --yes", 1, "applied", "failed").await;
    assert_eq!(failed["message"], "no");
    assert!(std::path::Path::new(failed["recordFile"].as_str().unwrap()).exists());
    assert_eq!(failed["status"]["status"]["failure"]["message"], "no");
    scene.operator.set(Behaviour::default());
    outcome_of(&scene, "dry-run --yes", 0, "applied", "succeeded").await;
    let again = outcome_of(&scene, "dry-run --yes", 0, "none", "unchanged").await;
    assert_eq!(again["status"]["phase"], "ReadyToMigrate");
    outcome_of(&scene, "abort --yes", 0, "none", "unchanged").await;
    outcome_of(&scene, "activate --yes", 2, "none", "unchanged").await;
    scene.operator.set(Behaviour::default().activation(Outcome::Succeed).lasting(Duration::from_secs(2)));
    let line = "activate --confirm chat-of-ours --backup shelf";
    outcome_of(&scene, &format!("{line} --timeout 500ms"), 124, "applied", "timed-out").await;
    outcome_of(&scene, &format!("{line} --wait=false"), 0, "none", "not-waited").await;
    let done = outcome_of(&scene, line, 0, "none", "succeeded").await;
    assert_eq!(done["status"]["phase"], "Complete");
    outcome_of(&scene, line, 0, "none", "unchanged").await;
    outcome_of(&scene, "abort --remove --yes", 10, "none", "unchanged").await;
    // YAML has the same contents.
    let yaml = scene.shell.run(&format!("{line} -o yaml")).await.expect(0).yaml();
    assert_shape(&yaml, &outcome("activate"));
}

#[tokio::test]
async fn status_and_check_have_the_form_of_the_contract_in_json_and_yaml() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        // An ID that MAS does not keep unchanged, so that an identity provider has a finding.
        deployment.set("/spec/components/synapse/config/delegatedAuth/oidc/1/idpId", "partner")
    })
    .await;
    let json = scene.shell.run("status -o json").await.expect(0);
    assert_eq!(json.stderr, "", "data alone");
    assert_shape(&json.json(), &status_list());
    assert_eq!(scene.shell.run("status -o yaml").await.expect(0).yaml(), json.json());
    assert_eq!(json.json()["items"][0]["identityProviders"][1]["findings"].as_array().map(Vec::len), Some(1));
    scene.prepare_with(&[], "pw\n").await.expect(11).says("--accept idp-id-not-ulid");
    let check = scene.shell.run("check -o json").await.expect(11);
    assert_shape(&check.json(), &check_report());
    assert_eq!(scene.shell.run("check -o yaml").await.expect(11).yaml(), check.json());
    let findings = check.json()["findings"].clone();
    let severities: Vec<_> = findings.as_array().unwrap().iter().map(|one| one["severity"].clone()).collect();
    assert_eq!(severities[0], "warning", "what weighs most comes first: {severities:?}");
    let done = scene.shell.run("status no-such -o json").await.expect(1);
    assert_eq!(done.stdout, "");
    done.says("no-such");
    let done = scene.shell.run("status -o xml").await.expect(2);
    done.says("xml");
}

#[tokio::test]
async fn a_check_without_a_finding_ends_with_0_and_with_a_warning_with_11() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.shell.run("check").await.expect(0).shows("mas-supported");
    let scene = Scene::new(Behaviour::default().available(Available::Absent)).await;
    scene.shell.run("check").await.expect(11).shows("unknown");
}

#[tokio::test]
async fn a_closed_pipe_is_no_crash() {
    let scene = Scene::new(Behaviour::default()).await;
    for line in ["status", "status -o json", "check", "completion bash"] {
        let mut child = scene.shell.start(line);
        drop(child.stdout.take());
        let done = crate::common::command::finish(child, line.to_owned()).await;
        assert!(!done.stderr.contains("panicked") && done.code != 101, "{done}");
    }
}
