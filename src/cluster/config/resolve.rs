//! From flags, environment and files to one way to reach one API server, with kubectl's rules.
//!
//! Reference: client-go's `clientcmd` (`loader.go` for files, `client_config.go` for overrides).

use std::fs;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use http::Uri;
use kube::Config;
use kube::config::{AuthInfo, Cluster as ClusterEntry, Context, ExecAuthCluster, Kubeconfig};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;

use super::flags::ConnectionFlags;
use super::kubeconfig::{Environment, SERVICE_ACCOUNT, given, load, unusable};
use super::proxy;
use crate::cluster::errors::ClusterError;

/// Everything needed to talk to one API server.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub config: Config,
    /// With what may stand in it: user and password.
    pub proxy: Option<Uri>,
    pub user: AuthInfo,
    pub user_name: Option<String>,
    /// For credential plugins that ask for it.
    pub cluster: ExecAuthCluster,
    pub context: Option<String>,
    pub namespace_given: bool,
}

/// Applies kubectl's rules to flags, environment and files as they are now.
pub fn resolve(flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
    let mut resolved = resolve_in(flags, &surroundings())?;
    if resolved.config.cluster_url.scheme_str() == Some("http") {
        // As in client-go, nothing that proves anything goes where everybody can read it.
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

pub fn surroundings() -> Environment<'static> {
    Environment {
        var: &|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()),
        service_account: Path::new(SERVICE_ACCOUNT),
    }
}

pub fn resolve_in(flags: &ConnectionFlags, environment: &Environment<'_>) -> Result<Resolved, ClusterError> {
    let (kubeconfig, looked_at) = load(flags, environment)?;
    let mut choice = Choice::from(&kubeconfig, flags)?;
    if given(flags.server.as_deref()).or(given(choice.cluster.server.as_deref())).is_none() {
        choice = in_pod(flags, environment).ok_or_else(|| no_server(choice.context.as_deref(), &looked_at))?;
    }
    let Choice { context, namespace, mut cluster, mut user, user_name } = choice;
    override_cluster(&mut cluster, flags);
    override_user(&mut user, flags)?;
    let information = ExecAuthCluster::try_from(&cluster).map_err(|error| unusable(&error))?;
    let authorities = information.certificate_authority_data.as_deref().map(|pem| authorities(pem, &cluster));
    let authorities = authorities.transpose()?;
    let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
    if insecure && authorities.is_some() {
        return Err(ClusterError::config(
            "A certificate authority is given, and so is the wish not to verify the server's certificate.",
            Some("Leave out one of certificate-authority and insecure-skip-tls-verify.".to_owned()),
        ));
    }
    let secured = authorities.is_some()
        || insecure
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some();
    let server = server_address(cluster.server.as_deref().unwrap_or_default(), secured)?;
    let proxy = proxy::choose(&server, cluster.proxy_url.as_deref(), environment.var)?;
    let asked_for = given(flags.namespace.as_deref());
    let mut config = Config::new(server);
    config.root_cert = authorities;
    // A pod's is renewed while it runs.
    config.root_cert_file =
        cluster.certificate_authority.filter(|_| cluster.certificate_authority_data.is_none()).map(Into::into);
    config.accept_invalid_certs = insecure;
    config.tls_server_name = cluster.tls_server_name;
    config.default_namespace = asked_for.map(str::to_owned).or(namespace).unwrap_or_else(|| "default".to_owned());
    Ok(Resolved { config, proxy, user, user_name, cluster: information, context, namespace_given: asked_for.is_some() })
}

/// What the merged files and the choosing flags come to, before overrides of single values.
struct Choice {
    context: Option<String>,
    namespace: Option<String>,
    cluster: ClusterEntry,
    user: AuthInfo,
    user_name: Option<String>,
}

