use super::*;
use crate::cluster::config::resolve::resolve_in;

impl Cluster {
    /// A cluster for tests: plain HTTP to a stub.
    pub(in crate::cluster) async fn to_stub(server: &str, limits: Limits) -> Self {
        let flags = ConnectionFlags { server: Some(server.to_owned()), ..ConnectionFlags::default() };
        let mut resolved = resolve_in(&flags, &|_| None).expect("resolves");
        resolved.context = Some("stub".to_owned());
        resolved.config.default_namespace = "ess".to_owned();
        Self::from_resolved(resolved, None, limits).await.expect("client")
    }

    /// The same with other limits on requests.
    pub(in crate::cluster) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with `-n`.
    pub(in crate::cluster) fn with_namespace_given(self) -> Self {
        Self { namespace_given: true, ..self }
    }
}
