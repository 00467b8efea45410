//! From flags, environment and files to one way to reach one API server, with kubectl's rules.
//!
//! Reference: client-go's `clientcmd` (`loader.go` for files, `client_config.go` for overrides). kube reads the files; which
//! of their entries count is decided here, because kube knows neither the flags nor lists with missing files.

use std::{
    collections::HashSet,
    fs,
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

use http::Uri;
use kube::{
    Config,
    config::{AuthInfo, Cluster as ClusterEntry, Context, ExecAuthCluster, Kubeconfig, KubeconfigError},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;

use super::{connection::unusable, errors::ClusterError, flags::ConnectionFlags, proxy};

/// The folder in which Kubernetes mounts a pod's service account.
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where things that are not on the command line come from; replaced in tests.
pub(super) struct Environment<'a> {
    pub(super) var: &'a dyn Fn(&str) -> Option<String>,
    /// Where a pod finds its service account.
    pub(super) service_account: &'a Path,
}

/// Everything needed to talk to one API server.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) config: Config,
    /// With what may stand in it: user and password.
    pub(super) proxy: Option<Uri>,
    pub(super) user: AuthInfo,
    pub(super) user_name: Option<String>,
    /// For credential plugins that ask for it.
    pub(super) cluster: ExecAuthCluster,
    pub(super) context: Option<String>,
    pub(super) namespace_given: bool,
}

pub(super) fn resolve(flags: &ConnectionFlags, environment: &Environment<'_>) -> Result<Resolved, ClusterError> {
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

/// kubectl treats an empty value like one that was not given, in flags and in files.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Reads and merges the files; also says which ones were looked for.
pub(super) fn load(
    flags: &ConnectionFlags,
    environment: &Environment<'_>,
) -> Result<(Kubeconfig, Vec<PathBuf>), ClusterError> {
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
    let failed = |problem: &str, remedy: Option<&str>| {
        ClusterError::config(format!("The kubeconfig {} {problem}.", path.display()), remedy.map(str::to_owned))
    };
    // kube takes the bytes of UTF-16 by twos, and does not survive half a one.
    if fs::read(path).is_ok_and(|bytes| matches!(*bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) && bytes.len() % 2 == 1) {
        return Err(failed("cannot be read: it is not text", None));
    }
    // kube's own words are never shown: they quote the file, and a token may stand there.
    let mut config = Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => failed(&format!("cannot be read: {}", io_reason(&error)), None),
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => failed(&format!("is not a valid kubeconfig (see line {})", place.line()), None),
            None => failed("is not a valid kubeconfig", None),
        },
        _ => failed("is not a valid kubeconfig", None),
    })?;
    let entries = [
        ("clusters", repeated(config.clusters.iter().map(|entry| &entry.name))),
        ("contexts", repeated(config.contexts.iter().map(|entry| &entry.name))),
        ("users", repeated(config.auth_infos.iter().map(|entry| &entry.name))),
    ];
    for (kind, name) in entries {
        if let Some(name) = name {
            let problem = format!("has more than one entry named {name} in {kind}");
            return Err(failed(
                &problem,
                Some("Rename or delete one of them; kubectl doesn't accept the file either."),
            ));
        }
    }
    // The first file to *set* a value wins; an empty text sets nothing.
    config.current_context = config.current_context.filter(|name| !name.is_empty());
    Ok(config)
}

fn repeated<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

pub(super) fn io_reason(error: &std::io::Error) -> String {
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
