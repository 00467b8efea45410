//! What the tests of GitOps tools share: a deployment that such a tool applies from a source of the test's own.
//! `ESS_MAS_RECORD=1` writes what the tools wrote to `tests/recordings`, which ordinary tests read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ess_mas_sandbox::Supervisor;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::common::command::{Shell, finish};
use crate::common::scene::{Scene, active, condition, switch};
use crate::common::stage::quick;

/// The name of the tool's object. It is not the deployment's name, so that a mistake shows.
pub const OBJECT: &str = "chat-prod";

/// Group, version, kind and plural.
pub type Kind = [&'static str; 4];

/// Kinds of Flux's source-controller, which does not run here.
pub const GIT_REPOSITORY: Kind = ["source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories"];
pub const HELM_CHART: Kind = ["source.toolkit.fluxcd.io", "v1", "HelmChart", "helmcharts"];
pub const SOURCES: [Kind; 5] = [
    GIT_REPOSITORY,
    HELM_CHART,
    ["source.toolkit.fluxcd.io", "v1", "OCIRepository", "ocirepositories"],
    ["source.toolkit.fluxcd.io", "v1", "Bucket", "buckets"],
    ["source.toolkit.fluxcd.io", "v1", "ExternalArtifact", "externalartifacts"],
];

/// A Go module of these tests.
pub fn module(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// A file of a module that is pinned by one of these.
pub fn pinned_file(module: &Path, path: &str, file: &str) -> Value {
    let mut list = Command::new("go");
    list.args(["list", "-m", "-f", "{{.Dir}}", path]).current_dir(module).env("GOWORK", "off").env_remove("GOFLAGS");
    let folder = String::from_utf8(list.output().unwrap().stdout).unwrap();
    serde_yaml::from_str(&std::fs::read_to_string(Path::new(folder.trim()).join(file)).unwrap()).unwrap()
}

/// A definition of a kind that takes everything.
pub fn open_definition([group, version, kind, plural]: Kind) -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let names =
        json!({"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": names,
            "versions": [{"name": version, "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}}}],
        },
    })
}

/// A deployment in the source of a tool, its operator, and the processes of the tool.
pub struct Neighbour {
    /// The folder of its recordings, and the process whose log is shown.
    name: &'static str,
    pub scene: Scene,
    pub supervisor: Supervisor,
    /// What the source says.
    pub manifest: Value,
    client: kube::Client,
}

impl Neighbour {
    /// Nothing is applied yet.
    pub async fn new(name: &'static str) -> Self {
        let namespace = Sandbox::shared().namespace().await.unwrap();
        let client = namespace.client().unwrap();
        let deployment = Deployment::new("chat-of-ours", namespace.name());
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace.name());
        for secret in deployment.secrets() {
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        }
        let operator = Operator::start(namespace.client().unwrap(), namespace.scope(), quick());
        let manifest = deployment.object().clone();
        let scene = Scene { shell: Shell::new(&namespace), namespace, deployment, operator };
        Self { name, scene, supervisor: Supervisor::start().unwrap(), manifest, client }
    }

    pub async fn define(&self, definitions: impl IntoIterator<Item = Value>) {
        let crds: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        for crd in definitions {
            let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
            let parameters = PatchParams::apply("ess-mas-tests").force();
            crds.patch(&name, &parameters, &Patch::Apply(crd)).await.unwrap();
        }
    }

    /// Starts a process of the tool with an environment of its own.
    pub fn run(&mut self, name: &str, program: &Path, variables: &[(&str, &str)], arguments: &[&str]) {
        let folder = self.supervisor.directory().to_string_lossy().into_owned();
        let kubeconfig = self.scene.namespace.kubeconfig().unwrap().display().to_string();
        let path = std::env::var("PATH").unwrap();
        let own = [("KUBECONFIG", kubeconfig.as_str()), ("HOME", &folder), ("TMPDIR", &folder), ("PATH", &path)];
        let mut words: Vec<OsString> = vec!["-i".into()];
        words.extend(own.iter().chain(variables).map(|(name, value)| format!("{name}={value}").into()));
        words.push(program.into());
        words.extend(arguments.iter().map(OsString::from));
        self.supervisor.run(name, Path::new("/usr/bin/env"), &words).unwrap();
    }

    pub fn api(&self, namespace: &str, [group, version, kind, plural]: Kind) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    pub async fn apply(&self, namespace: &str, kind: Kind, mut object: Value) {
        object["apiVersion"] = [kind[0], kind[1]].join("/").trim_start_matches('/').into();
        object["kind"] = kind[2].into();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let parameters = PatchParams::apply("ess-mas-tests").force();
        // The kind may not be served yet.
        self.wait(&format!("{} {name}", kind[2]), async |neighbour| {
            neighbour.api(namespace, kind).patch(&name, &parameters, &Patch::Apply(&object)).await.is_ok()
        })
        .await;
    }

    pub async fn wait(&self, what: &str, there: impl AsyncFn(&Self) -> bool) {
        for _ in 0..600 {
            if there(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("waited a minute for {what}; the tool's log:\n{}", self.supervisor.log_tail(self.name, 30));
    }

    /// Waits until the tool has applied the deployment and the operator has reconciled it.
    pub async fn applied(&self) {
        self.wait("the deployment that the tool applies", async |neighbour| {
            neighbour.scene.api().get_opt(neighbour.scene.deployment.name()).await.unwrap().is_some()
        })
        .await;
        self.scene.until(|object| condition(object, "Successful") == "True").await;
    }

    pub async fn is_active(&self) -> Value {
        active(&self.scene.object().await).clone()
    }

    /// Waits for a value of `active`.
    pub async fn becomes(&self, wanted: Value) {
        let what = format!("active: {wanted}");
        self.wait(&what, async |neighbour| neighbour.is_active().await == wanted).await;
    }
}

/// A tool that applies a manifest from a source.
pub trait GitOps {
    fn neighbour(&self) -> &Neighbour;
    fn manifest(&mut self) -> &mut Value;
    /// Makes the manifest what the source says.
    async fn publish(&mut self);
    /// What the tool calls the object that applies the manifest, and the object.
    async fn object(&self) -> (&'static str, Value);

    /// Runs a command that waits for the owner, and publishes what it shows.
    async fn via_owner(&mut self, words: &[&str], change: impl FnOnce(&mut Value)) -> Value {
        let shell = &self.neighbour().scene.shell;
        let mut command = shell.command(words.iter().chain(&["--via-owner", "-o", "json"]));
        let waiting = tokio::spawn(finish(command.spawn().unwrap(), words.join(" ")));
        tokio::time::sleep(Duration::from_secs(1)).await;
        change(&mut self.manifest()["spec"]["components"]["matrixAuthenticationService"]);
        self.publish().await;
        waiting.await.unwrap().expect(0).json()
    }

    async fn record(&self, state: &str) {
        if std::env::var_os("ESS_MAS_RECORD").is_none() {
            return;
        }
        let neighbour = self.neighbour();
        let mut object = neighbour.scene.object().await;
        object
            .as_object_mut()
            .unwrap()
            .retain(|key, _| ["apiVersion", "kind", "metadata", "spec"].contains(&key.as_str()));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(neighbour.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (file, object) in [("deployment", object), self.object().await] {
            let text = serde_json::to_string_pretty(&object).unwrap();
            let text = text.replace(neighbour.scene.namespace.name(), "ess-prod");
            std::fs::write(folder.join(format!("{state}-{file}.json")), text + "\n").unwrap();
        }
    }
}

/// Each step is refused in place and made through the source. `shown` is how the program names the tool's object, `manager` the
/// tool's field manager.
pub async fn each_step_is_made_through_the_source(tool: &mut impl GitOps, shown: &str, manager: &str) {
    tool.record("applied").await;
    let scene = &tool.neighbour().scene;
    scene.shell.run("check").await.expect(10).shows("manifest-owned-by-gitops").shows(shown);
    // `prepare` doesn't change the ElementDeployment.
    scene.prepare().await;
    let before = scene.decided().await;
    let refused = scene.shell.run("dry-run --yes").await.expect(10);
    refused.says("manifest-owned-by-gitops").says("--via-owner");
    assert_eq!(scene.decided().await, before);

    let exported = scene.shell.run("prepare --yes --export manifests --without-secret").await.expect(0).stdout;
    let exported: Value = serde_yaml::from_str(&exported).unwrap();
    let component = exported["spec"]["components"]["matrixAuthenticationService"].clone();
    let outcome = tool.via_owner(&["dry-run", "--yes"], |mas| *mas = component).await;
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["none", "succeeded"], "{outcome}");
    tool.record("rehearsed").await;

    let scene = &tool.neighbour().scene;
    scene.activate().await.expect(10).says("manifest-owned-by-gitops");
    let name = scene.deployment.name().to_owned();
    let words = ["activate", "--confirm", &name, "--backup", "on the shelf"];
    let outcome = tool.via_owner(&words, |mas| mas["config"]["active"] = json!(true)).await;
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["none", "succeeded"], "{outcome}");
    tool.record("activated").await;
    let neighbour = tool.neighbour();
    neighbour.scene.shell.run("check").await.shows(&format!("field manager {manager}"));
    // That is why a change in place is refused.
    neighbour.scene.patch(switch(false)).await;
    neighbour.becomes(json!(true)).await;
}

/// Both steps in place, which a warning allows.
pub async fn each_step_is_made_in_place(neighbour: &Neighbour, why: &str) {
    let shell = &neighbour.scene.shell;
    neighbour.scene.prepare().await;
    shell.run("dry-run --yes").await.expect(11).says("manifest-owned-by-gitops").says(why);
    let _ = shell.run("dry-run --yes --accept manifest-owned-by-gitops").await.expect(0);
    let _ = neighbour.scene.activate_with(&["--accept", "manifest-owned-by-gitops"]).await.expect(0);
}
