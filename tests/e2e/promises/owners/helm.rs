//! Helm 3 and Helm 4 as manifest owners: their effect on a change in the cluster, and the change through their values.

use std::path::PathBuf;
use std::process::Stdio;

use ess_mas_sandbox::clients::chart;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::common::command::{Done, Shell, finish};
use crate::common::scene::{Scene, active, condition};

/// A deployment that a Helm release owns.
pub struct Owned {
    pub scene: Scene,
    helm: Client,
    values: Value,
}

impl Owned {
    /// Installs the fixture's deployment with the chart. The Secrets exist, and the values name them.
    pub async fn new(helm: Client) -> Self {
        let namespace = Sandbox::shared().namespace().await.unwrap();
        let deployment = Deployment::new("ess", namespace.name());
        let secrets: Api<Secret> = Api::namespaced(namespace.client().unwrap(), namespace.name());
        for secret in deployment.secrets() {
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        }
        let operator = Operator::start(namespace.client().unwrap(), namespace.scope(), crate::common::stage::quick());
        let scene = Scene { shell: Shell::new(&namespace), namespace, deployment, operator };
        let values = values(scene.deployment.object());
        let owned = Self { scene, helm, values };
        let _ = owned.helm("install", &[]).await.expect(0);
        owned.scene.until(|object| condition(object, "Successful") == "True").await;
        owned
    }

