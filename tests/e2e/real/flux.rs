//! Flux's kustomize-controller and helm-controller as manifest owners, with artifacts from this test in place of source-controller.

use std::path::PathBuf;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use ess_mas_sandbox::assets::{GoModule, Programs};
use ess_mas_sandbox::web::{Reply, Web};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::gitops::{
    GIT_REPOSITORY, GitOps, HELM_CHART, Kind, Neighbour, OBJECT, SOURCES, each_step_is_made_in_place,
    each_step_is_made_through_the_source, module, open_definition, pinned_file,
};

const INTERVAL: Duration = Duration::from_secs(3);

/// One of the two controllers.
#[derive(Clone, Copy)]
struct Controller {
    /// Its name, also that of the program.
    name: &'static str,
    /// The folder of its Go module and of its recordings.
    folder: &'static str,
    path: &'static str,
    programs: Programs,
    kind: Kind,
    definition: &'static str,
    source: Kind,
}

const KUSTOMIZE: Controller = Controller {
    name: "kustomize-controller",
    folder: "flux",
    path: "github.com/fluxcd/kustomize-controller",
    programs: &[("kustomize-controller", "github.com/fluxcd/kustomize-controller")],
    kind: ["kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations"],
    definition: "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    source: GIT_REPOSITORY,
};

const HELM: Controller = Controller {
    name: "helm-controller",
    folder: "flux-helm",
    path: "github.com/fluxcd/helm-controller",
    programs: &[("helm-controller", "github.com/fluxcd/helm-controller")],
    kind: ["helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"],
    definition: "config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml",
    source: HELM_CHART,
};

impl Controller {
    fn program(self) -> PathBuf {
        let module = GoModule {
            folder: module(self.folder),
            name: self.folder,
            what: self.name,
            programs: self.programs,
            more: Vec::new(),
        };
        module.build("").unwrap().join(self.name)
    }
}

/// A deployment that Flux applies.
struct Flux {
    controller: Controller,
    neighbour: Neighbour,
    web: Web,
    revisions: usize,
}

impl Flux {
    async fn new(controller: Controller, spec: Value) -> Self {
        let program = tokio::task::spawn_blocking(move || controller.program()).await.unwrap();
        let neighbour = Neighbour::new(controller.folder).await;
        neighbour.define(SOURCES.map(open_definition)).await;
        let definition = pinned_file(&module(controller.folder), controller.path, controller.definition);
        neighbour.define([definition]).await;
        let namespace = neighbour.scene.namespace.name().to_owned();
        let arguments = [
            "--watch-all-namespaces=false",
            "--metrics-addr=127.0.0.1:0",
            "--health-addr=127.0.0.1:0",
            "--events-addr=",
            "--interval-jitter-percentage=0",
        ];
        let mut flux = Self { controller, neighbour, web: Web::plain().await.unwrap(), revisions: 0 };
        flux.publish().await;
        let mut object = json!({"metadata": {"name": OBJECT}, "spec": spec});
        object["spec"]["interval"] = format!("{}s", INTERVAL.as_secs()).into();
        flux.neighbour.apply(&namespace, controller.kind, object).await;
        // Not earlier: it ends if its kinds are not served yet.
        flux.neighbour.run(controller.folder, &program, &[("RUNTIME_NAMESPACE", &namespace)], &arguments);
        flux.neighbour.applied().await;
        flux
    }

    async fn kustomization() -> Self {
        let source = json!({"kind": "GitRepository", "name": "source"});
        Self::new(KUSTOMIZE, json!({"path": "./", "prune": true, "force": false, "sourceRef": source})).await
    }

    async fn release(drift: &str) -> Self {
        let source = json!({"kind": "HelmChart", "name": "source"});
        Self::new(HELM, json!({"chartRef": source, "driftDetection": {"mode": drift}})).await
    }

    /// The files of the source.
    fn files(&self) -> Vec<(&'static str, String)> {
        let manifest = self.neighbour.manifest.to_string();
        if self.controller.source != HELM_CHART {
            return vec![("deployment.yaml", manifest)];
        }
        let chart = format!("{{apiVersion: v2, name: chat, version: 1.0.{}}}", self.revisions);
        // The manifest is no template: its texts have braces.
        let template = r#"{{ .Files.Get "manifest.json" }}"#.to_owned();
        vec![("chat/Chart.yaml", chart), ("chat/templates/all.yaml", template), ("chat/manifest.json", manifest)]
    }

