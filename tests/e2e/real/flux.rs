//! Flux's kustomize-controller as the manifest owner, with an artifact from this test in place of source-controller.
//! `ESS_MAS_RECORD=1` writes what Flux wrote to `tests/recordings/flux`, which ordinary tests read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use ess_mas_sandbox::Supervisor;
use ess_mas_sandbox::assets::GoModule;
use ess_mas_sandbox::prelude::*;
use ess_mas_sandbox::web::{Reply, Web};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::common::command::{Shell, finish};
use crate::common::scene::{Scene, active, condition, switch};
use crate::common::stage::quick;

/// The names of the Kustomization and of the deployment differ, so that a mistake shows.
const KUSTOMIZATION: &str = "chat-prod";
const INTERVAL: Duration = Duration::from_secs(3);

fn module() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flux")
}

fn program() -> PathBuf {
    let programs = &[("kustomize-controller", "github.com/fluxcd/kustomize-controller")];
    let what = "Flux's kustomize-controller";
    let folder = GoModule { folder: module(), name: "flux", what, programs, more: Vec::new() }.build("");
    folder.unwrap().join("kustomize-controller")
}

/// The CRD of Kustomization from the pinned module.
fn kustomizations() -> Value {
    let mut list = Command::new("go");
    list.args(["list", "-m", "-f", "{{.Dir}}", "github.com/fluxcd/kustomize-controller"]).current_dir(module());
    let folder = String::from_utf8(list.output().unwrap().stdout).unwrap();
    let file = "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml";
    serde_yaml::from_str(&std::fs::read_to_string(Path::new(folder.trim()).join(file)).unwrap()).unwrap()
}

/// A kind of source-controller, which does not run here: the controller watches all of them.
fn source(kind: &str, plural: &str) -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let names =
        json!({"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.source.toolkit.fluxcd.io")},
        "spec": {
            "group": "source.toolkit.fluxcd.io", "scope": "Namespaced", "names": names,
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}}}],
        },
    })
}

/// A deployment that Flux applies.
struct Flux {
    scene: Scene,
    client: kube::Client,
    web: Web,
    supervisor: Supervisor,
    revisions: usize,
    manifest: Value,
}

