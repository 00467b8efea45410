//! Reads objects, the schema, the caller's identity and permissions.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{SelfSubjectAccessReview, SelfSubjectRulesReview};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::core::ApiResource;
use serde_json::{Value, json};

use super::client::connect::Cluster;
use super::client::transport::{Outgoing, Reply};
use super::errors::ClusterError;
use super::list::Selection;
use super::resource::{Action, ApiVersion, address, resource};

impl Cluster {
    /// Reads one object; a missing one is an error of kind [`super::ErrorKind::NotFound`]. One request. `namespace` is `None`
    /// for cluster-scoped objects.
    pub async fn get(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Value, ClusterError> {
        let action = Action::new("get", resource, namespace, Some(name));
        let outgoing = Outgoing::get(address(resource, namespace, Some(name)), action);
        self.ask_for(&outgoing, object).await
    }

    /// Reads one object; `None` if it doesn't exist.
    pub async fn find(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, ClusterError> {
        match self.get(resource, namespace, name).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn find_secret(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        self.find(&resource::<Secret>(), Some(namespace), name).await
    }

    pub async fn find_config_map(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        self.find(&resource::<ConfigMap>(), Some(namespace), name).await
    }

    /// The Secrets of Helm's deployed releases in a namespace: of one release, or all. Helm labels them `owner=helm`, `name`,
    /// `status` and `version`.
    pub async fn helm_releases(&self, namespace: &str, release: Option<&str>) -> Result<Vec<Value>, ClusterError> {
        let name = release.map_or_else(String::new, |release| format!(",name={release}"));
        let selection = Selection { labels: Some(format!("owner=helm,status=deployed{name}")), fields: None };
        // Small pages: such a Secret can have a megabyte.
        self.list::<Value>(&resource::<Secret>(), Some(namespace), selection, 20).all().await
    }

    /// The `OpenAPI` schema of the ElementDeployment in this version, which every authenticated user can read (the CRD itself
    /// is readable for administrators only). One request. The server prunes fields that it lacks, so it shows the features.
    ///
    /// `None` if the server publishes no schema for the kind.
    pub async fn deployment_schema(&self, version: ApiVersion) -> Result<Option<Value>, ClusterError> {
        let resource = version.resource();
        let outgoing = Outgoing::get(Self::schema_path(version), Action::new("get", &resource, None, None));
        let mut document: Value = self.ask_for(&outgoing, |answer| serde_json::from_slice(&answer.body)).await?;
        let schemas = document["components"]["schemas"].as_object_mut();
        Ok(schemas
            .and_then(|schemas| schemas.values_mut().find(|schema| is_schema_of(schema, &resource)).map(Value::take)))
    }

    pub fn schema_path(version: ApiVersion) -> String {
        format!("/openapi/v3/apis/{}", version.resource().api_version)
    }

    /// The caller's user name, for the record. `None` if the server doesn't return it (before Kubernetes 1.28, or forbidden).
    pub async fn who_am_i(&self) -> Option<String> {
        let answer = self.review::<SelfSubjectReview>(Value::Null).await.ok()?;
        answer["status"]["userInfo"]["username"].as_str().map(str::to_owned)
    }

    /// The caller's permissions in a namespace: the review's `status`, which may be incomplete. One request, which RBAC's default
    /// roles allow everyone.
    pub async fn rules(&self, namespace: &str) -> Result<Value, ClusterError> {
        let mut answer = self.review::<SelfSubjectRulesReview>(json!({"namespace": namespace})).await?;
        Ok(answer["status"].take())
    }

    /// Whether the caller has one permission, a review's `spec`. One request.
    pub async fn may(&self, spec: Value) -> Result<Option<bool>, ClusterError> {
        Ok(self.review::<SelfSubjectAccessReview>(spec).await?["status"]["allowed"].as_bool())
    }

    /// A review stores nothing, so it is retried like a read.
    async fn review<K: kube::Resource<DynamicType = ()>>(&self, spec: Value) -> Result<Value, ClusterError> {
        let resource = resource::<K>();
        let mut body = json!({"apiVersion": resource.api_version, "kind": resource.kind});
        if !spec.is_null() {
            body["spec"] = spec;
        }
        let outgoing = Outgoing {
            method: http::Method::POST,
            content_type: Some("application/json"),
            body: body.to_string().into_bytes(),
            ..Outgoing::get(address(&resource, None, None), Action::new("create", &resource, None, None))
        };
        self.ask_for(&outgoing, object).await
    }
}

/// Parses an API object, which has a `kind`.
pub(super) fn object(answer: &Reply) -> Result<Value, serde_json::Error> {
    let value: Value = serde_json::from_slice(&answer.body)?;
    if value["kind"].is_string() {
        return Ok(value);
    }
    Err(serde::de::Error::custom("not an API object"))
}

fn is_schema_of(schema: &Value, resource: &ApiResource) -> bool {
    schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten().any(|kind| {
        kind["group"] == *resource.group && kind["version"] == *resource.version && kind["kind"] == *resource.kind
    })
}

/// Adds API version and kind to an item of a list, which may lack them.
pub fn with_kind(mut object: Value, resource: &ApiResource) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.entry("apiVersion").or_insert_with(|| resource.api_version.clone().into());
        map.entry("kind").or_insert_with(|| resource.kind.clone().into());
    }
    object
}

#[cfg(test)]
mod tests;
