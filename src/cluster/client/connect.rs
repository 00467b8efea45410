//! From a resolved configuration to a client.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::credentials::Credentials;
use crate::cluster::config::flags::ConnectionFlags;
use crate::cluster::config::resolve::{Resolved, resolve};
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::resource::Place;
use crate::duration::parse_request_timeout;

/// How long things may take. `None` is no limit, which only `--request-timeout=0` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub connect: Option<Duration>,
    /// From sending a read to the first of its answer.
    pub read_answer: Option<Duration>,
    /// From sending a write to the first of its answer. Admission webhooks may take 30 s by the API's rules, and a
    /// write given up too early is a write whose outcome has to be found out.
    pub write_answer: Option<Duration>,
    /// Between two pieces of an answer's body; a long list on a slow line takes its time as long as something comes.
    pub silence: Option<Duration>,
    /// Everything together; only set by `--request-timeout`.
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
    /// What `--request-timeout` asks for: one limit over everything, or none at all.
    pub fn asked_for(limit: Option<Duration>) -> Self {
        Self { connect: limit, read_answer: None, write_answer: None, silence: None, total: limit }
    }

    pub fn answer(&self, method: &Method) -> Option<Duration> {
        let own = if *method == Method::GET { self.read_answer } else { self.write_answer };
        own.or(self.total)
    }
}

/// A connection to one API server: the client, and what was chosen by flags and kubeconfig. Cheap to clone.
///
/// Nothing is asked of the server before the first read.
#[derive(Clone)]
pub struct Cluster {
    pub(in crate::cluster) inner: Arc<Inner>,
}

pub(in crate::cluster) struct Inner {
    pub credentials: Credentials,
    pub place: Arc<Place>,
    pub namespace: String,
    pub namespace_given: bool,
    pub limits: Limits,
}

impl Cluster {
    /// Resolves flags, `KUBECONFIG` and its files as kubectl does and builds the client; runs a credential plugin if
    /// there is one. Must be called inside a tokio runtime, with a rustls provider installed.
    ///
    /// Errors are of kind [`ErrorKind::Config`]: the server is not contacted.
    pub async fn connect(flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        // On a thread of its own: a file that nobody answers for must not keep a signal from ending the program.
        let asked = flags.clone();
        let resolved = tokio::task::spawn_blocking(move || resolve(&asked)).await;
        let resolved = resolved.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))?;
        let limits = match flags.request_timeout.as_deref().filter(|text| !text.is_empty()) {
            None => Limits::default(),
            Some(text) => Limits::asked_for(
                parse_request_timeout(text)
                    .map_err(|error| ClusterError::new(ErrorKind::Flag(format!("--request-timeout: {error}."))))?,
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
            renewed_by_kubectl: resolved.user.auth_provider.is_some() && resolved.user.token.is_none(),
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
}

/// A URL may carry a password; no sentence of ours does.
fn without_user_info(uri: &http::Uri) -> String {
    let authority =
        uri.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default()).unwrap_or_default();
    let path = uri.path().trim_end_matches('/');
    format!("{}://{authority}{path}", uri.scheme_str().unwrap_or("https"))
}

#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
