//! A reconciled deployment in a separate namespace, and helpers that read its state.

use std::collections::BTreeMap;
use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::command::{Done, Shell};

/// The database password of every scene's `prepare`; it must never be printed.
pub const PASSWORD: &str = "canary-correct-horse-7731";

/// The part of the cluster that belongs to one test.
pub struct Scene {
    pub namespace: Namespace<'static>,
    pub deployment: Deployment,
    pub operator: Operator,
    pub shell: Shell,
}

impl Scene {
    /// With a name that is not a default.
    pub async fn new(behaviour: Behaviour) -> Self {
        Self::changed(behaviour, |deployment| deployment).await
    }

    /// The same with a modified deployment.
    pub async fn changed(behaviour: Behaviour, change: impl FnOnce(Deployment) -> Deployment) -> Self {
        Self::on(Sandbox::shared(), behaviour, change).await
    }

    /// The same on this server.
    pub async fn on(
        server: &'static Sandbox,
        behaviour: Behaviour,
        change: impl FnOnce(Deployment) -> Deployment,
    ) -> Self {
        let namespace = server.namespace().await.unwrap();
        let deployment = change(Deployment::new("chat-of-ours", namespace.name()));
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

    /// Waits for a state of the deployment.
    pub async fn until(&self, wanted: impl Fn(&Value) -> bool) {
        let mut follower = self.follower().await;
        let seen = tokio::time::timeout(Duration::from_secs(30), follower.until(wanted)).await;
        seen.expect("the operator gets there").unwrap();
    }

    pub async fn follower(&self) -> Follower {
        Follower::start(&self.api(), self.deployment.name()).await.unwrap()
    }

    /// Changes the deployment as another client.
    pub async fn patch(&self, patch: Value) {
        let params = PatchParams { field_manager: Some("somebody-else".into()), ..PatchParams::default() };
        self.api().patch(self.deployment.name(), &params, &Patch::Merge(patch)).await.unwrap();
    }

    /// Starts a reconcile without a relevant change, and waits until it is in progress.
    pub async fn start_a_run(&self) {
        self.patch(json!({"metadata": {"annotations": {"example.com/poke": "again"}}})).await;
        self.operator.wait_for_run().await;
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.namespace.client().unwrap(), self.namespace.name())
    }

    /// The contents of the MAS Secret.
    pub async fn mas_secret(&self) -> BTreeMap<String, Vec<u8>> {
        let secret = self.secrets().get(&self.deployment.mas_secret_name()).await.unwrap();
        secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect()
    }

    /// Sets or removes a value of the MAS Secret, as another client.
    pub async fn set_mas_secret(&self, key: &str, value: Option<&[u8]>) {
        let value = value.map(|bytes| k8s_openapi::ByteString(bytes.to_vec()));
        let patch = json!({"data": {key: value}});
        let name = self.deployment.mas_secret_name();
        self.secrets().patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.namespace.client().unwrap(), self.namespace.name())
    }

    /// The text of the record, if it exists.
    pub async fn record_text(&self) -> Option<String> {
        let all = self.config_maps().list(&ListParams::default()).await.unwrap();
        all.into_iter().find_map(|map| map.data?.remove("record.json"))
    }

    pub async fn replace_record(&self, text: &str) {
        let name = format!("{}-kubectl-ess-mas", self.deployment.name());
        let patch = json!({"data": {"record.json": text}});
        self.config_maps().patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// The resourceVersion of every object in the namespace. Equal maps prove that nothing was written.
    pub async fn versions(&self) -> BTreeMap<String, String> {
        let list = ListParams::default();
        let mut all = BTreeMap::new();
        for one in self.secrets().list(&list).await.unwrap() {
            all.insert(format!("secret/{}", one.name_any()), one.resource_version().unwrap());
        }
        for one in self.config_maps().list(&list).await.unwrap() {
            all.insert(format!("configmap/{}", one.name_any()), one.resource_version().unwrap());
        }
        for one in self.api().list(&list).await.unwrap() {
            all.insert(format!("elementdeployment/{}", one.name_any()), one.resource_version().unwrap());
        }
        all
    }

    /// The same without the deployment's status, which the operator may be writing.
    pub async fn decided(&self) -> (BTreeMap<String, String>, Value) {
        let mut versions = self.versions().await;
        versions.retain(|name, _| !name.starts_with("elementdeployment/"));
        let object = self.object().await;
        (versions, json!([object["spec"], object["metadata"]["annotations"], object["metadata"]["generation"]]))
    }

    /// The arguments of a complete `prepare`.
    pub fn prepare_words(&self) -> Vec<String> {
        let host = self.deployment.mas_host();
        let line = format!(
            "prepare --host {host} --database-host pg.example.com --database-name mas --database-user mas \
             --database-password-file - --yes"
        );
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// A complete `prepare` with additional arguments.
    pub async fn prepare_with(&self, more: &[&str], password: &str) -> Done {
        let words = self.prepare_words();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.shell.run_words(&words, Some(password)).await
    }

    pub async fn prepare(&self) {
        let _ = self.prepare_with(&[], &format!("{PASSWORD}\n")).await.expect(0);
    }

    /// Runs everything up to a successful dry run.
    pub async fn dry_run(&self) {
        self.prepare().await;
        let _ = self.shell.run("dry-run --yes").await.expect(0);
    }

    pub async fn activate_with(&self, more: &[&str]) -> Done {
        let mut words = vec!["activate", "--confirm", self.deployment.name(), "--backup", "on the shelf"];
        words.extend(more);
        self.shell.run_words(&words, None).await
    }

    pub async fn activate(&self) -> Done {
        self.activate_with(&[]).await
    }
}

/// The status of a condition; empty if it is absent.
pub fn condition(object: &Value, kind: &str) -> String {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|one| one["type"] == kind);
    found.and_then(|one| one["status"].as_str()).unwrap_or_default().to_owned()
}

/// `…config.active`.
pub fn active(object: &Value) -> &Value {
    &object["spec"]["components"]["matrixAuthenticationService"]["config"]["active"]
}

/// The completion of the last reconcile.
pub fn completion(object: &Value) -> Value {
    let all = object["status"]["conditions"].as_array();
    let running = all.into_iter().flatten().find(|one| one["type"] == "Running");
    running.map(|one| one["ansibleResult"]["completion"].clone()).unwrap_or_default()
}

/// A merge patch that sets `…config.active`.
pub fn switch(on: bool) -> Value {
    json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": on}}}}})
}
