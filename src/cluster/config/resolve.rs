//! Resolves flags, environment and files to the connection settings of one API server, with kubectl's rules.
//!
//! Reference: `client_config.go` of client-go's `clientcmd`. kube does the same for a kubeconfig alone: it supports no overriding
//! flags, and fails on a trailing comma in `NO_PROXY`.

use std::path::PathBuf;

use http::Uri;
use kube::Config;
use kube::config::{AuthInfo, Cluster as ClusterEntry, ExecAuthCluster, Kubeconfig};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;

use super::flags::ConnectionFlags;
use super::kubeconfig::{Variables, given, load, of_process, unusable};
use super::proxy;
use crate::cluster::errors::ClusterError;

#[derive(Debug, Clone)]
pub struct Resolved {
    pub config: Config,
    /// May contain user and password.
    pub proxy: Option<Uri>,
    pub user: AuthInfo,
    pub user_name: Option<String>,
    /// For credential plugins with `provideClusterInfo`.
    pub cluster: ExecAuthCluster,
    pub context: Option<String>,
    pub namespace_given: bool,
}

pub fn resolve(flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
    let mut resolved = resolve_in(flags, &of_process)?;
    if resolved.config.cluster_url.scheme_str() == Some("http") {
        // As in client-go, credentials are never sent in plain text.
        resolved.user = AuthInfo {
            impersonate: resolved.user.impersonate,
            impersonate_uid: resolved.user.impersonate_uid,
            impersonate_groups: resolved.user.impersonate_groups,
            impersonate_user_extra: resolved.user.impersonate_user_extra,
            ..AuthInfo::default()
        };
    }
    Ok(resolved)
}

/// Whether flags, environment and files name an API server. Public for the fuzz target of kubeconfigs, which must neither run
/// a credential plugin nor connect.
pub fn check_configuration(flags: &ConnectionFlags) -> Result<(), ClusterError> {
    resolve(flags).map(drop)
}

pub fn resolve_in(flags: &ConnectionFlags, variable: Variables<'_>) -> Result<Resolved, ClusterError> {
    let (kubeconfig, looked_at) = load(flags, variable)?;
    let listed = variable("KUBECONFIG").is_some();
    let mut chosen = Chosen::of(&kubeconfig, flags).map_err(|error| {
        let nothing_read = !looked_at.is_empty() && !looked_at.iter().any(|path| path.exists());
        if nothing_read { no_server(None, &looked_at, listed) } else { error }
    })?;
    if given(flags.server.as_ref()).or(given(chosen.cluster.server.as_ref())).is_none() {
        chosen = in_pod(flags).ok_or_else(|| no_server(chosen.context.as_deref(), &looked_at, listed))?;
    }
    let Chosen { context, namespace, mut cluster, mut user, user_name } = chosen;
    override_cluster(&mut cluster, flags);
    override_user(&mut user, flags)?;
    let information = ExecAuthCluster::try_from(&cluster).map_err(|error| unusable(&error))?;
    let authority_file = cluster.certificate_authority.filter(|_| cluster.certificate_authority_data.is_none());
    let authorities = information.certificate_authority_data.as_deref().map(|pem| {
        let origin = authority_file.as_deref().unwrap_or("certificate-authority-data of the kubeconfig");
        let found = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).map(|certificate| certificate.to_vec());
        Some(found.collect::<Vec<_>>()).filter(|found| !found.is_empty()).ok_or_else(|| {
            let remedy = "Pass a file with certificates in PEM format: --certificate-authority FILE.";
            ClusterError::config(format!("no PEM certificate in {origin}"), remedy)
        })
    });
    let authorities = authorities.transpose()?;
    let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
    if insecure && authorities.is_some() {
        let sentence = "certificate-authority cannot be combined with insecure-skip-tls-verify";
        return Err(ClusterError::config(sentence, "Remove one of them from the flags or the kubeconfig."));
    }
    let secured = authorities.is_some()
        || insecure
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some();
    let server = server_address(cluster.server.as_deref().unwrap_or_default(), secured)?;
    let proxy = proxy::choose(&server, cluster.proxy_url.as_ref(), variable)?;
    let asked_for = given(flags.namespace.as_ref());
    let mut config = Config::new(server);
    config.root_cert = authorities;
    config.accept_invalid_certs = insecure;
    config.tls_server_name = cluster.tls_server_name;
    config.default_namespace = asked_for.map(str::to_owned).or(namespace).unwrap_or_else(|| "default".to_owned());
    Ok(Resolved { config, proxy, user, user_name, cluster: information, context, namespace_given: asked_for.is_some() })
}

