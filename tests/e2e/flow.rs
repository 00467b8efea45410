//! The whole way, and every gate on it.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::plugin::Shell;

/// A reconciled deployment in a namespace of its own.
pub struct Scene {
    pub namespace: Namespace<'static>,
    pub deployment: Deployment,
    pub operator: Operator,
    pub shell: Shell,
}

impl Scene {
    /// With a name that is nobody's default.
    pub async fn new(behaviour: Behaviour) -> Self {
        let namespace = Sandbox::shared().namespace().await.unwrap();
        let deployment = Deployment::new("chat-of-ours", namespace.name());
        Self::with(namespace, deployment, behaviour).await
    }

    pub async fn with(namespace: Namespace<'static>, deployment: Deployment, behaviour: Behaviour) -> Self {
        namespace.create(&deployment).await.unwrap();
        let operator = Operator::start(namespace.client().unwrap(), namespace.scope(), behaviour);
        let scene = Self { shell: Shell::new(&namespace), namespace, deployment, operator };
        scene.until(|object| condition(object, "Successful") == "True").await;
        scene
    }

    pub fn api(&self) -> Api<DynamicObject> {
        self.deployment.api(&self.namespace.client().unwrap())
    }

    pub async fn object(&self) -> Value {
        serde_json::to_value(self.api().get(self.deployment.name()).await.unwrap()).unwrap()
    }

    pub async fn until(&self, wanted: impl Fn(&Value) -> bool) {
        let mut follower = Follower::start(&self.api(), self.deployment.name()).await.unwrap();
        let seen = tokio::time::timeout(Duration::from_secs(30), follower.until(wanted)).await;
        seen.expect("the operator gets there").unwrap();
    }

    /// Somebody else changes the deployment.
    pub async fn patch(&self, patch: Value) {
        let params = PatchParams { field_manager: Some("somebody-else".into()), ..PatchParams::default() };
        self.api().patch(self.deployment.name(), &params, &Patch::Merge(patch)).await.unwrap();
    }

    pub async fn prepare(&self) {
        let host = self.deployment.mas_host();
        let words = [
            "prepare",
            "--host",
            &host,
            "--database-host",
            "pg.example.com",
            "--database-name",
            "mas",
            "--database-user",
            "mas",
            "--database-password-file",
            "-",
            "--yes",
        ];
        let _ = self.shell.run_words(&words, Some("correct horse\n")).await.expect(0);
    }

    pub async fn rehearse(&self) {
        self.prepare().await;
        let _ = self.shell.run("dry-run --yes").await.expect(0);
    }

    pub async fn activate(&self) -> crate::plugin::Done {
        let words = ["activate", "--confirm", self.deployment.name(), "--backup", "on the shelf"];
        self.shell.run_words(&words, None).await
    }
}

pub fn condition(object: &Value, kind: &str) -> String {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|one| one["type"] == kind);
    found.and_then(|one| one["status"].as_str()).unwrap_or_default().to_owned()
}

fn active(object: &Value) -> &Value {
    &object["spec"]["components"]["matrixAuthenticationService"]["config"]["active"]
}

#[tokio::test]
async fn a_deployment_is_taken_to_mas_and_only_one_value_changes_in_the_last_step() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.rehearse().await;
    let before = scene.object().await;
    assert_eq!(*active(&before), json!(false));
    let outcome = scene
        .shell
        .run_words(&["activate", "--confirm", "chat-of-ours", "--backup", "on the shelf", "-o", "json"], None)
        .await
        .expect(0)
        .json();
    assert_eq!(outcome["write"], "applied");
    assert_eq!(outcome["verdict"], "succeeded");
    assert_eq!(outcome["status"]["phase"], "Complete");
    let after = scene.object().await;
    assert_eq!(after["status"]["mas_active"], json!(true));
    let mut expected = before["spec"].clone();
    expected["components"]["matrixAuthenticationService"]["config"]["active"] = json!(true);
    assert_eq!(after["spec"], expected);
    assert_eq!(before["metadata"]["annotations"], after["metadata"]["annotations"]);
}

#[tokio::test]
async fn an_activation_without_a_rehearsal_changes_nothing_and_says_why() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare().await;
    let before = scene.object().await;
    scene.activate().await.expect(10).says("rehearsal");
    assert_eq!(scene.object().await["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
}
