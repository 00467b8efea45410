//! Configuration problems are found before the migration, within a few requests, and without showing secrets.

use std::collections::BTreeMap;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{ObjectMeta, PostParams};
use serde_json::{Value, json};

use crate::common::command::{Done, Shell};
use crate::common::scene::Scene;

const ADDITIONAL: &str = "/spec/components/synapse/config/additional";

/// Codes and severities of a `check -o json`.
fn codes(done: &Done) -> Vec<(String, String)> {
    let report = done.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| (text(&finding["code"]), text(&finding["severity"]))).collect()
}

fn has(done: &Done, code: &str, severity: &str) -> bool {
    codes(done).contains(&(code.to_owned(), severity.to_owned()))
}

async fn put_secret(scene: &Scene, name: &str, data: &[(&str, &str)]) {
    let data: BTreeMap<_, _> =
        data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec()))).collect();
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let secret = Secret { metadata, data: Some(data), ..Secret::default() };
    scene.secrets().create(&PostParams::default(), &secret).await.unwrap();
}

#[tokio::test]
async fn settings_that_synapse_refuses_with_mas_block_the_dry_run() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment.set(ADDITIONAL, "max_upload_size: 100M\n# for the auditors\nsession_lifetime: 24h\n")
    })
    .await;
    let before = scene.decided().await;
    let refused = scene.prepare_with(&[], "pw\n").await.expect(10);
    refused.says("spec.components.synapse.config.additional: session_lifetime, line 3");
    assert_eq!(scene.decided().await, before);
    // After the correction, the step continues.
    scene
        .patch(json!({"spec": {"components": {"synapse": {"config": {"additional": "max_upload_size: 100M\n"}}}}}))
        .await;
    scene
        .until(|object| {
            object["metadata"]["generation"] == 2 && crate::common::scene::condition(object, "Successful") == "True"
        })
        .await;
    scene.dry_run().await;
}

#[tokio::test]
async fn rendered_settings_are_found_and_none_of_them_is_shown() {
    let scene = Scene::new(Behaviour::default()).await;
    let name = scene.deployment.name().to_owned();
    let config = "server_name: example.com\nregistration_shared_secret: canary-rendered-551\nsession_lifetime: 24h\ndatabase:\n  name: psycopg2\n  args: {password: canary-rendered-552}\n";
    put_secret(&scene, &format!("{name}-synapse-main"), &[("instance_template.yaml", config)]).await;
    let in_secret = scene.shell.run("check -o json -vvv").await.expect(11);
    assert!(has(&in_secret, "synapse-session-lifetime", "warning"), "{in_secret}");
    in_secret.shows(&format!("Secret {name}-synapse-main, key instance_template.yaml: session_lifetime, line 3"));
    in_secret.is_silent_about("canary-rendered");
}

#[tokio::test]
async fn a_key_that_another_component_lacks_is_found() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let patch = json!({"data": {"corpClientSecret": null}});
    let name = format!("{}-synapse", scene.deployment.name());
    let merge = kube::api::Patch::Merge(patch);
    scene.secrets().patch(&name, &kube::api::PatchParams::default(), &merge).await.unwrap();
    let before = scene.decided().await;
    let refused = scene.shell.run("dry-run --yes").await.expect(10);
    refused.says("component synapse, property config.delegatedAuth.oidc[0].clientSecretSecretKey: absent from");
    assert_eq!(scene.decided().await, before);
}

#[tokio::test]
async fn quiet_prints_only_findings_that_are_not_ok() {
    let mut scene = Scene::new(Behaviour::default()).await;
    scene.shell.run("check").await.expect(0).shows("condition Available is True");
    let done = scene.shell.run("check -q").await.expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""), "all findings are ok");
    let user = scene.namespace.user("blind", role(&["create"])).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&user.kubeconfig);
    scene.shell.run("check").await.expect(11).shows("component-secret").shows("condition Available is True");
    let done = scene.shell.run("check -q").await.expect(11);
    done.shows("component-secret").is_silent_about("condition Available is True").is_silent_about("✔");
}

/// `check` limits its number of requests; before a dry run, all Secrets are read.
#[tokio::test]
async fn a_key_missing_in_the_last_of_many_secrets_is_found_before_a_dry_run() {
    let mut scene = Scene::changed(Behaviour::default(), |deployment| {
        let tls = json!({"mode": "certmanager", "certmanager": {"issuer": "letsencrypt"}});
        deployment
            .set("/spec/global/k8s/ingresses/tls", tls)
            .set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
            .set("/metadata/labels/argocd.argoproj.io~1instance", "chat")
    })
    .await;
    let _ = scene.prepare_with(&["--accept", "cluster-issuer"], "pw\n").await.expect(0);
    let last = format!("{}-integrator", scene.deployment.name());
    let merge = kube::api::Patch::Merge(json!({"data": null}));
    scene.secrets().patch(&last, &kube::api::PatchParams::default(), &merge).await.unwrap();
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    proxy.pass();
    let look = scene.shell.run("check -o json").await;
    assert!(has(&look, "component-secret", "unknown"), "{look}");
    look.shows("`dry-run` reads all of them");
    assert!(proxy.log().len() <= 12, "{:#?}", proxy.log());
    let refused = scene.shell.run("dry-run --yes").await.expect(10);
    refused.says(&format!("component integrator, property config.postgresql.passwordSecretKey: absent from {last}/"));
}

/// The documented Role for the scene's deployment, with only these permissions for Secrets.
fn role(secrets: &[&str]) -> Vec<PolicyRule> {
    let mut rules = crate::common::roles::role();
    for rule in rules.iter_mut().filter(|rule| rule.resources.iter().flatten().any(|one| one == "secrets")) {
        rule.verbs.retain(|verb| secrets.contains(&verb.as_str()));
    }
    rules.retain(|rule| !rule.verbs.is_empty());
    rules
}

#[tokio::test]
async fn unreadable_secrets_are_unknown_and_the_permission_is_named() {
    let mut scene = Scene::new(Behaviour::default()).await;
    let user = scene.namespace.user("blind", role(&["create"])).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&user.kubeconfig);
    let done = scene.shell.run("check -o json").await.expect(11);
    assert!(has(&done, "component-secret", "unknown"), "{done}");
    done.shows(" get ");
    // With the unchanged Role, everything is known.
    let user = scene.namespace.user("seeing", role(&["get", "create", "patch"])).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&user.kubeconfig);
    let done = scene.shell.run("check -o json").await.expect(0);
    assert!(has(&done, "component-secret", "ok"), "{done}");
}
