//! From flags, environment and files to one way to reach one API server, with kubectl's rules.
//!
//! Reference: client-go's `clientcmd` (`loader.go` for files, `client_config.go` for overrides). The entries are kube's types,
//! but what is chosen from them is decided here, because kube knows neither the flags nor lists with missing files, and reads
//! `NO_PROXY` differently.

use std::path::{Path, PathBuf};

use http::Uri;
use k8s_openapi::ByteString;
use kube::config::{AuthInfo, Cluster as ClusterEntry, Context, Kubeconfig};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{errors::ClusterError, flags::ConnectionFlags, proxy};

mod file;
mod pod;

pub(super) use pod::SERVICE_ACCOUNT;

/// Where things that are not on the command line come from; replaced in tests.
pub(super) struct Environment<'a> {
    /// Looks up an environment variable.
    pub(super) var: &'a dyn Fn(&str) -> Option<String>,
    /// Where a pod finds its service account.
    pub(super) service_account: &'a Path,
}

/// Everything needed to talk to one API server.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) server: Uri,
    /// DER certificates to trust; `None` for those of the system.
    pub(super) authorities: Option<Vec<Vec<u8>>>,
    /// A file with authorities that may be renewed while this program runs (in a pod).
    pub(super) authorities_file: Option<PathBuf>,
    pub(super) insecure: bool,
    pub(super) tls_server_name: Option<String>,
    pub(super) proxy: Option<Uri>,
    pub(super) user: AuthInfo,
    pub(super) user_name: Option<String>,
    /// The cluster's entry, for credential plugins that ask for it.
    pub(super) cluster: ClusterEntry,
    pub(super) context: Option<String>,
    pub(super) namespace: String,
    pub(super) namespace_given: bool,
}

/// Applies kubectl's rules.
pub(super) fn resolve(flags: &ConnectionFlags, environment: &Environment<'_>) -> Result<Resolved, ClusterError> {
    let (config, looked_at) = load(flags, environment)?;
    let choice = Choice::from(&config, flags)?;
    let mut cluster = choice.cluster;
    override_cluster(&mut cluster, flags);
    if given(cluster.server.as_deref()).is_none() {
        if let Some(resolved) = pod::in_cluster(flags, environment)? {
            return Ok(resolved);
        }
        return Err(no_server(choice.context.as_deref(), &looked_at));
    }
    let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
    let authorities = authorities(&cluster)?;
    if insecure && authorities.is_some() {
        return Err(ClusterError::config(
            "A certificate authority is given, and so is the wish not to verify the server's certificate.",
            Some("Leave out one of certificate-authority and insecure-skip-tls-verify.".to_owned()),
        ));
    }
    let mut user = choice.user;
    override_user(&mut user, flags);
    check_user(&user)?;
    let secured = authorities.is_some()
        || insecure
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some();
    let server = server_address(cluster.server.as_deref().unwrap_or_default(), secured)?;
    Ok(Resolved {
        proxy: proxy::choose(&server, cluster.proxy_url.as_deref(), environment.var)?,
        server,
        authorities,
        authorities_file: None,
        insecure,
        tls_server_name: given(cluster.tls_server_name.as_deref()).map(str::to_owned),
        user,
        user_name: choice.user_name,
        cluster,
        context: choice.context,
        namespace: given(flags.namespace.as_deref())
            .map(str::to_owned)
            .or(choice.namespace)
            .unwrap_or_else(|| "default".to_owned()),
        namespace_given: given(flags.namespace.as_deref()).is_some(),
    })
}

/// kubectl treats an empty value like one that was not given, in flags and in files.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// The names in the kubeconfig.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KubeconfigNames {
    /// Of contexts.
    pub contexts: Vec<String>,
    /// Of clusters.
    pub clusters: Vec<String>,
    /// Of users.
    pub users: Vec<String>,
}

/// Every name in the files, for completion.
pub(super) fn names(flags: &ConnectionFlags, environment: &Environment<'_>) -> Result<KubeconfigNames, ClusterError> {
    let (config, _) = load(flags, environment)?;
    Ok(KubeconfigNames {
        contexts: config.contexts.into_iter().map(|entry| entry.name).collect(),
        clusters: config.clusters.into_iter().map(|entry| entry.name).collect(),
        users: config.auth_infos.into_iter().map(|entry| entry.name).collect(),
    })
}