impl Flux {
    async fn new() -> Self {
        let controller = tokio::task::spawn_blocking(program).await.unwrap();
        let namespace = Sandbox::shared().namespace().await.unwrap();
        let client = namespace.client().unwrap();
        let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
        let sources = [
            ("GitRepository", "gitrepositories"),
            ("OCIRepository", "ocirepositories"),
            ("Bucket", "buckets"),
            ("ExternalArtifact", "externalartifacts"),
        ];
        for crd in sources.map(|(kind, plural)| source(kind, plural)).into_iter().chain([kustomizations()]) {
            let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
            let parameters = PatchParams::apply("ess-mas-tests").force();
            crds.patch(&name, &parameters, &Patch::Apply(crd)).await.unwrap();
        }
        let deployment = Deployment::new("chat-of-ours", namespace.name());
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace.name());
        for secret in deployment.secrets() {
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        }
        let operator = Operator::start(namespace.client().unwrap(), namespace.scope(), quick());
        let manifest = deployment.object().clone();
        let scene = Scene { shell: Shell::new(&namespace), namespace, deployment, operator };
        let mut supervisor = Supervisor::start().unwrap();
        let folder = supervisor.directory().to_string_lossy().into_owned();
        let mut arguments: Vec<OsString> = vec!["-i".into()];
        let kubeconfig = scene.namespace.kubeconfig().unwrap();
        arguments.extend(
            [
                format!("KUBECONFIG={}", kubeconfig.display()),
                format!("HOME={folder}"),
                format!("TMPDIR={folder}"),
                format!("RUNTIME_NAMESPACE={}", scene.namespace.name()),
                format!("PATH={}", std::env::var("PATH").unwrap()),
            ]
            .map(OsString::from),
        );
        arguments.push(controller.into());
        arguments.extend(
            [
                "--watch-all-namespaces=false",
                "--metrics-addr=127.0.0.1:0",
                "--health-addr=127.0.0.1:0",
                "--events-addr=",
                "--interval-jitter-percentage=0",
                "--no-remote-bases",
            ]
            .map(OsString::from),
        );
        supervisor.run("kustomize-controller", Path::new("/usr/bin/env"), &arguments).unwrap();
        let mut flux = Self { scene, client, web: Web::plain().await.unwrap(), supervisor, revisions: 0, manifest };
        flux.publish().await;
        let kustomization = json!({
            "metadata": {"name": KUSTOMIZATION},
            "spec": {
                "interval": format!("{}s", INTERVAL.as_secs()), "path": "./", "prune": true, "force": false,
                "sourceRef": {"kind": "GitRepository", "name": "git"},
            },
        });
        flux.apply("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations", kustomization).await;
        flux.wait("the deployment that Flux applied", async |flux| {
            flux.scene.api().get_opt(flux.scene.deployment.name()).await.unwrap().is_some()
        })
        .await;
        flux.scene.until(|object| condition(object, "Successful") == "True").await;
        flux
    }

    fn api(&self, group: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural);
        Api::namespaced_with(self.client.clone(), self.scene.namespace.name(), &resource)
    }

    async fn apply(&self, group: &str, kind: &str, plural: &str, mut object: Value) {
        object["apiVersion"] = format!("{group}/v1").into();
        object["kind"] = kind.into();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let parameters = PatchParams::apply("ess-mas-tests").force();
        // The kind may not be served yet.
        self.wait(&format!("{kind} {name}"), async |flux| {
            flux.api(group, kind, plural).patch(&name, &parameters, &Patch::Apply(&object)).await.is_ok()
        })
        .await;
    }

    async fn wait(&self, what: &str, there: impl AsyncFn(&Self) -> bool) {
        for _ in 0..600 {
            if there(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("waited a minute for {what}; Flux's log:\n{}", self.supervisor.log_tail("kustomize-controller", 30));
    }

    /// Publishes the manifest as the artifact of a Git repository.
    async fn publish(&mut self) {
        self.revisions += 1;
        let content = serde_json::to_vec(&self.manifest).unwrap();
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, "deployment.yaml", content.as_slice()).unwrap();
        let bytes = archive.into_inner().unwrap().finish().unwrap();
        let sum = digest(&SHA256, &bytes).as_ref().iter().fold(String::new(), |sum, byte| sum + &format!("{byte:02x}"));
        let (size, path) = (bytes.len(), format!("/git/{}.tar.gz", self.revisions));
        let host = format!("127.0.0.1:{}", self.web.port());
        for host in ["127.0.0.1", host.as_str()] {
            self.web.answer(host, &path, Reply::Whole(200, Vec::new(), bytes.clone()));
        }
        let spec = json!({"url": "https://git.example.com/chat.git", "interval": "1m"});
        self.apply(
            "source.toolkit.fluxcd.io",
            "GitRepository",
            "gitrepositories",
            json!({"metadata": {"name": "git"}, "spec": spec}),
        )
        .await;
        let now = "2026-11-23T10:00:00Z";
        let revision = format!("main@sha1:{:040x}", self.revisions);
        let ready = json!({"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact",
            "lastTransitionTime": now, "observedGeneration": 1});
        let status = json!({"status": {
            "observedGeneration": 1, "conditions": [ready],
            "artifact": {"path": &path[1..], "url": format!("http://{host}{path}"), "revision": revision,
                "digest": format!("sha256:{sum}"), "size": size, "lastUpdateTime": now},
        }});
        let sources = self.api("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories");
        sources.patch_status("git", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }

    async fn kustomization(&self) -> Value {
        let api = self.api("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations");
        serde_json::to_value(api.get(KUSTOMIZATION).await.unwrap()).unwrap()
    }

    async fn suspend(&self, suspended: bool) {
        let api = self.api("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations");
        let patch = Patch::Merge(json!({"spec": {"suspend": suspended}}));
        api.patch(KUSTOMIZATION, &PatchParams::default(), &patch).await.unwrap();
    }

    async fn is_active(&self) -> Value {
        active(&self.scene.object().await).clone()
    }

    /// Runs a command that waits for the owner, and publishes what it shows.
    async fn via_owner(&mut self, words: &[&str], change: impl FnOnce(&mut Value)) -> Value {
        let mut command = self.scene.shell.command(words.iter().chain(&["--via-owner", "-o", "json"]));
        let waiting = tokio::spawn(finish(command.spawn().unwrap(), words.join(" ")));
        tokio::time::sleep(Duration::from_secs(1)).await;
        change(&mut self.manifest["spec"]["components"]["matrixAuthenticationService"]);
        self.publish().await;
        waiting.await.unwrap().expect(0).json()
    }

    async fn record(&self, name: &str) {
        if std::env::var_os("ESS_MAS_RECORD").is_none() {
            return;
        }
        let mut object = self.scene.object().await;
        object
            .as_object_mut()
            .unwrap()
            .retain(|key, _| ["apiVersion", "kind", "metadata", "spec"].contains(&key.as_str()));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/flux");
        std::fs::create_dir_all(&folder).unwrap();
        for (file, object) in [("deployment", object), ("kustomization", self.kustomization().await)] {
            let text = serde_json::to_string_pretty(&object).unwrap().replace(self.scene.namespace.name(), "ess-prod");
            std::fs::write(folder.join(format!("{name}-{file}.json")), text + "\n").unwrap();
        }
    }
}

#[tokio::test]
#[ignore = "builds kustomize-controller, which takes minutes"]
async fn flux_makes_each_change_and_reverts_those_made_in_place() {
    let mut flux = Flux::new().await;
    flux.record("applied").await;
    let done = flux.scene.shell.run("check").await.expect(10);
    done.shows("manifest-owned-by-gitops").shows("Kustomization/chat-prod");
    // `prepare` doesn't change the ElementDeployment.
    flux.scene.prepare().await;
    let before = flux.scene.decided().await;
    let refused = flux.scene.shell.run("dry-run --yes").await.expect(10);
    refused.says("manifest-owned-by-gitops").says("--via-owner");
    assert_eq!(flux.scene.decided().await, before);

    let exported = flux.scene.shell.run("prepare --yes --export manifests --without-secret").await.expect(0).stdout;
    let exported: Value = serde_yaml::from_str(&exported).unwrap();
    let component = exported["spec"]["components"]["matrixAuthenticationService"].clone();
    let outcome = flux.via_owner(&["dry-run", "--yes"], |mas| *mas = component).await;
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["none", "succeeded"], "{outcome}");
    flux.record("rehearsed").await;

    let refused = flux.scene.activate().await.expect(10);
    refused.says("manifest-owned-by-gitops");
    let name = flux.scene.deployment.name().to_owned();
    let words = ["activate", "--confirm", &name, "--backup", "on the shelf"];
    let outcome = flux.via_owner(&words, |mas| mas["config"]["active"] = json!(true)).await;
    assert_eq!([&outcome["write"], &outcome["verdict"]], ["none", "succeeded"], "{outcome}");
    flux.record("activated").await;
    flux.scene.shell.run("check").await.shows("field manager kustomize-controller");
    // That is why a change in place is refused.
    flux.scene.patch(switch(false)).await;
    flux.wait("Flux to restore its version", async |flux| flux.is_active().await == json!(true)).await;
}

#[tokio::test]
#[ignore = "builds kustomize-controller, which takes minutes"]
async fn a_suspended_kustomization_leaves_a_change_made_in_place() {
    let flux = Flux::new().await;
    flux.scene.prepare().await;
    flux.suspend(true).await;
    flux.record("suspended").await;
    let warned = flux.scene.shell.run("dry-run --yes").await.expect(11);
    warned.says("manifest-owned-by-gitops").says("suspended");
    let _ = flux.scene.shell.run("dry-run --yes --accept manifest-owned-by-gitops").await.expect(0);
    let _ = flux.scene.activate_with(&["--accept", "manifest-owned-by-gitops"]).await.expect(0);
    tokio::time::sleep(INTERVAL * 3).await;
    assert_eq!(flux.is_active().await, json!(true));
    // It takes over the fields of every manager whose name begins with `kubectl`, and removes those that its manifest lacks.
    flux.suspend(false).await;
    flux.wait("Flux to remove the component", async |flux| flux.is_active().await == json!(null)).await;
}
