//! Other owners of the manifest, and their effect on a change in the cluster.

mod helm;
mod via_owner;

use ess_mas_sandbox::prelude::*;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::common::scene::Scene;

async fn helm_owned() -> Scene {
    Scene::changed(Behaviour::default(), |deployment| {
        deployment
            .set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
            .set("/metadata/annotations/meta.helm.sh~1release-namespace", "ops")
            .set("/metadata/labels/app.kubernetes.io~1managed-by", "Helm")
    })
    .await
}

/// Writes the entry that a Helm release of this major version leaves in `managedFields`.
async fn as_helm(scene: &Scene, major: u8) {
    let object = json!({
        "apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment",
        "metadata": {"name": scene.deployment.name(), "labels": {"helm.sh/chart": "element-deployment"}},
        "spec": {"global": {"config": {"domainName": "example.com"}}},
    });
    let params = PatchParams { field_manager: Some("helm".into()), force: major == 4, ..PatchParams::default() };
    let patch = if major == 4 { Patch::Apply(object) } else { Patch::Merge(object) };
    scene.api().patch(scene.deployment.name(), &params, &patch).await.unwrap();
}

#[tokio::test]
async fn a_helm_release_must_be_accepted_in_a_script() {
    for (major, consequence) in [(3, "the values differ from it until"), (4, "fails with a conflict")] {
        let scene = helm_owned().await;
        as_helm(&scene, major).await;
        scene.until(|object| crate::common::scene::condition(object, "Successful") == "True").await;
        // `prepare` doesn't change the deployment, so its owner doesn't matter.
        scene.prepare().await;
        let before = scene.versions().await;
        let done = scene.shell.run("dry-run --yes").await.expect(11);
        done.says(&format!("release ess (Helm {major})")).says(consequence);
        done.says("--accept manifest-owned-by-helm").says("config.active: false");
        assert_eq!(scene.versions().await, before);
        let accept = ["--accept", "manifest-owned-by-helm"];
        // `check` reports what must be accepted later.
        scene.shell.run("check").await.expect(11).shows("manifest-owned-by-helm");
        let _ = scene.shell.run("dry-run --yes --accept manifest-owned-by-helm").await.expect(0);
        scene.activate().await.expect(11).says("--accept manifest-owned-by-helm").says("nothing was changed");
        scene.activate_with(&accept).await.expect(0).says("config.active: true");
    }
}

#[tokio::test]
async fn a_change_that_a_gitops_tool_would_revert_is_not_written() {
    for (pointer, value, name) in [
        (
            "/metadata/annotations/argocd.argoproj.io~1tracking-id",
            "chat:matrix.element.io/ElementDeployment:n/a",
            "Argo CD",
        ),
        ("/metadata/labels/argocd.argoproj.io~1instance", "chat", "Argo CD"),
        ("/metadata/labels/kustomize.toolkit.fluxcd.io~1name", "chat", "Flux"),
        ("/metadata/labels/helm.toolkit.fluxcd.io~1name", "chat", "Flux"),
    ] {
        let scene = Scene::changed(Behaviour::default(), |deployment| deployment.set(pointer, value)).await;
        scene.prepare().await;
        let before = scene.versions().await;
        let done = scene.shell.run("dry-run --yes --accept manifest-owned-by-gitops").await.expect(10);
        done.says(name).says("manifest-owned-by-gitops").says("nothing was changed");
        scene.shell.run("check").await.expect(10).shows(name);
        assert_eq!(scene.versions().await, before);
    }
}

#[tokio::test]
async fn a_deployment_of_the_installer_must_be_accepted_in_a_script() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment.set("/metadata/annotations/ui.element.io~1layer", "components: []")
    })
    .await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(11).says("--accept manifest-owned-by-installer");
    let _ = scene.shell.run("dry-run --yes --accept manifest-owned-by-installer").await.expect(0);
}

/// A cluster with Argo CD, reduced to its `Application`s.
async fn argo_application(scene: &Scene, name: &str, policy: serde_json::Value) {
    let client = scene.namespace.client().unwrap();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "applications.argoproj.io"},
        "spec": {
            "group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Application", "plural": "applications", "singular": "application"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    let post = |path: String, body: serde_json::Value| {
        let request = http::Request::post(path).header("content-type", "application/json");
        client.request::<serde_json::Value>(request.body(body.to_string().into_bytes()).unwrap())
    };
    let _ = post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned(), definition).await;
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{}/applications", scene.namespace.name());
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                             "metadata": {"name": name}, "spec": {"syncPolicy": policy}});
    for _ in 0..400 {
        if post(path.clone(), application.clone()).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the Application could not be made in 10 s");
}

