//! Builds a client from the connection settings.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::credentials::Credentials;
use crate::cluster::config::flags::ConnectionFlags;
use crate::cluster::config::kubeconfig::given;
use crate::cluster::config::resolve::{Resolved, resolve};
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::resource::Place;
use crate::duration::parse_request_timeout;

/// Time limits of a request. `None` is no limit, only with `--request-timeout=0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub connect: Option<Duration>,
    /// From sending a read to the response headers.
    pub read_answer: Option<Duration>,
    /// From sending a write to the response headers. Longer than the 30 s that the API allows an admission webhook, because
    /// after a time-out the outcome of the write has to be determined.
    pub write_answer: Option<Duration>,
    /// Between two parts of a response body.
    pub silence: Option<Duration>,
    /// The whole request; only set by `--request-timeout`.
    pub total: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        Self {
            connect: seconds(5),
            read_answer: seconds(10),
            write_answer: seconds(35),
            silence: seconds(10),
            total: None,
        }
    }
}

impl Limits {
    /// The limits for `--request-timeout`: one for the whole request, or none.
    pub fn asked_for(limit: Option<Duration>) -> Self {
        Self { connect: limit, read_answer: None, write_answer: None, silence: None, total: limit }
    }

    pub fn answer(&self, method: &Method) -> Option<Duration> {
        let own = if *method == Method::GET { self.read_answer } else { self.write_answer };
        own.or(self.total)
    }
}

/// A client for one API server, with the context's namespace. Cheap to clone; sends nothing before the first request.
#[derive(Clone)]
pub struct Cluster {
    pub(in crate::cluster) credentials: Arc<Credentials>,
    pub place: Arc<Place>,
    /// `-n`, else the context's, else the pod's, else `default`.
    pub namespace: String,
    /// Whether the namespace is from `-n`.
    pub namespace_given: bool,
    pub(in crate::cluster) limits: Limits,
}

impl Cluster {
    /// Resolves flags and kubeconfig files as kubectl does, runs the credential plugin if there is one, and builds the
    /// client. Requires a tokio runtime and an installed rustls provider.
    ///
    /// Errors are of kind [`ErrorKind::Config`]: the server is not contacted.
    pub async fn connect(flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        // On its own thread: a read that blocks (a named pipe, a dead NFS server) must not delay a signal.
        let asked = flags.clone();
        let resolved = tokio::task::spawn_blocking(move || resolve(&asked)).await;
        let resolved = resolved.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))?;
        let wrong = |error| ClusterError::new(ErrorKind::Flag(format!("--request-timeout: {error}")));
        let asked_for = given(flags.request_timeout.as_ref()).map(parse_request_timeout).transpose().map_err(wrong)?;
        let limits = asked_for.map_or_else(Limits::default, Limits::asked_for);
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
            renewed_by_kubectl: resolved.user.auth_provider.is_some() && resolved.user.token.is_none(),
        });
        let (namespace, namespace_given) = (resolved.config.default_namespace.clone(), resolved.namespace_given);
        let credentials = Arc::new(Credentials::begin(resolved, flags, limits.connect).await?);
        Ok(Self { credentials, place, namespace, namespace_given, limits })
    }
}

/// The URL without user and password, for messages.
fn without_user_info(uri: &http::Uri) -> String {
    let authority = uri.authority().map_or("", |all| all.as_str().rsplit('@').next().unwrap_or_default());
    let path = uri.path().trim_end_matches('/');
    format!("{}://{authority}{path}", uri.scheme_str().unwrap_or("https"))
}

#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