    /// Runs `helm install|upgrade` with the current values.
    async fn helm(&self, command: &str, more: &[&str]) -> Done {
        let values = self.scene.shell.file("values.yaml", self.values.to_string());
        let mut helm = Command::new(self.helm.program().unwrap());
        helm.args([command, "ess"]).arg(chart()).args(["-f", &values]).args(more);
        helm.env_clear()
            .env("HOME", self.scene.shell.home())
            .env("KUBECONFIG", self.scene.namespace.kubeconfig().unwrap());
        helm.current_dir(self.scene.shell.home()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(helm.kill_on_drop(true).spawn().unwrap(), format!("{:?} {command} {}", self.helm, more.join(" "))).await
    }

    async fn upgrade(&self, more: &[&str]) -> Done {
        self.helm("upgrade", more).await
    }

    /// Changes a value that is unrelated to MAS.
    fn change_something_else(&mut self) {
        self.values["components"]["synapse"]["config"]["additional"] = json!("max_upload_size: 200M\n");
    }

    async fn says_something_else(&self) -> bool {
        self.scene.object().await["spec"]["components"]["synapse"]["config"]["additional"] == "max_upload_size: 200M\n"
    }

    async fn is_active(&self) -> Value {
        active(&self.scene.object().await).clone()
    }

    /// Makes the plugin's change in the cluster.
    async fn switch_on_in_place(&self) {
        let patch = json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": true}}}}});
        let params = PatchParams { field_manager: Some("kubectl-ess-mas".into()), ..PatchParams::default() };
        self.scene.api().patch(self.scene.deployment.name(), &params, &Patch::Merge(patch)).await.unwrap();
    }

    async fn activate(&self) {
        let _ = self.scene.activate_with(&["--accept", "manifest-owned-by-helm"]).await.expect(0);
    }

    fn major(&self) -> u8 {
        if self.helm == Client::Helm3 { 3 } else { 4 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scene.shell.home().join(name)
    }
}

/// The values that make the chart render this object.
fn values(object: &Value) -> Value {
    let mut spec: Value = serde_json::from_str(&object["spec"].to_string().replace("{{", "{{`{{`}}")).unwrap();
    let mut secrets = json!({});
    let mut named = |component: &str, part: &mut Value| {
        if let Some(name) = part.as_object_mut().and_then(|part| part.remove("secretName")) {
            secrets[component] = json!({"existingSecret": name});
        }
    };
    named("global", &mut spec["global"]);
    for (component, part) in spec["components"].as_object_mut().unwrap() {
        named(component, part);
    }
    json!({"secrets": secrets, "globalOptions": spec["global"], "components": spec["components"]})
}

/// The first row of the table: the values never name MAS.
#[tokio::test]
async fn neither_helm_removes_a_component_that_its_values_never_named() {
    for helm in Client::HELMS {
        let mut owned = Owned::new(helm).await;
        owned.scene.prepare().await;
        let dry_run = owned.scene.shell.run("dry-run --yes --accept manifest-owned-by-helm").await.expect(0);
        dry_run.says(&format!("release ess (Helm {})", owned.major()));
        owned.activate().await;
        owned.change_something_else();
        let _ = owned.upgrade(&[]).await.expect(0);
        assert_eq!(owned.is_active().await, json!(true));
        assert!(owned.says_something_else().await);
    }
}

/// The other rows: the values set false, and the plugin sets true.
#[tokio::test]
async fn each_helm_treats_an_activation_as_documented() {
    for helm in Client::HELMS {
        let mut owned = Owned::new(helm).await;
        owned.scene.prepare().await;
        let _ = owned.scene.shell.run("prepare --yes --export helm-values --export-file mas.yaml").await.expect(0);
        let text = std::fs::read_to_string(owned.path("mas.yaml")).unwrap();
        let mas: Value = serde_yaml::from_str(&text).unwrap();
        for part in ["secrets", "components"] {
            owned.values[part]["matrixAuthenticationService"] = mas[part]["matrixAuthenticationService"].clone();
        }
        let _ = owned.upgrade(&[]).await.expect(0);
        assert_eq!(owned.is_active().await, json!(false));
        let accept = "--yes --accept manifest-owned-by-helm";
        let _ = owned.scene.shell.run(&format!("dry-run {accept}")).await.expect(0);
        owned.activate().await;

        // First with the same values, then with another value changed.
        for changed in [false, true] {
            if changed {
                owned.change_something_else();
            }
            if helm == Client::Helm3 {
                let _ = owned.upgrade(&[]).await.expect(0);
                assert_eq!(owned.says_something_else().await, changed);
            } else {
                let refused = owned.upgrade(&[]).await.expect(1);
                refused.says("conflict with \"kubectl-ess-mas\"").says("config.active");
                assert!(!owned.says_something_else().await, "nothing of the upgrade was applied");
            }
            assert_eq!(owned.is_active().await, json!(true), "{helm:?}, changed: {changed}");
        }
        // A forced upgrade reverts the change, so the values must match.
        let force = if helm == Client::Helm3 { "--force" } else { "--force-conflicts" };
        let _ = owned.upgrade(&[force]).await.expect(0);
        assert_eq!(owned.is_active().await, json!(false), "{helm:?} {force}");
        owned.switch_on_in_place().await;
        owned.values["components"]["matrixAuthenticationService"]["config"]["active"] = json!(true);
        let _ = owned.upgrade(&[]).await.expect(0);
        assert_eq!(owned.is_active().await, json!(true));
        let _ = owned.upgrade(&[]).await.expect(0);
        assert_eq!(owned.is_active().await, json!(true), "owner and cluster agree again");
    }
}

#[tokio::test]
async fn values_that_name_the_secret_are_awaited_and_pass_a_dry_run() {
    for helm in Client::HELMS {
        let owned = Owned::new(helm).await;
        owned.scene.prepare().await;
        let before = owned.scene.versions().await;
        let done = owned.scene.shell.run("prepare --export helm-values --export-file mas.yaml").await.expect(0);
        done.says("mas.yaml written").says("helm upgrade ess CHART");
        assert_eq!(owned.scene.versions().await, before, "nothing was written");
        let mut waiting = owned.scene.shell.command(["dry-run", "--via-owner", "--yes", "-o", "json"]);
        let waiting = tokio::spawn(finish(waiting.spawn().unwrap(), "dry-run --via-owner".to_owned()));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let _ = owned.upgrade(&["-f", "mas.yaml"]).await.expect(0);
        let outcome = waiting.await.unwrap().expect(0).json();
        assert_eq!([&outcome["write"], &outcome["verdict"]], ["none", "succeeded"], "{outcome}");
        let object = owned.scene.object().await;
        let mas = &object["spec"]["components"]["matrixAuthenticationService"];
        assert_eq!((&mas["secretName"], &mas["config"]["active"]), (&json!("ess-mas"), &json!(false)));
        owned.activate().await;
        assert_eq!(owned.scene.object().await["status"]["mas_active"], json!(true));
    }
}

#[tokio::test]
async fn values_with_inline_secrets_create_the_charts_secret_and_pass_a_dry_run() {
    for helm in Client::HELMS {
        let owned = Owned::new(helm).await;
        let before = owned.scene.versions().await;
        let password = "{{ yes: #\"'\\ 1_000";
        let more = ["--export", "helm-values", "--inline-secrets", "--export-file", "mas.yaml"];
        let done = owned.scene.prepare_with(&more, password).await.expect(0);
        done.says("encryptionSecret and rsaPrivateKey: generated").is_silent_about(password);
        assert_eq!(done.stdout, "");
        assert_eq!(owned.scene.versions().await, before, "nothing was written");
        let _ = owned.upgrade(&["-f", "mas.yaml"]).await.expect(0);
        let made = owned.scene.secrets().get("ess-stack-matrixauthenticationservice").await.unwrap().data.unwrap();
        assert_eq!(made["postgresPassword"].0, password.as_bytes());
        assert_eq!(made["encryptionSecret"].0.len(), 64);
        let _ = owned.scene.shell.run("dry-run --yes --accept manifest-owned-by-helm").await.expect(0);
        // `prepare` now uses the Secret that the chart created, and writes nothing to it.
        let version = made_version(&owned).await;
        owned
            .scene
            .shell
            .run("prepare --yes")
            .await
            .expect(0)
            .says("Secret    ess-stack-matrixauthenticationservice is unchanged");
        let replace = ["--replace", "postgresPassword", "--secret-name", "ess-stack-matrixauthenticationservice"];
        let refused = owned.scene.prepare_with(&replace, "another").await.expect(1);
        refused.says("the next upgrade overwrites").says("--export helm-values --inline-secrets");
        assert_eq!(made_version(&owned).await, version);
        // As existingSecret, the chart that created it would empty it.
        let done = owned.scene.shell.run("prepare --export helm-values").await.expect(2);
        done.says("the chart would empty it");
        // Another export contains the same values, whatever the flags are.
        let more = [&more[..4], &["again.yaml"]].concat();
        let done = owned.scene.prepare_with(&more, "another").await.expect(0);
        done.says("kept; differs from the given value");
        let secrets = |name: &str| {
            let text = std::fs::read_to_string(owned.path(name)).unwrap();
            serde_yaml::from_str::<Value>(&text).unwrap()["secrets"].take()
        };
        assert_eq!(secrets("again.yaml"), secrets("mas.yaml"));
        owned.activate().await;
    }
}

/// Prepared in the cluster first, then moved into the values: during the dry run, the chart would otherwise have
/// deleted its Secret.
#[tokio::test]
async fn the_charts_secret_exported_after_prepare_is_kept() {
    let owned = Owned::new(Client::HELMS[0]).await;
    owned.scene.prepare().await;
    let _ = owned
        .scene
        .shell
        .run("prepare --export helm-values --inline-secrets --export-file mas.yaml --yes")
        .await
        .expect(0);
    let _ = owned.upgrade(&["-f", "mas.yaml"]).await.expect(0);
    let before = owned.scene.object().await["spec"].clone();
    let mas = &before["components"]["matrixAuthenticationService"];
    assert_eq!(mas["secretName"], "ess-stack-matrixauthenticationservice");
    let _ = owned.scene.shell.run("dry-run --yes --accept manifest-owned-by-helm").await.expect(0);
    assert_eq!(owned.scene.object().await["spec"], before);
    owned.activate().await;
}

async fn made_version(owned: &Owned) -> Option<String> {
    owned.scene.secrets().get("ess-stack-matrixauthenticationservice").await.unwrap().metadata.resource_version
}
