//! The API server validates and prunes objects as the vendor's CRD specifies.

use ess_mas_sandbox::Result;
use ess_mas_sandbox::crds::{self, Release};
use ess_mas_sandbox::prelude::*;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

async fn create(deployment: &Deployment, client: &kube::Client) -> kube::Result<DynamicObject> {
    let object: DynamicObject = serde_json::from_value(deployment.object().clone()).unwrap();
    deployment.api(client).create(&PostParams::default(), &object).await
}

#[tokio::test]
async fn defaults_are_stored() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let deployment = Deployment::new("one", namespace.name()).with_mas(false);
    let stored = create(&deployment, &namespace.client()?).await?.data;
    let at = |pointer: &str| stored.pointer(pointer).cloned().unwrap_or(Value::Null);
    let mas = "/spec/components/matrixAuthenticationService";
    for (pointer, value) in [
        ("/spec/global/config/genericSharedSecretSecretKey".to_owned(), json!("genericSharedSecret")),
        ("/spec/components/elementWeb/secretName".to_owned(), json!("element-web")),
        ("/spec/components/synapse/config/macaroonSecretKey".to_owned(), json!("macaroon")),
        ("/spec/components/synapse/config/postgresql/sslMode".to_owned(), json!("require")),
        (format!("{mas}/config/encryptionSecretSecretKey"), json!("encryptionSecret")),
        (format!("{mas}/config/rsaPrivateKeySecretKey"), json!("rsaPrivateKey")),
        (format!("{mas}/config/postgresql/passwordSecretKey"), json!("postgresPassword")),
        (format!("{mas}/config/postgresql/port"), json!(5432)),
        (format!("{mas}/config/active"), json!(false)),
    ] {
        assert_eq!(at(&pointer), value, "{pointer}");
    }
    assert!(stored.get("status").is_none());
    Ok(())
}

#[tokio::test]
async fn unknown_fields_are_pruned_from_the_spec_and_refused_with_strict_validation() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    let deployment = Deployment::new("one", namespace.name());
    create(&deployment, &client).await?;
    let change = Patch::Merge(json!({"spec": {"components": {"synapse": {"config": {"activ": true}}}}}));
    let api = deployment.api(&client);
    let stored = api.patch("one", &PatchParams::default(), &change).await?;
    assert!(stored.data.pointer("/spec/components/synapse/config/activ").is_none());
    assert_eq!(stored.metadata.generation, Some(1), "a patch that changes nothing is no change");
    let refused = api.patch("one", &PatchParams::default().validation_strict(), &change).await.err();
    assert!(matches!(refused, Some(kube::Error::Api(status)) if status.message.contains("unknown field")));
    Ok(())
}

#[tokio::test]
async fn status_keeps_unknown_fields_and_is_written_only_through_its_subresource() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    let deployment = Deployment::new("one", namespace.name());
    create(&deployment, &client).await?;
    let api = deployment.api(&client);
    let change = Patch::Merge(json!({"status": {"mas_active": true, "deep": {"er": [1]}}}));
    assert!(api.patch("one", &PatchParams::default(), &change).await?.data.get("status").is_none());
    let stored = api.patch_status("one", &PatchParams::default(), &change).await?;
    assert_eq!(stored.data["status"], json!({"mas_active": true, "deep": {"er": [1]}}));
    assert_eq!(stored.metadata.generation, Some(1));
    Ok(())
}

#[tokio::test]
async fn tls_is_one_of_four_modes_with_just_what_each_needs() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    let certificate = json!({"certFileSecretKey": "c", "privateKeySecretKey": "k"});
    let cases = [
        (json!({"mode": "external"}), true),
        (json!({"mode": "certmanager", "certmanager": {"issuer": "i"}}), true),
        (json!({"mode": "certfile", "certificate": certificate}), true),
        (json!({"mode": "existing", "secretName": "s"}), true),
        (json!({"mode": "none"}), false),
        (json!({}), false),
        (json!({"mode": "existing"}), false),
        (json!({"mode": "certfile"}), false),
        (json!({"mode": "certmanager", "certmanager": {}}), false),
        (json!({"mode": "external", "secretName": "s"}), false),
        (json!({"mode": "existing", "secretName": "s", "certificate": certificate}), false),
        (json!({"mode": "certmanager", "certmanager": {"issuer": "i"}, "secretName": "s"}), false),
    ];
    for (index, (tls, good)) in cases.into_iter().enumerate() {
        for place in ["/spec/components/synapse/k8s/ingress/tls", "/spec/global/k8s/ingresses/tls"] {
            let name = format!("tls-{index}-{}", place.len());
            let deployment = Deployment::new(&name, namespace.name()).set(place, tls.clone());
            assert_eq!(create(&deployment, &client).await.is_ok(), good, "{place}: {tls}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn both_versions_are_served_and_differ_in_nothing_but_their_name() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    let deployment = Deployment::new("one", namespace.name()).with_mas(false);
    let stored = create(&deployment, &client).await?;
    let mut old = crds::resource();
    old.version = "v1alpha1".to_owned();
    old.api_version = "matrix.element.io/v1alpha1".to_owned();
    let read = Api::<DynamicObject>::namespaced_with(client, namespace.name(), &old).get("one").await?;
    assert_eq!(read.types.clone().unwrap_or_default().api_version, "matrix.element.io/v1alpha1");
    assert_eq!(read.data, stored.data);
    Ok(())
}

#[tokio::test]
async fn older_releases_prune_unknown_fields_and_can_be_upgraded() -> Result<()> {
    let sandbox = Sandbox::start(Release::WithoutMas)?;
    let namespace = sandbox.namespace().await?;
    let client = namespace.client()?;
    let mas = "/spec/components/matrixAuthenticationService";
    let first = create(&Deployment::new("one", namespace.name()).with_mas(true), &client).await?;
    assert!(first.data.pointer(mas).is_none());
    assert!(first.data.pointer("/spec/components/synapse/config/delegatedAuth/oidc/1/idpId").is_some());

    crds::install(&client, Release::WithoutMigration).await?;
    let second = create(&Deployment::new("two", namespace.name()).with_mas(true), &client).await?;
    assert!(second.data.pointer(mas).is_some());
    assert!(second.data.pointer(&format!("{mas}/config/active")).is_none());

    crds::remove(&client).await?;
    assert!(!crds::installed(&client).await?);
    crds::install(&client, Release::Current).await?;
    assert!(crds::installed(&client).await?);
    let third = create(&Deployment::new("three", namespace.name()).with_mas(true), &client).await?;
    assert_eq!(third.data.pointer(&format!("{mas}/config/active")), Some(&json!(true)));
    Ok(())
}