#[tokio::test]
async fn argo_cd_without_self_heal_is_a_warning_and_with_it_a_blocker() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment.set("/metadata/labels/argocd.argoproj.io~1instance", "heals-not")
    })
    .await;
    scene.prepare().await;
    argo_application(&scene, "heals-not", json!({"automated": {"prune": true}})).await;
    let done = scene.shell.run("dry-run --yes").await.expect(11);
    done.says("without selfHeal").says("--accept manifest-owned-by-gitops");
    argo_application(&scene, "heals", json!({"automated": {"selfHeal": true}})).await;
    scene.patch(json!({"metadata": {"labels": {"argocd.argoproj.io/instance": "heals"}}})).await;
    scene.shell.run("dry-run --yes").await.expect(10).says("application heals").says("--via-owner");
}

#[tokio::test]
async fn an_applied_manifest_that_would_switch_mas_off_is_reported_before_and_after() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    // As `kubectl apply` leaves it.
    let mut file = scene.object().await;
    file.as_object_mut().unwrap().remove("status");
    file["metadata"].as_object_mut().unwrap().remove("managedFields");
    let note = json!({"kubectl.kubernetes.io/last-applied-configuration": file.to_string()});
    scene.patch(json!({"metadata": {"annotations": note}})).await;
    scene.operator.wait_for_run().await;
    scene.until(|object| crate::common::scene::condition(object, "Successful") == "True").await;
    let done = scene.activate().await.expect(11);
    done.says("active: false. Applying that file again restores this value").says("switch MAS off");
    let _ = scene.activate_with(&["--accept", "manifest-applied"]).await.expect(0);
    scene.shell.run("check").await.expect(11).shows("manifest-applied").shows("config.active: true");
    // Once the file sets the same value, there is no warning.
    file["spec"]["components"]["matrixAuthenticationService"]["config"]["active"] = json!(true);
    let note = json!({"kubectl.kubernetes.io/last-applied-configuration": file.to_string()});
    scene.patch(json!({"metadata": {"annotations": note}})).await;
    scene
        .shell
        .run("check")
        .await
        .expect(0)
        .shows("also sets components.matrixAuthenticationService.config.active: true");
}

/// The operator's Deployment as its chart creates it; it has no ready pod here.
#[tokio::test]
async fn a_stopped_operator_is_reported_and_its_image_gives_the_release() {
    let scene = Scene::new(Behaviour::default()).await;
    let name = "element-updater-controller-manager";
    let labels = json!({"app.kubernetes.io/instance": name});
    let env = json!([{"name": "WATCH_NAMESPACE", "value": scene.namespace.name()}]);
    let deployment = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "manager", "image": "docker.io/vectorim/ess-core-updater:2.29.0", "env": env}]},
        }},
    });
    let api = kube::Api::<k8s_openapi::api::apps::v1::Deployment>::namespaced(
        scene.namespace.client().unwrap(),
        scene.namespace.name(),
    );
    let made = serde_json::from_value(deployment).unwrap();
    api.create(&kube::api::PostParams::default(), &made).await.unwrap();
    let check = scene.shell.run("check").await.expect(11);
    check.shows("operator-running").shows("no ready pod").shows("image docker.io/vectorim/ess-core-updater:2.29.0");
    let version = async || scene.shell.run("status -o json").await.expect(0).json()["items"][0]["version"].clone();
    let known = json!({"ess": "25.10.1", "chart": "2.29.0", "source": "image"});
    assert_eq!(version().await, known, "no step has noted it yet");
    let words = ["--accept", "operator-running"];
    let _ = scene.prepare_with(&words, "pw\n").await.expect(0);
    assert_eq!(version().await, known);
    scene.shell.run("dry-run --yes").await.expect(11).says("--accept operator-running");
    let ready = json!({"status": {"replicas": 1, "readyReplicas": 1}});
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(ready)).await.unwrap();
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
}
