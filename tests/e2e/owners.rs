//! Who else writes the manifest, and what that means for a change made in place.

use ess_mas_sandbox::prelude::*;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::scene::Scene;

async fn helm_owned() -> Scene {
    Scene::changed(Behaviour::default(), |deployment| {
        deployment
            .set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
            .set("/metadata/annotations/meta.helm.sh~1release-namespace", "ops")
            .set("/metadata/labels/app.kubernetes.io~1managed-by", "Helm")
    })
    .await
}

/// Leaves the trace that a Helm release of this major version leaves in `managedFields`.
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
async fn a_helm_release_is_told_apart_and_must_be_accepted_in_a_script() {
    for (major, consequence) in [(3, "the values are silently wrong"), (4, "fails with a conflict")] {
        let scene = helm_owned().await;
        as_helm(&scene, major).await;
        scene.until(|object| crate::scene::condition(object, "Successful") == "True").await;
        // `prepare` does not touch the deployment, so its owner does not matter there.
        scene.prepare().await;
        let before = scene.versions().await;
        let done = scene.shell.run("dry-run --yes").await.expect(11);
        done.says(&format!("release ess (Helm {major})")).says(consequence);
        done.says("--accept manifest-owned-by-helm").says("config.active: false");
        assert_eq!(scene.versions().await, before);
        let accept = ["--accept", "manifest-owned-by-helm"];
        // `check` tells beforehand what will have to be accepted.
        scene.shell.run("check").await.expect(11).shows("manifest-owned-by-helm");
        let _ = scene.shell.run("dry-run --yes --accept manifest-owned-by-helm").await.expect(0);
        scene.activate().await.expect(11).says("--accept manifest-owned-by-helm").says("nothing was changed");
        scene.activate_with(&accept).await.expect(0).says("config.active: true");
    }
}

#[tokio::test]
async fn what_a_gitops_tool_would_revert_is_not_written() {
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
async fn what_the_installer_wrote_must_be_accepted_in_a_script() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment.set("/metadata/annotations/ui.element.io~1layer", "components: []")
    })
    .await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(11).says("--accept manifest-owned-by-installer");
    let _ = scene.shell.run("dry-run --yes --accept manifest-owned-by-installer").await.expect(0);
}
