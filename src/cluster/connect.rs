//! From a resolved configuration to a client.

use std::{fmt, sync::Arc};

use crate::duration::parse_request_timeout;

use super::{
    credentials::{self, Credentials},
    errors::ClusterError,
    flags::ConnectionFlags,
    kubeconfig::Resolved,
    transport::Limits,
};

/// Where the requests go and as whom: what sentences and hints name. No secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Without anything that may be secret, as is the proxy.
    pub server: String,
    pub proxy: Option<String>,
    /// The kubeconfig context in use; `None` inside a pod or with `--server` alone.
    pub context: Option<String>,
    /// `--as`
    pub impersonating: Option<String>,
    pub impersonating_groups: Vec<String>,
}

impl Place {
    /// ` --context NAME` for a kubectl line, or nothing.
    pub fn context_flag(&self) -> String {
        self.context
            .as_ref()
            .map_or_else(String::new, |context| format!(" --context {}", super::errors::shell_word(context)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The API server {}", self.server)?;
        match &self.context {
            Some(context) => write!(f, " (kubeconfig context {context})"),
            None => Ok(()),
        }
    }
}

/// A connection to one API server: the client, and what was chosen by flags and kubeconfig. Cheap to clone.
///
/// Nothing is asked of the server before the first read.
#[derive(Clone)]
pub struct Cluster {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) credentials: Credentials,
    pub(super) place: Arc<Place>,
    pub(super) namespace: String,
    pub(super) namespace_given: bool,
    pub(super) limits: Limits,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("place", &self.inner.place)
            .field("namespace", &self.inner.namespace)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Resolves flags, `KUBECONFIG` and its files as kubectl does and builds the client; runs a credential plugin if
    /// there is one. Must be called inside a tokio runtime, with a rustls provider installed.
    ///
    /// Errors are of kind [`super::ErrorKind::Config`]: the server is not contacted.
    pub async fn connect(flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        let resolved = credentials::resolve(flags)?;
        let limits = match flags.request_timeout.as_deref().filter(|text| !text.is_empty()) {
            None => Limits::default(),
            Some(text) => Limits::asked_for(
                parse_request_timeout(text)
                    .map_err(|error| ClusterError::config(format!("--request-timeout: {error}."), None))?,
            ),
        };
        Self::from_resolved(resolved, Some(flags.clone()), limits).await
    }

    async fn from_resolved(
        resolved: Resolved,
        flags: Option<ConnectionFlags>,
        limits: Limits,
    ) -> Result<Self, ClusterError> {
        let place = Arc::new(Place {
            server: without_user_info(&resolved.config.cluster_url),
            proxy: resolved.proxy.as_ref().map(without_user_info),
            context: resolved.context.clone(),
            impersonating: resolved.user.impersonate.clone(),
            impersonating_groups: resolved.user.impersonate_groups.clone().unwrap_or_default(),
        });
        let (namespace, namespace_given) = (resolved.config.default_namespace.clone(), resolved.namespace_given);
        let credentials = Credentials::begin(resolved, flags, limits.connect).await?;
        Ok(Self { inner: Arc::new(Inner { credentials, place, namespace, namespace_given, limits }) })
    }

    /// The namespace to work in: `-n`, else the context's, else the pod's, else `default`.
    pub fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// True when the namespace was given by flag, and therefore is not a mere default.
    pub fn namespace_given(&self) -> bool {
        self.inner.namespace_given
    }

    pub fn place(&self) -> &Place {
        &self.inner.place
    }

    /// ` --context NAME` for the kubectl and `ess-mas` lines shown to a person, or nothing.
    pub fn context_flag(&self) -> String {
        self.inner.place.context_flag()
    }
}

/// A URL may carry a password; no sentence of ours does.
fn without_user_info(uri: &http::Uri) -> String {
    let authority =
        uri.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default()).unwrap_or_default();
    let path = uri.path().trim_end_matches('/');
    format!("{}://{authority}{path}", uri.scheme_str().unwrap_or("https"))
}

#[cfg(test)]
use super::kubeconfig::{self, Environment};
#[cfg(test)]
use std::path::Path;