impl Choice {
    fn from(config: &Kubeconfig, flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        let context_name = given(flags.context.as_deref()).or(config.current_context.as_deref());
        let context: Option<&Context> = match context_name {
            None => None,
            Some(name) => Some(
                config
                    .contexts
                    .iter()
                    .find(|entry| entry.name == name)
                    .and_then(|entry| entry.context.as_ref())
                    .ok_or_else(|| missing("context", name, config.contexts.iter().map(|entry| entry.name.as_str())))?,
            ),
        };
        let cluster_flag = given(flags.cluster.as_deref());
        let cluster_name = cluster_flag.or(context.map(|context| context.cluster.as_str()));
        let cluster = cluster_name
            .and_then(|name| config.clusters.iter().find(|entry| entry.name == name))
            .and_then(|entry| entry.cluster.clone());
        if let (None, Some(name)) = (&cluster, cluster_flag) {
            return Err(missing("cluster", name, config.clusters.iter().map(|entry| entry.name.as_str())));
        }
        let user_flag = given(flags.user.as_deref());
        let user_name = user_flag.or(context.and_then(|context| context.user.as_deref()));
        let user = user_name
            .and_then(|name| config.auth_infos.iter().find(|entry| entry.name == name))
            .and_then(|entry| entry.auth_info.clone());
        if let (None, Some(name)) = (&user, user_flag) {
            return Err(missing("user", name, config.auth_infos.iter().map(|entry| entry.name.as_str())));
        }
        Ok(Self {
            context: context_name.map(str::to_owned),
            namespace: context.and_then(|context| given(context.namespace.as_deref())).map(str::to_owned),
            cluster: cluster.unwrap_or_default(),
            user: user.unwrap_or_default(),
            user_name: user_name.map(str::to_owned),
        })
    }
}

fn missing<'a>(what: &str, name: &str, there: impl Iterator<Item = &'a str>) -> ClusterError {
    const SHOWN: usize = 10;
    let mut names: Vec<&str> = there.collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let remedy = match (names.is_empty(), more) {
        (true, _) => format!("The kubeconfig names no {what} at all."),
        (false, 0) => format!("It names: {}.", names.join(", ")),
        (false, more) => format!("It names: {} and {more} more.", names.join(", ")),
    };
    ClusterError::config(format!("The kubeconfig has no {what} named {name}."), Some(remedy))
}

fn no_server(context: Option<&str>, looked_at: &[PathBuf]) -> ClusterError {
    let paths: Vec<String> = looked_at.iter().map(|path| path.display().to_string()).collect();
    let sentence = if let Some(context) = context {
        format!("The kubeconfig context {context} names no API server.")
    } else if paths.is_empty() {
        "No cluster to talk to: there is no kubeconfig.".to_owned()
    } else {
        format!("No cluster to talk to: no current context is set in a kubeconfig (looked at {}).", paths.join(", "))
    };
    ClusterError::config(
        sentence,
        Some(
            "Name one with --kubeconfig, KUBECONFIG or --context; `kubectl config get-contexts` lists what there is."
                .to_owned(),
        ),
    )
}