/// The selected entries of the merged files, before flags override single values.
#[derive(Default)]
struct Chosen {
    context: Option<String>,
    namespace: Option<String>,
    cluster: ClusterEntry,
    user: AuthInfo,
    user_name: Option<String>,
}

impl Chosen {
    fn of(config: &Kubeconfig, flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        let contexts = config.contexts.iter().map(|one| (&*one.name, one.context.as_ref()));
        let clusters = config.clusters.iter().map(|one| (&*one.name, one.cluster.as_ref()));
        let users = config.auth_infos.iter().map(|one| (&*one.name, one.auth_info.as_ref()));
        let context_name = given(flags.context.as_ref()).or(config.current_context.as_deref());
        let context = context_name.map(|name| entry("context", name, contexts)).transpose()?;
        // As in kubectl, a context may name missing entries; a flag may not.
        let cluster = match given(flags.cluster.as_ref()) {
            Some(name) => Some(entry("cluster", name, clusters)?),
            None => context.and_then(|context| entry("cluster", &context.cluster, clusters).ok()),
        };
        let user_of_context = context.and_then(|context| context.user.as_deref());
        let user = match given(flags.user.as_ref()) {
            Some(name) => Some(entry("user", name, users)?),
            None => user_of_context.and_then(|name| entry("user", name, users).ok()),
        };
        Ok(Self {
            context: context_name.map(str::to_owned),
            namespace: context.and_then(|context| given(context.namespace.as_ref())).map(str::to_owned),
            cluster: cluster.cloned().unwrap_or_default(),
            user: user.cloned().unwrap_or_default(),
            user_name: given(flags.user.as_ref()).or(user_of_context).map(str::to_owned),
        })
    }
}

fn entry<'a, T>(
    what: &str,
    name: &str,
    mut all: impl Iterator<Item = (&'a str, Option<&'a T>)> + Clone,
) -> Result<&'a T, ClusterError> {
    let names: Vec<&str> = all.clone().map(|(name, _)| name).collect();
    all.find(|(one, _)| *one == name).and_then(|(_, entry)| entry).ok_or_else(|| {
        let remedy = match names.len() {
            0 => format!("The kubeconfig has no {what}s."),
            _ => format!("Available {what}s: {}.", names.join(", ")),
        };
        ClusterError::config(format!("{what} {name} not found in the kubeconfig"), &*remedy)
    })
}

/// `listed`: the files are from `KUBECONFIG`.
fn no_server(context: Option<&str>, looked_at: &[PathBuf], listed: bool) -> ClusterError {
    let names = |there: bool| -> String {
        let paths = looked_at.iter().filter(|path| path.exists() == there).map(|path| path.display().to_string());
        paths.collect::<Vec<_>>().join(", ")
    };
    let (there, missing) = (names(true), names(false));
    let current = (!there.is_empty()).then(|| format!("no current context in {there}"));
    let missing = match (missing.is_empty(), listed) {
        (true, _) => None,
        (_, true) => Some(format!("KUBECONFIG contains missing files: {missing}")),
        (_, false) => Some(format!("kubeconfig {missing} not found")),
    };
    let reasons: Vec<String> = current.into_iter().chain(missing).collect();
    let sentence = match context {
        Some(context) => format!("kubeconfig context {context} names no API server"),
        None if reasons.is_empty() => "no cluster selected: no kubeconfig found".to_owned(),
        None => format!("no cluster selected: {}", reasons.join("; ")),
    };
    let remedy = "Pass --kubeconfig or --context, or set KUBECONFIG. `kubectl config get-contexts` lists the contexts.";
    ClusterError::config(sentence, remedy)
}

/// The service account of a pod, unless a flag selects a context or cluster.
fn in_pod(flags: &ConnectionFlags) -> Option<Chosen> {
    let asked_for = given(flags.context.as_ref()).or(given(flags.cluster.as_ref()));
    let config = Config::incluster().ok().filter(|_| asked_for.is_none())?;
    let cluster = ClusterEntry {
        server: Some(config.cluster_url.to_string()),
        certificate_authority: config.root_cert_file.map(|path| path.display().to_string()),
        ..ClusterEntry::default()
    };
    let namespace = Some(config.default_namespace.trim().to_owned());
    Some(Chosen { namespace, cluster, user: config.auth_info, ..Chosen::default() })
}