#[cfg(test)]
impl Cluster {
    /// A cluster for tests: plain HTTP to a stub.
    pub(super) async fn to_stub(server: &str, limits: Limits) -> Self {
        let flags = ConnectionFlags { server: Some(server.to_owned()), ..ConnectionFlags::default() };
        let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
        let mut resolved = kubeconfig::resolve(&flags, &environment).expect("resolves");
        resolved.context = Some("stub".to_owned());
        resolved.config.default_namespace = "ess".to_owned();
        Self::from_resolved(resolved, None, limits).await.expect("client")
    }

    /// The same with other limits on requests; that on connecting stays.
    pub(super) fn with_limits(self, limits: Limits) -> Self {
        let Some(mut inner) = Arc::into_inner(self.inner) else { unreachable!("not shared yet") };
        inner.limits = limits;
        Self { inner: Arc::new(inner) }
    }

    /// The same with `-n` given.
    pub(super) fn with_namespace_given(self) -> Self {
        let Some(mut inner) = Arc::into_inner(self.inner) else { unreachable!("not shared yet") };
        inner.namespace_given = true;
        Self { inner: Arc::new(inner) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use serde_json::json;

    use super::*;
    use crate::cluster::{
        resource,
        stub::{Step, Stub},
    };

    #[tokio::test]
    async fn a_token_refused_half_way_is_renewed_by_its_plugin_even_for_a_write() {
        let refused = Step::json(401, &json!({"kind": "Status", "code": 401}));
        let object = Step::json(200, &json!({"kind": "Secret", "metadata": {"name": "x", "resourceVersion": "6"}}));
        let stub = Stub::with_steps(vec![object.clone(), refused, object]).await;
        let folder = tempfile::tempdir().expect("folder");
        let count = folder.path().join("count");
        let script = format!(
            r#"echo x >> {0}; n=$(wc -l < {0}); echo "{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"t$(echo $n)\"}}}}""#,
            count.display()
        );
        let config = json!({
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": stub.address}}],
            "users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
                "command": "sh", "args": ["-c", script], "interactiveMode": "Never", "provideClusterInfo": true}}}],
        });
        let path = folder.path().join("config");
        std::fs::write(&path, config.to_string()).expect("written");
        let flags = ConnectionFlags { kubeconfig: Some(path.display().to_string()), ..ConnectionFlags::default() };
        // Not by `connect`, which sends no token over plain HTTP.
        let resolved = kubeconfig::resolve(&flags, &credentials::surroundings()).expect("resolves");
        let cluster = Cluster::from_resolved(resolved, None, Limits::default()).await.expect("set up");
        cluster.get(&resource::<Secret>(), "ess", "x").await.expect("read");
        let write = crate::cluster::Write::patch(resource::<Secret>(), "ess", "x", "5", json!({}));
        let outcome = cluster.write(&write, |_| false).await;
        assert!(matches!(outcome, crate::cluster::WriteOutcome::Applied(_)), "{outcome:?}");
        let tokens: Vec<String> = stub
            .seen()
            .iter()
            .filter_map(|seen| seen.headers.lines().find(|line| line.starts_with("authorization:")).map(str::to_owned))
            .collect();
        assert_eq!(tokens, ["authorization: Bearer t1", "authorization: Bearer t1", "authorization: Bearer t2"]);
        assert_eq!(std::fs::read_to_string(&count).expect("count").lines().count(), 2, "one run per token");
    }

    #[tokio::test]
    async fn a_token_was_sent_where_everybody_can_read_it() {
        let stub = Stub::with_steps(vec![Step::json(200, &json!({"kind": "Secret", "metadata": {"name": "x"}}))]).await;
        let folder = tempfile::tempdir().expect("folder");
        let config = json!({
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": stub.address}}],
            "users": [{"name": "u", "user": {"token": "canary", "as": "jane"}}],
        });
        let path = folder.path().join("config");
        std::fs::write(&path, config.to_string()).expect("written");
        let flags = ConnectionFlags { kubeconfig: Some(path.display().to_string()), ..ConnectionFlags::default() };
        let cluster = Cluster::connect(&flags).await.expect("set up");
        cluster.get(&resource::<Secret>(), "ess", "x").await.expect("read");
        let seen = stub.seen()[0].headers.clone();
        assert!(!seen.contains("canary") && seen.contains("impersonate-user: jane"), "{seen}");
    }

    #[test]
    fn a_password_in_the_servers_address_is_not_shown() {
        let uri = "https://user:secret@k8s.example:6443/prefix/".parse().expect("uri");
        assert_eq!(without_user_info(&uri), "https://k8s.example:6443/prefix");
    }
}
