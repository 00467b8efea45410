//! From a resolved configuration to a client.

use std::{fmt, sync::Arc};

use crate::duration::parse_request_timeout;

use super::{
    credentials::{self, Credentials},
    errors::{ClusterError, ErrorKind},
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
        let flag = |context: &String| format!(" --context {}", super::errors::shell_word(context));
        self.context.as_ref().map(flag).unwrap_or_default()
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

impl Cluster {
    /// Resolves flags, `KUBECONFIG` and its files as kubectl does and builds the client; runs a credential plugin if
    /// there is one. Must be called inside a tokio runtime, with a rustls provider installed.
    ///
    /// Errors are of kind [`super::ErrorKind::Config`]: the server is not contacted.
    pub async fn connect(flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        let resolved = credentials::resolve(flags)?;
        let limits = match flags.request_timeout.as_deref().filter(|text| !text.is_empty()) {
            None => Limits::default(),
            Some(text) => Limits::asked_for(parse_request_timeout(text).map_err(|error| {
                ClusterError::new(ErrorKind::Flag { sentence: format!("--request-timeout: {error}.") })
            })?),
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