/// Reads and merges the files; also says which ones were looked for.
fn load(flags: &ConnectionFlags, environment: &Environment<'_>) -> Result<(Kubeconfig, Vec<PathBuf>), ClusterError> {
    if let Some(path) = given(flags.kubeconfig.as_deref()) {
        let path = PathBuf::from(path);
        return Ok((read(&path)?, vec![path]));
    }
    let listed = (environment.var)("KUBECONFIG").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if paths.is_empty() {
        let home = ["HOME", "USERPROFILE"].into_iter().filter_map(environment.var).find(|home| !home.is_empty());
        paths.extend(home.map(|home| Path::new(&home).join(".kube").join("config")));
    }
    let mut merged = Kubeconfig::default();
    for path in &paths {
        // A file that is not there is skipped, in a list and as the default.
        if path.try_exists().is_ok_and(|exists| !exists) {
            continue;
        }
        merged = merged.merge(read(path)?).map_err(|_| {
            ClusterError::config(
                format!("The kubeconfig {} is of another kind than those before it in KUBECONFIG.", path.display()),
                None,
            )
        })?;
    }
    Ok((merged, paths))
}

fn read(path: &Path) -> Result<Kubeconfig, ClusterError> {
    let mut config = file::read(path)?;
    // The first file to *set* a value wins; an empty text sets nothing.
    config.current_context = config.current_context.filter(|name| !name.is_empty());
    Ok(config)
}

fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not text".to_owned(),
        kind => kind.to_string(),
    }
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
        cluster.tls_server_name = given(flags.tls_server_name.as_deref()).map(str::to_owned);
    }
}

fn override_user(user: &mut AuthInfo, flags: &ConnectionFlags) {
    if let Some(path) = given(flags.client_certificate.as_deref()) {
        user.client_certificate = Some(path.to_owned());
        user.client_certificate_data = None;
    }
    if let Some(path) = given(flags.client_key.as_deref()) {
        user.client_key = Some(path.to_owned());
        user.client_key_data = None;
    }
    if let Some(name) = given(flags.as_user.as_deref()) {
        user.impersonate = Some(name.to_owned());
    }
    if let Some(uid) = given(flags.as_uid.as_deref()) {
        user.impersonate_uid = Some(uid.to_owned());
    }
    if !flags.as_groups.is_empty() {
        user.impersonate_groups = Some(flags.as_groups.clone());
    }
}

fn check_user(user: &AuthInfo) -> Result<(), ClusterError> {
    let impersonates_more = user.impersonate_uid.as_deref().is_some_and(|uid| !uid.is_empty())
        || user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty());
    if impersonates_more && given(user.impersonate.as_deref()).is_none() {
        return Err(ClusterError::config(
            "A uid or a group to act as is given, but no user.",
            Some("Name the user with --as.".to_owned()),
        ));
    }
    let certificate = given(user.client_certificate.as_deref());
    let key = given(user.client_key.as_deref());
    let has_certificate = certificate.is_some() || given(user.client_certificate_data.as_deref()).is_some();
    if has_certificate && key.is_none() && user.client_key_data.is_none() {
        return Err(ClusterError::config(
            "A client certificate is given without its key.",
            Some("Name the key with --client-key, or as client-key in the kubeconfig.".to_owned()),
        ));
    }
    for (what, path) in [("client certificate", certificate), ("client key", key)] {
        if let Some(path) = path {
            std::fs::File::open(path).map_err(|error| {
                ClusterError::config(format!("The {what} {path} cannot be read: {}.", io_reason(&error)), None)
            })?;
        }
    }
    Ok(())
}

fn authorities(cluster: &ClusterEntry) -> Result<Option<Vec<Vec<u8>>>, ClusterError> {
    let (pem, origin) =
        match (given(cluster.certificate_authority_data.as_deref()), given(cluster.certificate_authority.as_deref())) {
            (Some(data), _) => (
                decoded(data).ok_or_else(|| unusable_authority("certificate-authority-data of the kubeconfig"))?,
                "certificate-authority-data of the kubeconfig".to_owned(),
            ),
            (None, Some(path)) => (
                std::fs::read(path).map_err(|error| {
                    ClusterError::config(
                        format!("The certificate authority {path} cannot be read: {}.", io_reason(&error)),
                        None,
                    )
                })?,
                path.to_owned(),
            ),
            (None, None) => return Ok(None),
        };
    let certificates: Vec<Vec<u8>> =
        CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).map(|certificate| certificate.to_vec()).collect();
    if certificates.is_empty() {
        return Err(unusable_authority(&origin));
    }
    Ok(Some(certificates))
}

fn unusable_authority(origin: &str) -> ClusterError {
    ClusterError::config(format!("No PEM certificate could be read from {origin}."), None)
}

/// Base64 as Kubernetes writes it; line breaks are allowed, as in Go.
pub(super) fn decoded(base64: &str) -> Option<Vec<u8>> {
    let packed: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    serde_json::from_value::<ByteString>(packed.into()).ok().map(|bytes| bytes.0)
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