/// client-go's `getCluster`: flags override single values, and some of them reset others.
fn override_cluster(cluster: &mut ClusterEntry, flags: &ConnectionFlags) {
    let authority = given(flags.certificate_authority.as_ref());
    if flags.insecure_skip_tls_verify || authority.is_some() {
        cluster.insecure_skip_tls_verify = Some(flags.insecure_skip_tls_verify);
        cluster.certificate_authority = authority.map(str::to_owned);
        cluster.certificate_authority_data = None;
    }
    // The kubeconfig's server name is not that of a server from a flag.
    if given(flags.server.as_ref()).or(given(flags.tls_server_name.as_ref())).is_some() {
        cluster.tls_server_name.clone_from(&flags.tls_server_name);
    }
    replace(&mut cluster.server, flags.server.as_ref());
    cluster.certificate_authority_data = cluster.certificate_authority_data.as_deref().map(unwrapped);
    drop_empty([
        &mut cluster.certificate_authority,
        &mut cluster.certificate_authority_data,
        &mut cluster.tls_server_name,
    ]);
}

fn override_user(user: &mut AuthInfo, flags: &ConnectionFlags) -> Result<(), ClusterError> {
    if replace(&mut user.client_certificate, flags.client_certificate.as_ref()) {
        user.client_certificate_data = None;
    }
    if replace(&mut user.client_key, flags.client_key.as_ref()) {
        user.client_key_data = None;
    }
    replace(&mut user.impersonate, flags.as_user.as_ref());
    replace(&mut user.impersonate_uid, flags.as_uid.as_ref());
    if !flags.as_groups.is_empty() {
        user.impersonate_groups = Some(flags.as_groups.clone());
    }
    drop_empty([
        &mut user.username,
        &mut user.impersonate,
        &mut user.impersonate_uid,
        &mut user.token_file,
        &mut user.client_certificate,
        &mut user.client_certificate_data,
        &mut user.client_key,
    ]);
    user.client_certificate_data = user.client_certificate_data.as_deref().map(unwrapped);
    user.client_key_data = user.client_key_data.as_ref().map(|key| unwrapped(key.expose_secret()).into());
    for secret in [&mut user.token, &mut user.client_key_data] {
        secret.take_if(|secret| secret.expose_secret().is_empty());
    }
    if user.client_certificate.is_none() && user.client_certificate_data.is_none() {
        // kubectl ignores a key without a certificate.
        (user.client_key, user.client_key_data) = (None, None);
    }
    let impersonates_more =
        user.impersonate_uid.is_some() || user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty());
    if impersonates_more && user.impersonate.is_none() {
        return Err(ClusterError::config("--as-uid and --as-group require a user", "Pass the user with --as."));
    }
    Ok(())
}

fn replace(value: &mut Option<String>, flag: Option<&String>) -> bool {
    let flag = given(flag).map(str::to_owned);
    let replaces = flag.is_some();
    *value = flag.or(value.take());
    replaces
}

fn drop_empty<const N: usize>(texts: [&mut Option<String>; N]) {
    for text in texts {
        text.take_if(|text| text.is_empty());
    }
}

/// Go accepts line breaks in Base64, kube doesn't.
fn unwrapped(base64: &str) -> String {
    base64.split_ascii_whitespace().collect()
}

/// Parses the server's URL. A missing scheme is, as in kubectl, `https` with any TLS setting and `http` without.
fn server_address(text: &str, secured: bool) -> Result<Uri, ClusterError> {
    let full = match (text.contains("://"), secured) {
        (true, _) => text.to_owned(),
        (false, true) => format!("https://{text}"),
        (false, false) => format!("http://{text}"),
    };
    let usable = |uri: &Uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"));
    full.parse().ok().filter(usable).ok_or_else(|| {
        let sentence = format!("`{text}` is not the URL of an API server");
        ClusterError::config(sentence, "Write it as https://HOST:PORT.")
    })
}

#[cfg(test)]
mod tests;
