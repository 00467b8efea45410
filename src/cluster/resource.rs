//! Names and addresses of the API objects this program touches.

use std::fmt;

/// A served version of the ElementDeployment API. The order of [`Self::ALL`] is the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// The stored version.
    V1Alpha2,
    /// The deprecated one, of older releases.
    V1Alpha1,
}

impl ApiVersion {
    /// Preferred first: the stored version needs no conversion webhook, the other one may depend on it.
    pub const ALL: [Self; 2] = [Self::V1Alpha2, Self::V1Alpha1];

    /// The version as it stands in addresses: `v1alpha2`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1Alpha2 => "v1alpha2",
            Self::V1Alpha1 => "v1alpha1",
        }
    }

    /// The resource in this version.
    pub const fn resource(self) -> Resource {
        Resource {
            group: "matrix.element.io",
            version: self.as_str(),
            plural: "elementdeployments",
            kind: "ElementDeployment",
        }
    }
}

/// Which ElementDeployment, served in which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The version it is read and written in.
    pub api_version: ApiVersion,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A namespaced (or cluster-wide, where no namespace is given) resource of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Lower-case plural, as in addresses and in RBAC rules.
    pub plural: &'static str,
    /// The kind, as people read it.
    pub kind: &'static str,
}

impl Resource {
    /// Core `Secret`.
    pub const SECRET: Self = Self { group: "", version: "v1", plural: "secrets", kind: "Secret" };
    /// Core `ConfigMap`.
    pub const CONFIG_MAP: Self = Self { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" };
    /// `StatefulSet`.
    pub const STATEFUL_SET: Self = Self { group: "apps", version: "v1", plural: "statefulsets", kind: "StatefulSet" };
    /// `Job`.
    pub const JOB: Self = Self { group: "batch", version: "v1", plural: "jobs", kind: "Job" };
    /// Core `Pod`.
    pub const POD: Self = Self { group: "", version: "v1", plural: "pods", kind: "Pod" };
    /// cert-manager's `ClusterIssuer`, which has no namespace.
    pub const CLUSTER_ISSUER: Self =
        Self { group: "cert-manager.io", version: "v1", plural: "clusterissuers", kind: "ClusterIssuer" };
    /// "Who am I": `authentication.k8s.io/v1` `SelfSubjectReview` (Kubernetes 1.28 and newer).
    pub const SELF_SUBJECT_REVIEW: Self =
        Self { group: "authentication.k8s.io", version: "v1", plural: "selfsubjectreviews", kind: "SelfSubjectReview" };
    /// Asks what the caller may do.
    pub const SELF_SUBJECT_ACCESS_REVIEW: Self = Self {
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
    };

    /// `matrix.element.io/v1alpha2`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The resource as `kubectl` and RBAC messages write it: `elementdeployments.matrix.element.io`.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The address on the API server, without query.
    pub(super) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if let Some(namespace) = namespace {
            path.push_str("/namespaces/");
            path.push_str(&encoded(namespace));
        }
        path.push('/');
        path.push_str(self.plural);
        if let Some(name) = name {
            path.push('/');
            path.push_str(&encoded(name));
        }
        path
    }
}

/// What was asked of the API server, for sentences and for `kubectl auth can-i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// RBAC verb: `get`, `list`, `watch`, `create`, `update`, `patch`.
    pub verb: &'static str,
    /// On what kind of object.
    pub resource: Resource,
    /// In which namespace; `None` for all of them.
    pub namespace: Option<String>,
    /// Which object; `None` where the verb is about many.
    pub name: Option<String>,
}

impl Action {
    pub(super) fn new(verb: &'static str, resource: Resource, namespace: Option<&str>, name: Option<&str>) -> Self {
        Self { verb, resource, namespace: namespace.map(str::to_owned), name: name.map(str::to_owned) }
    }

    /// The object, as it stands in a sentence: `the Secret ess-mas in namespace ess`.
    pub(super) fn object(&self) -> String {
        let kind = self.resource.kind;
        match (&self.name, &self.namespace) {
            (Some(name), Some(namespace)) => format!("the {kind} {name} in namespace {namespace}"),
            (Some(name), None) => format!("the {kind} {name}"),
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

/// Percent-encodes everything that is not unreserved (RFC 3986 §2.3), so that a value is safe in a path segment and in a query.
pub(super) fn encoded(text: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A query string from pairs, with the leading `?`; empty without pairs.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (key, value) in pairs {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(key);
        out.push('=');
        out.push_str(&encoded(value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let resource = ApiVersion::V1Alpha2.resource();
        assert_eq!(
            resource.path(Some("element-onprem"), Some("first")),
            "/apis/matrix.element.io/v1alpha2/namespaces/element-onprem/elementdeployments/first"
        );
        assert_eq!(resource.path(None, None), "/apis/matrix.element.io/v1alpha2/elementdeployments");
        assert_eq!(Resource::SECRET.path(Some("a"), None), "/api/v1/namespaces/a/secrets");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_address() {
        assert_eq!(Resource::SECRET.path(Some("a"), Some("../b?c#d")), "/api/v1/namespaces/a/secrets/..%2Fb%3Fc%23d");
        assert_eq!(
            query(&[("fieldSelector", "metadata.name=x"), ("limit", "5")]),
            "?fieldSelector=metadata.name%3Dx&limit=5"
        );
    }
}
