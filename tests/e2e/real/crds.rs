//! The real CRDs of cert-manager, External Secrets and Sealed Secrets, from their Go modules. Their controllers do not run here:
//! this test writes what they write, after the sources that it names.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::common::command::Done;
use crate::common::scene::{PASSWORD, Scene};

const CERT_MANAGER: &str = "github.com/cert-manager/cert-manager@v1.21.2";
const EXTERNAL_SECRETS: &str = "github.com/external-secrets/external-secrets@v1.3.2";
const SEALED_SECRETS: &str = "github.com/bitnami-labs/sealed-secrets@v0.40.0";

/// The folder of a Go module, downloaded if necessary.
fn module(version: &str) -> PathBuf {
    let download = Command::new("go").args(["mod", "download", "-json", version]).output().unwrap();
    let answer: Value = serde_json::from_slice(&download.stdout).unwrap();
    PathBuf::from(answer["Dir"].as_str().unwrap_or_else(|| panic!("{version}: {answer}")))
}

/// Installs a CRD, and returns the API of its objects.
async fn install(scene: &Scene, version: &str, file: &str) -> Api<DynamicObject> {
    let text = std::fs::read_to_string(module(version).join(file)).unwrap();
    let mut crd: Value = serde_yaml::from_str(&text).unwrap();
    // Its webhooks do not run here.
    crd["spec"].as_object_mut().unwrap().remove("conversion");
    let client = scene.namespace.client().unwrap();
    let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
    let names = &crd["spec"]["names"];
    let versions = crd["spec"]["versions"].as_array().unwrap();
    let stored = versions.iter().find(|version| version["storage"] == true).unwrap()["name"].as_str().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let kind = GroupVersionKind::gvk(&text(&crd["spec"]["group"]), stored, &text(&names["kind"]));
    let resource = ApiResource::from_gvk_with_plural(&kind, &text(&names["plural"]));
    let api = match crd["spec"]["scope"].as_str() {
        Some("Cluster") => Api::all_with(client.clone(), &resource),
        _ => Api::namespaced_with(client.clone(), scene.namespace.name(), &resource),
    };
    let crds: Api<CustomResourceDefinition> = Api::all(client);
    crds.patch(&name, &PatchParams::apply("ess-mas-tests").force(), &Patch::Apply(crd)).await.unwrap();
    for _ in 0..600 {
        if api.list(&kube::api::ListParams::default()).await.is_ok() {
            return api;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is not served after 30 s");
}

async fn create(api: &Api<DynamicObject>, object: Value) -> DynamicObject {
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap()
}

async fn prepare(scene: &Scene, words: &str) -> Done {
    scene.prepare_with(&words.split_whitespace().collect::<Vec<_>>(), &format!("{PASSWORD}\n")).await
}

/// The conditions are those of `pkg/issuer/{ca,acme,selfsigned,vault}/setup.go`.
#[tokio::test]
#[ignore = "downloads the CRDs of cert-manager"]
async fn each_state_of_a_real_cluster_issuer_is_reported() {
    let scene = Scene::new(Behaviour::default()).await;
    let api = install(&scene, CERT_MANAGER, "deploy/crds/cert-manager.io_clusterissuers.yaml").await;
    let missing = r#"Error getting keypair for CA issuer: secrets "root" not found"#;
    let sealed = "Failed to verify Vault is initialized and unsealed: error calling Vault sys/health";
    let vault = json!({"vault": {"server": "https://vault.example.com", "path": "pki/sign/x",
        "auth": {"tokenSecretRef": {"name": "t", "key": "k"}}}});
    let acme =
        json!({"acme": {"server": "https://acme.example.com/directory", "privateKeySecretRef": {"name": "account"}}});
    for (name, spec, condition, code, words) in [
        ("self-signed", json!({"selfSigned": {}}), Some(("True", "IsReady", "")), 0, "ready"),
        (
            "company-ca",
            json!({"ca": {"secretName": "root"}}),
            Some(("True", "KeyPairVerified", "Signing CA verified")),
            0,
            "ready",
        ),
        ("lost-ca", json!({"ca": {"secretName": "root"}}), Some(("False", "ErrGetKeyPair", missing)), 11, missing),
        ("sealed-vault", vault, Some(("False", "VaultError", sealed)), 11, sealed),
        ("new-acme", acme, None, 11, "no condition Ready"),
    ] {
        create(
            &api,
            json!({"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": name}, "spec": spec}),
        )
        .await;
        if let Some((status, reason, message)) = condition {
            let ready = json!({"type": "Ready", "status": status, "reason": reason, "message": message,
                "lastTransitionTime": "2026-11-23T10:00:00Z", "observedGeneration": 1});
            let patch = Patch::Merge(json!({"status": {"conditions": [ready]}}));
            api.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
        }
        let done = prepare(&scene, &format!("--tls certmanager --issuer {name}")).await.expect(code);
        if code != 0 {
            done.says(&format!("ClusterIssuer {name}")).says(words);
        }
    }
    prepare(&scene, "--tls certmanager --issuer nobody").await.expect(10).says("the issuer doesn't exist");
}

/// Writes the MAS Secret as a controller does, and expects a warning before `prepare` adds keys to it.
async fn is_managed(scene: &Scene, metadata: Value, words: &str) {
    let name = scene.deployment.mas_secret_name();
    let mut metadata = metadata;
    metadata["name"] = json!(name);
    let secret = json!({"metadata": metadata, "data": {"postgresPassword": "Y29ycmVjdCBob3JzZQ=="}});
    let secret: Secret = serde_json::from_value(secret).unwrap();
    scene.secrets().create(&PostParams::default(), &secret).await.unwrap();
    let before = scene.versions().await;
    let done = prepare(scene, "").await.expect(11);
    done.says("mas-secret-managed").says(words).says("--secret-name NAME");
    assert_eq!(scene.versions().await, before);
}

/// `pkg/controllers/externalsecret/externalsecret_controller.go`, for `creationPolicy` Owner and Merge.
#[tokio::test]
#[ignore = "downloads the CRDs of External Secrets"]
async fn a_secret_of_a_real_external_secret_is_recognized() {
    for owned in [true, false] {
        let scene = Scene::new(Behaviour::default()).await;
        let api = install(&scene, EXTERNAL_SECRETS, "config/crds/bases/external-secrets.io_externalsecrets.yaml").await;
        let policy = if owned { "Owner" } else { "Merge" };
        let spec = json!({
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
            "target": {"name": scene.deployment.mas_secret_name(), "creationPolicy": policy},
            "data": [{"secretKey": "postgresPassword", "remoteRef": {"key": "mas"}}],
        });
        let made = create(
            &api,
            json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "mas-from-vault"}, "spec": spec}),
        )
        .await;
        let mut metadata = json!({
            "labels": {"reconcile.external-secrets.io/managed": "true"},
            "annotations": {"reconcile.external-secrets.io/data-hash": "9a1b"},
        });
        if owned {
            metadata["labels"]["reconcile.external-secrets.io/created-by"] = json!("77ab");
            metadata["ownerReferences"] = json!([{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
                "name": "mas-from-vault", "uid": made.metadata.uid, "controller": true, "blockOwnerDeletion": true}]);
        }
        is_managed(&scene, metadata, if owned { "ExternalSecret mas-from-vault" } else { "External Secrets Operator" })
            .await;
    }
}

/// `pkg/apis/sealedsecrets/v1alpha1/sealedsecret_expansion.go`: the Secret has the name of its `SealedSecret`.
#[tokio::test]
#[ignore = "downloads the CRD of Sealed Secrets"]
async fn a_secret_of_a_real_sealed_secret_is_recognized() {
    let scene = Scene::new(Behaviour::default()).await;
    let file = "helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml";
    let api = install(&scene, SEALED_SECRETS, file).await;
    let name = scene.deployment.mas_secret_name();
    let made = create(
        &api,
        json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": name},
            "spec": {"encryptedData": {"postgresPassword": "AgBy"}, "template": {"metadata": {"name": name}}}}),
    )
    .await;
    let owner = json!([{"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": name,
        "uid": made.metadata.uid, "controller": true}]);
    is_managed(&scene, json!({"ownerReferences": owner}), &format!("SealedSecret {name}")).await;
}