/// Inside a pod: the service account that Kubernetes mounts. As client-go's `Possible`: both variables and the token, or this
/// is no pod. With a context asked for it is not what was meant.
fn in_pod(flags: &ConnectionFlags, environment: &Environment<'_>) -> Option<Choice> {
    let var = |name: &str| (environment.var)(name).filter(|value| !value.is_empty());
    let file = |name: &str| {
        let path = environment.service_account.join(name);
        path.is_file().then(|| path.display().to_string())
    };
    let (host, port) = (var("KUBERNETES_SERVICE_HOST")?, var("KUBERNETES_SERVICE_PORT")?);
    let token_file = Some(file("token")?);
    if given(flags.context.as_deref()).or(given(flags.cluster.as_deref())).is_some() {
        return None;
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let cluster = ClusterEntry {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: file("ca.crt"),
        ..ClusterEntry::default()
    };
    let namespace = var("POD_NAMESPACE").or_else(|| {
        let text = fs::read_to_string(environment.service_account.join("namespace")).ok()?;
        given(Some(text.trim())).map(str::to_owned)
    });
    let user = AuthInfo { token_file, ..AuthInfo::default() };
    Some(Choice { context: None, namespace, cluster, user, user_name: None })
}

/// client-go's `getCluster`: flags replace single values, and some of them make others meaningless.
fn override_cluster(cluster: &mut ClusterEntry, flags: &ConnectionFlags) {
    let server = given(flags.server.as_deref());
    let authority = given(flags.certificate_authority.as_deref());
    if let Some(server) = server {
        cluster.server = Some(server.to_owned());
    }
    if flags.insecure_skip_tls_verify || authority.is_some() {
        cluster.insecure_skip_tls_verify = Some(flags.insecure_skip_tls_verify);
        cluster.certificate_authority = authority.map(str::to_owned);
        cluster.certificate_authority_data = None;
    }
    // A server given by flag has another name than the one the kubeconfig had in mind.
    if server.is_some() || given(flags.tls_server_name.as_deref()).is_some() {
        cluster.tls_server_name.clone_from(&flags.tls_server_name);
    }
    drop_path(&mut cluster.certificate_authority);
    drop_empty(&mut cluster.tls_server_name);
    pack(&mut cluster.certificate_authority_data);
}

fn override_user(user: &mut AuthInfo, flags: &ConnectionFlags) -> Result<(), ClusterError> {
    if let Some(path) = given(flags.client_certificate.as_deref()) {
        (user.client_certificate, user.client_certificate_data) = (Some(path.to_owned()), None);
    }
    if let Some(path) = given(flags.client_key.as_deref()) {
        (user.client_key, user.client_key_data) = (Some(path.to_owned()), None);
    }
    for (flag, text) in [(&flags.as_user, &mut user.impersonate), (&flags.as_uid, &mut user.impersonate_uid)] {
        if given(flag.as_deref()).is_some() {
            text.clone_from(flag);
        }
    }
    if !flags.as_groups.is_empty() {
        user.impersonate_groups = Some(flags.as_groups.clone());
    }
    for text in [&mut user.username, &mut user.impersonate, &mut user.impersonate_uid] {
        drop_empty(text);
    }
    for path in [&mut user.token_file, &mut user.client_certificate, &mut user.client_key] {
        drop_path(path);
    }
    user.token = user.token.take().filter(|token| !token.expose_secret().is_empty());
    pack(&mut user.client_certificate_data);
    let mut key = user.client_key_data.take().map(|key| key.expose_secret().to_owned());
    pack(&mut key);
    user.client_key_data = key.map(Into::into);
    if user.client_certificate.is_none() && user.client_certificate_data.is_none() {
        // A key alone is of no use, and kubectl does not mind.
        (user.client_key, user.client_key_data) = (None, None);
    }
    let impersonates_more =
        user.impersonate_uid.is_some() || user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty());
    if impersonates_more && user.impersonate.is_none() {
        return Err(ClusterError::config(
            "A uid or a group to act as is given, but no user.",
            Some("Name the user with --as.".to_owned()),
        ));
    }
    Ok(())
}

fn drop_empty(text: &mut Option<String>) {
    *text = text.take().filter(|text| !text.is_empty());
}

/// An empty path in a kubeconfig comes from kube as the folder of the kubeconfig.
fn drop_path(path: &mut Option<String>) {
    *path = path.take().filter(|path| !path.is_empty() && !path.ends_with(MAIN_SEPARATOR));
}

/// Base64 may have line breaks for Go, and none for kube.
fn pack(base64: &mut Option<String>) {
    if let Some(text) = base64 {
        text.retain(|c| !c.is_ascii_whitespace());
    }
    drop_empty(base64);
}

fn authorities(pem: &[u8], cluster: &ClusterEntry) -> Result<Vec<Vec<u8>>, ClusterError> {
    let certificates: Vec<Vec<u8>> =
        CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).map(|certificate| certificate.to_vec()).collect();
    if certificates.is_empty() {
        let file = cluster.certificate_authority.as_deref().filter(|_| cluster.certificate_authority_data.is_none());
        let origin = file.unwrap_or("certificate-authority-data of the kubeconfig");
        return Err(ClusterError::config(format!("No PEM certificate could be read from {origin}."), None));
    }
    Ok(certificates)
}

/// Adds the scheme that kubectl would (`https` as soon as anything about TLS is given) and checks the rest.
fn server_address(text: &str, secured: bool) -> Result<Uri, ClusterError> {
    let full = match (text.contains("://"), secured) {
        (true, _) => text.to_owned(),
        (false, true) => format!("https://{text}"),
        (false, false) => format!("http://{text}"),
    };
    full.parse::<Uri>()
        .ok()
        .filter(|uri| uri.host().is_some() && ["http", "https"].contains(&uri.scheme_str().unwrap_or_default()))
        .ok_or_else(|| {
            ClusterError::config(
                format!("`{text}` is not the address of an API server."),
                Some("Write it as https://HOST:PORT.".to_owned()),
            )
        })
}

#[cfg(test)]
mod tests;
