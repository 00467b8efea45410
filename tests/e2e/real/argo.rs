//! Argo CD's application controller and its repo-server as the manifest owner, with a Git repository of the test's own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ess_mas_sandbox::Sandbox;
use ess_mas_sandbox::assets::{GoModule, Programs};
use ess_mas_sandbox::prelude::*;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::gitops::{
    GitOps, Kind, Neighbour, each_step_is_made_in_place, each_step_is_made_through_the_source, module, pinned_file,
};

const PROGRAMS: Programs = &[("argocd", "github.com/argoproj/argo-cd/v3/cmd"), ("redis", "./redis")];
const APPLICATION: Kind = ["argoproj.io", "v1alpha1", "Application", "applications"];
const PROJECT: Kind = ["argoproj.io", "v1alpha1", "AppProject", "appprojects"];
const CONTROLLER: &str = "argocd-application-controller";

fn programs() -> PathBuf {
    let what = "Argo CD's application controller";
    GoModule { folder: module("argo"), name: "argo", what, programs: PROGRAMS, more: Vec::new() }.build("").unwrap()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A deployment that Argo CD applies.
struct Argo {
    neighbour: Neighbour,
    /// That of Argo CD and of the Application.
    namespace: Namespace<'static>,
    repository: PathBuf,
    /// Each test has another one: Argo CD prunes what has the Application's name and is not in its source.
    application: &'static str,
}

impl Argo {
    async fn new(folder: &'static str, application: &'static str, policy: Value) -> Self {
        let programs = tokio::task::spawn_blocking(programs).await.unwrap();
        let mut neighbour = Neighbour::new(folder).await;
        let argo = "github.com/argoproj/argo-cd/v3";
        let crd = |name: &str| pinned_file(&module("argo"), argo, &format!("manifests/crds/{name}-crd.yaml"));
        neighbour.define([crd("application"), crd("appproject")]).await;
        let namespace = Sandbox::shared().namespace().await.unwrap();
        let own = namespace.name();
        let labels = json!({"app.kubernetes.io/part-of": "argocd"});
        // It watches only what it applies here: the server has more tests than this one.
        let watched = "- apiGroups: [matrix.element.io]\n  kinds: ['*']\n  clusters: ['*']\n";
        let settings =
            json!({"metadata": {"name": "argocd-cm", "labels": labels}, "data": {"resource.inclusions": watched}});
        neighbour.apply(own, ["", "v1", "ConfigMap", "configmaps"], settings).await;
        let secret = json!({"metadata": {"name": "argocd-secret", "labels": labels}, "stringData": {"server.secretkey": "of-the-test"}});
        neighbour.apply(own, ["", "v1", "Secret", "secrets"], secret).await;
        let anywhere = json!([{"namespace": "*", "server": "*"}]);
        let project =
            json!({"metadata": {"name": "default"}, "spec": {"sourceRepos": ["*"], "destinations": anywhere}});
        neighbour.apply(own, PROJECT, project).await;

        let files = neighbour.supervisor.directory().to_owned();
        let files_of = |name: &str| files.join(name).display().to_string();
        let (socket, keys) = (files_of("ask-pass"), files_of("keys"));
        std::fs::create_dir(&keys).unwrap();
        let common = [
            ("ARGOCD_FAKE_IN_CLUSTER", "true"),
            ("ARGOCD_GPG_ENABLED", "false"),
            ("ARGOCD_ASK_PASS_SOCK", &socket),
            ("ARGOCD_TLS_DATA_PATH", &keys),
            ("ARGOCD_SSH_DATA_PATH", &keys),
        ];
        let program = programs.join("argocd");
        let (redis, sources) = (free_address(), free_address());
        let as_part = |name| [("ARGOCD_BINARY_NAME", name)].into_iter().chain(common).collect::<Vec<_>>();
        neighbour.run("redis", &programs.join("redis"), &[], &[&redis]);
        let (_, port) = sources.split_once(':').unwrap();
        let arguments = ["--redis", &redis, "--disable-tls", "--address", "127.0.0.1", "--port", port];
        let metrics = ["--metrics-address", "127.0.0.1", "--metrics-port", "0"];
        neighbour.run("repo-server", &program, &as_part("argocd-repo-server"), &[&arguments[..], &metrics].concat());
        for address in [&redis, &sources] {
            neighbour.wait(address, async |_| tokio::net::TcpStream::connect(address).await.is_ok()).await;
        }
        let arguments = ["--namespace", own, "--redis", &redis, "--repo-server", &sources];
        let more = ["--repo-server-plaintext", "--metrics-port", "0", "--loglevel", "warn"];
        neighbour.run(folder, &program, &as_part(CONTROLLER), &[&arguments[..], &more].concat());

        let repository = files.join("repository");
        let argo = Self { neighbour, namespace, repository, application };
        argo.git(&["init", "--quiet", "--initial-branch", "main", argo.repository.to_str().unwrap()], &files);
        argo.commit();
        let object = json!({
            "metadata": {"name": application},
            "spec": {
                "project": "default", "syncPolicy": policy,
                "source": {"repoURL": argo.url(), "path": ".", "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": argo.neighbour.scene.namespace.name()},
            },
        });
        argo.neighbour.apply(argo.namespace.name(), APPLICATION, object).await;
        argo
    }

    fn url(&self) -> String {
        format!("file://{}", self.repository.display())
    }

    fn git(&self, words: &[&str], folder: &std::path::Path) {
        let mut git = Command::new("git");
        git.current_dir(folder).args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(words);
        git.env("HOME", self.neighbour.supervisor.directory()).env("GIT_CONFIG_NOSYSTEM", "1");
        let done = git.output().unwrap();
        assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn commit(&self) {
        std::fs::write(self.repository.join("deployment.json"), self.neighbour.manifest.to_string()).unwrap();
        self.git(&["add", "--all"], &self.repository);
        self.git(&["commit", "--quiet", "--message", "change"], &self.repository);
    }

    async fn patch(&self, patch: Value) {
        let api = self.neighbour.api(self.namespace.name(), APPLICATION);
        api.patch(self.application, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// As `argocd app sync` asks for it, again after a failure: at first Argo CD does not know the cluster yet.
    async fn sync(&self) {
        let operation = json!({"operation": {"initiatedBy": {"username": "admin"}, "sync": {"revision": "main"}}});
        self.patch(operation.clone()).await;
        let finished = async |argo: &Neighbour| {
            let application = argo.api(self.namespace.name(), APPLICATION).get(self.application).await.unwrap();
            let state = &application.data["status"]["operationState"];
            if !application.data["operation"].is_null() {
                return false;
            }
            if state["phase"] != "Succeeded" {
                println!("{state}");
                self.patch(operation.clone()).await;
            }
            state["phase"] == "Succeeded"
        };
        self.neighbour.wait("the end of the sync", finished).await;
    }
}

impl GitOps for Argo {
    fn neighbour(&self) -> &Neighbour {
        &self.neighbour
    }

    fn manifest(&mut self) -> &mut Value {
        &mut self.neighbour.manifest
    }

    /// As a commit, which Argo CD is told of as by a webhook.
    async fn publish(&mut self) {
        self.commit();
        self.patch(json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})).await;
    }

    async fn object(&self) -> (&'static str, Value) {
        let object = self.neighbour.api(self.namespace.name(), APPLICATION).get(self.application).await.unwrap();
        let text = serde_json::to_string(&object).unwrap();
        let text =
            text.replace(&self.url(), "https://git.example.com/chat.git").replace(self.namespace.name(), "argocd");
        ("application", serde_json::from_str(&text).unwrap())
    }
}

#[tokio::test]
#[ignore = "builds Argo CD, which takes minutes"]
async fn argo_cd_makes_each_change_and_reverts_those_made_in_place() {
    let mut argo = Argo::new("argo", "chat-prod", json!({"automated": {"prune": true, "selfHeal": true}})).await;
    argo.neighbour.applied().await;
    each_step_is_made_through_the_source(&mut argo, "application chat-prod", "argocd-controller").await;
}

#[tokio::test]
#[ignore = "builds Argo CD, which takes minutes"]
async fn argo_cd_with_server_side_apply_makes_each_change_and_reverts_those_made_in_place() {
    let policy = json!({"automated": {"selfHeal": true}, "syncOptions": ["ServerSideApply=true"]});
    let mut argo = Argo::new("argo-server-side", "chat-server-side", policy).await;
    argo.neighbour.applied().await;
    each_step_is_made_through_the_source(&mut argo, "application chat-server-side", "argocd-controller").await;
}

#[tokio::test]
#[ignore = "builds Argo CD, which takes minutes"]
async fn argo_cd_without_automation_leaves_a_change_made_in_place() {
    for (name, options) in [("chat-manual", json!([])), ("chat-manual-server-side", json!(["ServerSideApply=true"]))] {
        let argo = Argo::new("argo", name, json!({"syncOptions": options})).await;
        argo.sync().await;
        argo.neighbour.applied().await;
        argo.record("manual").await;
        each_step_is_made_in_place(&argo.neighbour, "does not sync automatically").await;
        // The manifest does not name MAS, and Argo CD leaves alone what the manifest does not name.
        argo.sync().await;
        argo.patch(json!({"spec": {"syncPolicy": {"automated": {"selfHeal": true}}}})).await;
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(argo.neighbour.is_active().await, json!(true), "{options}");
    }
}
