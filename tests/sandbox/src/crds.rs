//! The `elementdeployments.matrix.element.io` CRD, of several releases.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use crate::Result;

pub const NAME: &str = "elementdeployments.matrix.element.io";

/// The release of the CRD. A server has one at a time, because all have the same name: start a separate sandbox for an older one,
/// or [`install`] another one to simulate an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// With `components.matrixAuthenticationService.config.active`.
    Current,
    /// With MAS, as releases since 24.09, but without `active`.
    WithoutMigration,
    /// Without MAS.
    WithoutMas,
}

/// The CRD of a release. The older ones are the current one without the fields that they lack.
pub fn definition(release: Release) -> Result<Value> {
    let mut crd: Value = serde_yaml::from_str(include_str!("crds/elementdeployments.yaml"))?;
    let mas = "/schema/openAPIV3Schema/properties/spec/properties/components/properties";
    let (pointer, key) = match release {
        Release::Current => return Ok(crd),
        Release::WithoutMas => (mas.to_owned(), "matrixAuthenticationService"),
        Release::WithoutMigration => {
            (format!("{mas}/matrixAuthenticationService/properties/config/properties"), "active")
        }
    };
    for version in crd["spec"]["versions"].as_array_mut().into_iter().flatten() {
        let removed = version.pointer_mut(&pointer).and_then(Value::as_object_mut).and_then(|all| all.remove(key));
        removed.ok_or_else(|| format!("the CRD has no {pointer}/{key} to take out"))?;
    }
    Ok(crd)
}

/// Installs or replaces the CRD, and returns once the server serves exactly this schema.
pub async fn install(client: &kube::Client, release: Release) -> Result<()> {
    let definition = definition(release)?;
    let crds = Api::<CustomResourceDefinition>::all(client.clone());
    let parameters = PatchParams::apply("ess-mas-sandbox").force();
    crds.patch(NAME, &parameters, &Patch::Apply(&definition)).await?;
    for _ in 0..600 {
        if established(&crds.get(NAME).await?) && published(client, release).await {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("the API server does not serve {NAME} after 30 s").into())
}

/// Whether a server has the CRD. On an existing cluster, call this before [`install`], which replaces it.
pub async fn installed(client: &kube::Client) -> Result<bool> {
    Ok(Api::<CustomResourceDefinition>::all(client.clone()).get_opt(NAME).await?.is_some())
}

/// Deletes the CRD, and with it every `ElementDeployment`.
pub async fn remove(client: &kube::Client) -> Result<()> {
    let crds = Api::<CustomResourceDefinition>::all(client.clone());
    crds.delete(NAME, &kube::api::DeleteParams::default()).await?;
    for _ in 0..600 {
        if crds.get_opt(NAME).await?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("{NAME} still exists after 30 s").into())
}

fn established(crd: &CustomResourceDefinition) -> bool {
    let conditions = crd.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|one| one.type_ == "Established" && one.status == "True")
}

/// Waits until the handlers use the new schema, which is after "Established": until a server-side dry run keeps or refuses a field
/// as this release does.
async fn published(client: &kube::Client, release: Release) -> bool {
    let knows_active = release == Release::Current;
    let knows_mas = release != Release::WithoutMas;
    accepts(client, "active", serde_json::json!(true)).await == Some(knows_active)
        && accepts(client, "encryptionSecretSecretKey", serde_json::json!("x")).await == Some(knows_mas)
}

/// Whether a MAS component with this field would be stored; `None` after another error.
async fn accepts(client: &kube::Client, field: &str, value: Value) -> Option<bool> {
    let mut object = serde_json::json!({
        "apiVersion": "matrix.element.io/v1alpha2",
        "kind": "ElementDeployment",
        "metadata": {"name": "schema-probe"},
        "spec": {
            "global": {"config": {"domainName": "example.com"}},
            "components": {"matrixAuthenticationService": {"config": {
                "postgresql": {"database": "mas", "host": "localhost", "user": "mas"},
            }}},
        },
    });
    object["spec"]["components"]["matrixAuthenticationService"]["config"][field] = value;
    let path =
        "/apis/matrix.element.io/v1alpha2/namespaces/default/elementdeployments?dryRun=All&fieldValidation=Strict";
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&object).ok()?)
        .ok()?;
    match client.request::<Value>(request).await {
        Ok(_) => Some(true),
        Err(kube::Error::Api(status)) if status.message.contains("unknown field") => Some(false),
        Err(_) => None,
    }
}

/// The kind for `kube`'s dynamic API, in the stored version.
pub fn resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("matrix.element.io", "v1alpha2", "ElementDeployment");
    ApiResource::from_gvk_with_plural(&kind, "elementdeployments")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(release: Release, version: usize) -> Vec<String> {
        let crd = definition(release).unwrap();
        let pointer = format!(
            "/spec/versions/{version}/schema/openAPIV3Schema/properties/spec/properties/components/properties/matrixAuthenticationService/properties/config/properties"
        );
        crd.pointer(&pointer).and_then(Value::as_object).map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }

    #[test]
    fn each_release_has_its_fields_in_both_versions() {
        for version in [0, 1] {
            assert!(keys(Release::Current, version).contains(&"active".to_owned()));
            let middle = keys(Release::WithoutMigration, version);
            assert!(!middle.contains(&"active".to_owned()) && middle.contains(&"postgresql".to_owned()));
            assert!(keys(Release::WithoutMas, version).is_empty());
        }
    }

    #[test]
    fn only_the_status_keeps_unknown_fields() {
        let crd = definition(Release::Current).unwrap();
        for version in crd["spec"]["versions"].as_array().unwrap() {
            let schema = &version["schema"]["openAPIV3Schema"]["properties"];
            let marker = "x-kubernetes-preserve-unknown-fields";
            assert_eq!(schema["status"][marker], true);
            assert!(!schema["spec"].to_string().contains(marker));
        }
    }
}
