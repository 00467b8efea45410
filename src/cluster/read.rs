//! Reading objects.

use serde_json::{Value, json};

use super::{
    connect::Cluster,
    errors::ClusterError,
    pages::Pages,
    resource::{Action, ApiVersion, Resource, Target, encoded},
    transport::Outgoing,
};

/// Which objects a list is about; both in Kubernetes' selector syntax.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `owner=helm,status=deployed`
    pub labels: Option<String>,
    /// `metadata.name=first-element`
    pub fields: Option<String>,
}

/// Who the API server takes the caller for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoAmI {
    /// The user name.
    pub user: String,
    /// Its groups, as the server lists them.
    pub groups: Vec<String>,
}

impl Cluster {
    /// Reads one object; absence is an error of kind [`super::ErrorKind::NotFound`]. One request.
    pub async fn get(&self, resource: Resource, namespace: &str, name: &str) -> Result<Value, ClusterError> {
        let action = Action::new("get", resource, Some(namespace), Some(name));
        let outgoing = Outgoing::get(resource.path(Some(namespace), Some(name)), action);
        self.ask_for(&outgoing, object).await.map(|(_, value)| value)
    }

    /// Reads one object; `None` where there is none.
    pub async fn find(&self, resource: Resource, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        match self.get(resource, namespace, name).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the ElementDeployment afresh.
    pub async fn get_deployment(&self, target: &Target) -> Result<Value, ClusterError> {
        self.get(target.api_version.resource(), &target.namespace, &target.name).await
    }

    /// The Secret of this name, or `None`.
    pub async fn find_secret(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        self.find(Resource::SECRET, namespace, name).await
    }

    /// The ConfigMap of this name, or `None`.
    pub async fn find_config_map(&self, namespace: &str, name: &str) -> Result<Option<Value>, ClusterError> {
        self.find(Resource::CONFIG_MAP, namespace, name).await
    }

    /// cert-manager's ClusterIssuer of this name, or `None`. [`super::ErrorKind::NoSuchApi`] where cert-manager is not
    /// installed; somebody who may not read it is refused whether it is or not.
    pub async fn find_cluster_issuer(&self, name: &str) -> Result<Option<Value>, ClusterError> {
        let resource = Resource::CLUSTER_ISSUER;
        let action = Action::new("get", resource, None, Some(name));
        let outgoing = Outgoing::get(resource.path(None, Some(name)), action);
        match self.ask_for(&outgoing, object).await {
            Ok((_, value)) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Helm's deployed release Secrets in a namespace: those of one release, or all. Helm labels them `owner=helm`,
    /// `name`, `status` and `version`.
    pub async fn helm_releases(&self, namespace: &str, release: Option<&str>) -> Result<Vec<Value>, ClusterError> {
        let mut labels = "owner=helm,status=deployed".to_owned();
        if let Some(release) = release {
            labels.push_str(",name=");
            labels.push_str(release);
        }
        let selection = Selection { labels: Some(labels), fields: None };
        // A release's Secret may be a megabyte.
        self.list::<Value>(Resource::SECRET, Some(namespace), selection, 20).all().await
    }

    /// Begins a list, page by page; the first request is made by [`Pages::next`].
    ///
    /// `T` may be a partial view, which spares memory. `namespace: None` means all of them; `limit` is the page size.
    pub fn list<T: serde::de::DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        selection: Selection,
        limit: u32,
    ) -> Pages<T> {
        Pages::new(self.clone(), resource, namespace.map(str::to_owned), selection, limit)
    }

    /// The `OpenAPI` schema of the ElementDeployment in this version, as the API server publishes it for everyone who
    /// is logged in (the CRD itself is readable for administrators only). One request. What is missing in it would be
    /// pruned on writing, so this is how features are detected.
    ///
    /// `None` when the server publishes no schema for the kind.
    pub async fn deployment_schema(&self, version: ApiVersion) -> Result<Option<Value>, ClusterError> {
        let resource = version.resource();
        let action = Action::new("get", resource, None, None);
        let outgoing = Outgoing::get(Self::schema_path(version), action);
        let (_, mut document) = self.ask_for(&outgoing, |body| serde_json::from_slice::<Value>(body)).await?;
        let schemas = document["components"]["schemas"].as_object_mut();
        Ok(schemas
            .and_then(|schemas| schemas.values_mut().find(|schema| is_schema_of(schema, &resource)).map(Value::take)))
    }

    /// The address of that schema.
    pub fn schema_path(version: ApiVersion) -> String {
        let resource = version.resource();
        format!("/openapi/v3/apis/{}/{}", resource.group, encoded(resource.version))
    }

    /// Who the caller is. `None` where the server does not tell (before Kubernetes 1.28, or not allowed): the answer is
    /// for the record only and never worth failing for.
    pub async fn who_am_i(&self) -> Option<WhoAmI> {
        let resource = Resource::SELF_SUBJECT_REVIEW;
        let outgoing = Outgoing {
            method: http::Method::POST,
            address: resource.path(None, None),
            accept: "application/json",
            content_type: Some("application/json"),
            body: json!({"apiVersion": resource.api_version(), "kind": resource.kind}).to_string().into_bytes(),
            action: Action::new("create", resource, None, None),
        };
        // A review stores nothing, so it is repeated like a read.
        let (_, answer) = self.ask_for(&outgoing, object).await.ok()?;
        let user = &answer["status"]["userInfo"];
        Some(WhoAmI {
            user: user["username"].as_str()?.to_owned(),
            groups: user["groups"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|group| group.as_str().map(str::to_owned))
                .collect(),
        })
    }
}

/// Reads an API object: JSON with metadata or a `kind`, not merely JSON.
pub(super) fn object(body: &[u8]) -> Result<Value, serde_json::Error> {
    let value: Value = serde_json::from_slice(body)?;
    if value["kind"].is_string() {
        return Ok(value);
    }
    Err(serde::de::Error::custom("not an API object"))
}

fn is_schema_of(schema: &Value, resource: &Resource) -> bool {
    schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten().any(|kind| {
        kind["group"] == resource.group && kind["version"] == resource.version && kind["kind"] == resource.kind
    })
}

/// Gives an item of a list the version and kind that the same object has when it is read alone; a list may leave them out.
pub(super) fn with_kind(mut object: Value, resource: &Resource) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.entry("apiVersion").or_insert_with(|| resource.api_version().into());
        map.entry("kind").or_insert_with(|| resource.kind.into());
    }
    object
}

#[cfg(test)]
mod tests;
