//! Inside a pod: the service account that Kubernetes mounts.

use kube::config::{AuthInfo, Cluster as ClusterEntry};

use super::{Environment, Resolved, authorities, check_user, given, override_cluster, override_user, server_address};
use crate::cluster::{errors::ClusterError, flags::ConnectionFlags, proxy};

/// The folder in which Kubernetes mounts a pod's service account.
pub(in crate::cluster) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The service account of the pod this runs in, if it runs in one.
pub(super) fn in_cluster(
    flags: &ConnectionFlags,
    environment: &Environment<'_>,
) -> Result<Option<Resolved>, ClusterError> {
    let var = |name: &str| (environment.var)(name).filter(|value| !value.is_empty());
    let token = environment.service_account.join("token");
    // As client-go's `Possible`: both variables and the token, or this is no pod. With a context asked for it is not what was meant.
    let (Some(host), Some(port)) = (var("KUBERNETES_SERVICE_HOST"), var("KUBERNETES_SERVICE_PORT")) else {
        return Ok(None);
    };
    if !token.is_file() || given(flags.context.as_deref()).is_some() || given(flags.cluster.as_deref()).is_some() {
        return Ok(None);
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let server = server_address(&format!("https://{host}:{port}"), true)?;
    let authority = environment.service_account.join("ca.crt");
    let mut cluster = ClusterEntry {
        server: Some(server.to_string()),
        certificate_authority: authority.is_file().then(|| authority.display().to_string()),
        ..ClusterEntry::default()
    };
    override_cluster(&mut cluster, flags);
    let mut user = AuthInfo { token_file: Some(token.display().to_string()), ..AuthInfo::default() };
    override_user(&mut user, flags);
    check_user(&user)?;
    let of_pod = var("POD_NAMESPACE").or_else(|| {
        let text = std::fs::read_to_string(environment.service_account.join("namespace")).ok()?;
        given(Some(text.trim())).map(str::to_owned)
    });
    let authorities_replaced =
        given(flags.certificate_authority.as_deref()).is_some() || flags.insecure_skip_tls_verify;
    Ok(Some(Resolved {
        proxy: proxy::choose(&server, None, environment.var)?,
        server,
        authorities: authorities(&cluster)?,
        authorities_file: (authority.is_file() && !authorities_replaced).then_some(authority),
        insecure: cluster.insecure_skip_tls_verify.unwrap_or(false),
        tls_server_name: cluster.tls_server_name.clone(),
        user,
        user_name: None,
        cluster,
        context: None,
        namespace: given(flags.namespace.as_deref())
            .map(str::to_owned)
            .or(of_pod)
            .unwrap_or_else(|| "default".to_owned()),
        namespace_given: given(flags.namespace.as_deref()).is_some(),
    }))
}
