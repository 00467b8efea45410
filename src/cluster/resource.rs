//! Names and URL paths of API objects, and the description of the server.

use std::fmt;

use kube::Resource;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};

use crate::answers::http::encoded;

/// A served version of the ElementDeployment API. The order of [`Self::ALL`] is the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    V1Alpha2,
    /// Deprecated; served by older releases.
    V1Alpha1,
}

impl ApiVersion {
    /// Preferred first: the stored version needs no conversion webhook.
    pub const ALL: [Self; 2] = [Self::V1Alpha2, Self::V1Alpha1];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1Alpha2 => "v1alpha2",
            Self::V1Alpha1 => "v1alpha1",
        }
    }

    pub fn resource(self) -> ApiResource {
        foreign("matrix.element.io", self.as_str(), "ElementDeployment", "elementdeployments")
    }
}

/// An ElementDeployment and its API version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub api_version: ApiVersion,
    pub namespace: String,
    pub name: String,
}

pub fn resource<K: Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}

/// A custom resource.
pub fn foreign(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// The resource as `kubectl` and RBAC messages write it: `elementdeployments.matrix.element.io`.
pub fn qualified(resource: &ApiResource) -> String {
    if resource.group.is_empty() { resource.plural.clone() } else { format!("{}.{}", resource.plural, resource.group) }
}

/// The URL path of a collection, or of an object in it, without query.
///
/// kube doesn't encode names; here they come from a command line and must stay within their path segment.
pub(super) fn address(resource: &ApiResource, namespace: Option<&str>, name: Option<&str>) -> String {
    let collection = DynamicObject::url_path(resource, namespace.map(encoded).as_deref());
    name.map_or_else(|| collection.clone(), |name| format!("{collection}/{}", encoded(name)))
}

/// A query string with the leading `?`.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    format!("?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// A request to the API server, for messages and `kubectl auth can-i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// RBAC verb: `get`, `list`, `watch`, `create`, `update`, `patch`.
    pub verb: &'static str,
    pub resource: ApiResource,
    /// `None` for all namespaces.
    pub namespace: Option<String>,
    /// `None` for several objects.
    pub name: Option<String>,
}

impl Action {
    pub(super) fn new(verb: &'static str, resource: &ApiResource, namespace: Option<&str>, name: Option<&str>) -> Self {
        let (namespace, name) = (namespace.map(str::to_owned), name.map(str::to_owned));
        Self { verb, resource: resource.clone(), namespace, name }
    }

    /// The object in a sentence: `Secret ess-mas in namespace ess`.
    pub(super) fn object(&self) -> String {
        let kind = &self.resource.kind;
        match (&self.name, &self.namespace) {
            (Some(name), Some(namespace)) => format!("{kind} {name} in namespace {namespace}"),
            (Some(name), None) => format!("{kind} {name}"),
            (None, Some(namespace)) => format!("{kind}s in namespace {namespace}"),
            (None, None) if self.verb == "create" => format!("a {kind}"),
            (None, None) => format!("{kind}s in all namespaces"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.object())
    }
}

/// The server and the identity of the requests, for messages and hints. Contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Without user and password, like the proxy.
    pub server: String,
    pub proxy: Option<String>,
    /// The kubeconfig context; `None` inside a pod or with `--server` alone.
    pub context: Option<String>,
    /// `--as`
    pub impersonating: Option<String>,
    pub impersonating_groups: Vec<String>,
    /// Whether only kubectl can renew the login (OpenID Connect).
    pub renewed_by_kubectl: bool,
}

impl Place {
    /// ` --context NAME` for a kubectl command, or nothing.
    pub fn context_flag(&self) -> String {
        let flag = |context: &String| format!(" --context {}", shell_word(context));
        self.context.as_ref().map(flag).unwrap_or_default()
    }

    /// ` --as USER --as-group GROUP` for a kubectl command, or nothing.
    pub fn as_flags(&self) -> String {
        let user = self.impersonating.iter().map(|user| format!(" --as {}", shell_word(user)));
        user.chain(self.impersonating_groups.iter().map(|group| format!(" --as-group {}", shell_word(group)))).collect()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API server {}", self.server)?;
        self.context.iter().try_for_each(|context| write!(f, " (kubeconfig context {context})"))
    }
}

/// An argument of a command, quoted if the shell requires it.
pub fn shell_word(text: &str) -> String {
    let safe = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c));
    if safe { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;

    use super::*;

    #[test]
    fn addresses() {
        let deployment = ApiVersion::V1Alpha2.resource();
        assert_eq!(
            address(&deployment, Some("element-onprem"), Some("first")),
            "/apis/matrix.element.io/v1alpha2/namespaces/element-onprem/elementdeployments/first"
        );
        assert_eq!(address(&deployment, None, None), "/apis/matrix.element.io/v1alpha2/elementdeployments");
        assert_eq!(address(&resource::<Secret>(), Some("a"), None), "/api/v1/namespaces/a/secrets");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_address() {
        assert_eq!(
            address(&resource::<Secret>(), Some("a"), Some("../b?c#d e")),
            "/api/v1/namespaces/a/secrets/..%2Fb%3Fc%23d%20e"
        );
        assert_eq!(
            query(&[("fieldSelector", "metadata.name=x"), ("limit", "5")]),
            "?fieldSelector=metadata.name%3Dx&limit=5"
        );
    }
}