    async fn patch(&self, patch: Value) {
        let api = self.neighbour.api(self.neighbour.scene.namespace.name(), self.controller.kind);
        api.patch(OBJECT, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }
}

impl GitOps for Flux {
    fn neighbour(&self) -> &Neighbour {
        &self.neighbour
    }

    fn manifest(&mut self) -> &mut Value {
        &mut self.neighbour.manifest
    }

    /// As an artifact of source-controller.
    async fn publish(&mut self) {
        self.revisions += 1;
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (name, content) in self.files() {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap().finish().unwrap();
        let sum = digest(&SHA256, &bytes).as_ref().iter().fold(String::new(), |sum, byte| sum + &format!("{byte:02x}"));
        let (size, path) = (bytes.len(), format!("/source/{}.tar.gz", self.revisions));
        let host = format!("127.0.0.1:{}", self.web.port());
        for host in ["127.0.0.1", host.as_str()] {
            self.web.answer(host, &path, Reply::Whole(200, Vec::new(), bytes.clone()));
        }
        let namespace = self.neighbour.scene.namespace.name();
        let spec = json!({"url": "https://git.example.com/chat.git", "interval": "1m"});
        let source = json!({"metadata": {"name": "source"}, "spec": spec});
        self.neighbour.apply(namespace, self.controller.source, source).await;
        let now = "2026-11-23T10:00:00Z";
        let revision = match self.controller.source {
            HELM_CHART => format!("1.0.{}", self.revisions),
            _ => format!("main@sha1:{:040x}", self.revisions),
        };
        let ready = json!({"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact",
            "lastTransitionTime": now, "observedGeneration": 1});
        let status = json!({"status": {
            "observedGeneration": 1, "conditions": [ready],
            "artifact": {"path": &path[1..], "url": format!("http://{host}{path}"), "revision": revision,
                "digest": format!("sha256:{sum}"), "size": size, "lastUpdateTime": now},
        }});
        let sources = self.neighbour.api(namespace, self.controller.source);
        sources.patch_status("source", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }

    async fn object(&self) -> (&'static str, Value) {
        let api = self.neighbour.api(self.neighbour.scene.namespace.name(), self.controller.kind);
        let name = if self.controller.kind == HELM.kind { "helmrelease" } else { "kustomization" };
        (name, serde_json::to_value(api.get(OBJECT).await.unwrap()).unwrap())
    }
}

#[tokio::test]
#[ignore = "builds kustomize-controller, which takes minutes"]
async fn flux_makes_each_change_and_reverts_those_made_in_place() {
    let mut flux = Flux::kustomization().await;
    each_step_is_made_through_the_source(&mut flux, "Kustomization/chat-prod", KUSTOMIZE.name).await;
}

#[tokio::test]
#[ignore = "builds kustomize-controller, which takes minutes"]
async fn a_suspended_kustomization_leaves_a_change_made_in_place() {
    let flux = Flux::kustomization().await;
    flux.patch(json!({"spec": {"suspend": true}})).await;
    flux.record("suspended").await;
    each_step_is_made_in_place(&flux.neighbour, "suspended").await;
    tokio::time::sleep(INTERVAL * 3).await;
    assert_eq!(flux.neighbour.is_active().await, json!(true));
    // It takes over the fields of every manager whose name begins with `kubectl`, and removes those that its manifest lacks.
    flux.patch(json!({"spec": {"suspend": false}})).await;
    flux.neighbour.becomes(json!(null)).await;
}

#[tokio::test]
#[ignore = "builds helm-controller, which takes minutes"]
async fn a_release_of_flux_makes_each_change_and_reverts_those_made_in_place() {
    let mut flux = Flux::release("enabled").await;
    each_step_is_made_through_the_source(&mut flux, "HelmRelease/chat-prod", HELM.name).await;
}

#[tokio::test]
#[ignore = "builds helm-controller, which takes minutes"]
async fn a_release_without_drift_detection_leaves_a_change_made_in_place() {
    let flux = Flux::release("disabled").await;
    flux.record("without-drift-detection").await;
    each_step_is_made_in_place(&flux.neighbour, "driftDetection is not enabled").await;
    tokio::time::sleep(INTERVAL * 3).await;
    assert_eq!(flux.neighbour.is_active().await, json!(true));
}
