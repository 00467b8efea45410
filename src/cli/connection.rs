//! kubectl's connection flags.

use clap::Args;

use crate::cluster::ConnectionFlags;

/// How to reach the API server: kubectl's names and meanings. There is no `--token`, because argv is public.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Path of the kubeconfig file, instead of the list in KUBECONFIG
    #[arg(long, global = true, value_name = "FILE")]
    kubeconfig: Option<String>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    user: Option<String>,
    /// Namespace of the deployment
    #[arg(short = 'n', long, global = true, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Address of the API server
    #[arg(short = 's', long, global = true, value_name = "URL")]
    server: Option<String>,
    /// Name to expect in the server's certificate
    #[arg(long, global = true, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Do not check the server's certificate; makes the connection insecure
    #[arg(long, global = true)]
    insecure_skip_tls_verify: bool,
    /// File with the certificate authority of the API server
    #[arg(long, global = true, value_name = "FILE")]
    certificate_authority: Option<String>,
    /// File with the client certificate
    #[arg(long, global = true, value_name = "FILE")]
    client_certificate: Option<String>,
    /// File with the client key
    #[arg(long, global = true, value_name = "FILE")]
    client_key: Option<String>,
    /// User to act as
    #[arg(long = "as", global = true, value_name = "USER")]
    as_user: Option<String>,
    /// UID to act as
    #[arg(long, global = true, value_name = "UID")]
    as_uid: Option<String>,
    /// Group to act as; may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    as_groups: Vec<String>,
    /// Longest wait for one answer, such as 5s or 2m; 0 for no limit
    #[arg(long, global = true, value_name = "DURATION")]
    request_timeout: Option<String>,
}

impl ConnectionArgs {
    /// The same without clap.
    pub fn flags(&self) -> ConnectionFlags {
        ConnectionFlags {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone(),
            server: self.server.clone(),
            tls_server_name: self.tls_server_name.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            certificate_authority: self.certificate_authority.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            as_user: self.as_user.clone(),
            as_uid: self.as_uid.clone(),
            as_groups: self.as_groups.clone(),
            request_timeout: self.request_timeout.clone(),
        }
    }
}
