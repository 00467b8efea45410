//! Arguments of `prepare`.

use clap::{Args, ValueEnum};

use super::flags::WriteArgs;

/// `--tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsChoice {
    /// The mode in spec.global.k8s.ingresses.tls
    Inherit,
    /// TLS terminates in front of the ingress
    External,
    /// cert-manager, with --issuer
    Certmanager,
    /// The Secret in --tls-secret
    Existing,
    /// The files in --certificate and --private-key
    Certfile,
    /// Issue a certificate now, from --ca-certificate or a new private CA
    Issue,
}

#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct PrepareArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    /// Fully qualified domain name of MAS
    #[arg(long, value_name = "FQDN", help_heading = "MAS")]
    pub host: Option<String>,
    /// Host of the PostgreSQL server for MAS
    #[arg(long, value_name = "HOST", help_heading = "MAS")]
    pub database_host: Option<String>,
    /// Port of the PostgreSQL server for MAS [default: 5432]
    #[arg(long, value_name = "PORT", help_heading = "MAS", value_parser = clap::value_parser!(u16).range(1..))]
    pub database_port: Option<u16>,
    /// PostgreSQL database of MAS; not Synapse's
    #[arg(long, value_name = "NAME", help_heading = "MAS")]
    pub database_name: Option<String>,
    /// PostgreSQL role of MAS
    #[arg(long, value_name = "ROLE", help_heading = "MAS")]
    pub database_user: Option<String>,
    /// sslmode of the connection to PostgreSQL, such as require
    #[arg(long, value_name = "MODE", help_heading = "MAS")]
    pub database_sslmode: Option<String>,
    /// File with the password of the PostgreSQL role; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    pub database_password_file: Option<String>,
    /// Secret of MAS [default: the one in the ElementDeployment, or NAME-mas]
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    pub secret_name: Option<String>,
    /// File with the encryption secret, instead of generating one; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    pub encryption_secret_file: Option<String>,
    /// File with the RSA private key, instead of generating one; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    pub rsa_private_key_file: Option<String>,
    /// Key of the Secret whose value to replace; repeatable
    #[arg(long, value_name = "KEY", value_delimiter = ',', help_heading = "Secrets")]
    pub replace: Vec<String>,
    /// Source of the MAS certificate [default: inherit]
    #[arg(long, value_name = "MODE", help_heading = "TLS")]
    pub tls: Option<TlsChoice>,
    /// ClusterIssuer for cert-manager
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    pub issuer: Option<String>,
    /// Existing Secret of type kubernetes.io/tls
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    pub tls_secret: Option<String>,
    /// File with the certificate and its intermediates, in PEM
    #[arg(long, value_name = "FILE", requires = "private_key", help_heading = "TLS")]
    pub certificate: Option<String>,
    /// File with the private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate", help_heading = "TLS")]
    pub private_key: Option<String>,
    /// File with the certificate of the issuing CA, for --tls issue
    #[arg(long, value_name = "FILE", requires = "ca_private_key", help_heading = "TLS")]
    pub ca_certificate: Option<String>,
    /// File with the private key of the issuing CA
    #[arg(long, value_name = "FILE", requires = "ca_certificate", help_heading = "TLS")]
    pub ca_private_key: Option<String>,
    #[command(flatten, next_help_heading = "Options")]
    pub write: WriteArgs,
    /// Skip confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,
    #[command(flatten)]
    pub export: ExportArgs,
}

/// `--export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A values file for chart ess-stack, to pass with a second -f
    HelmValues,
    /// A patch of the ElementDeployment and, in a separate file, the Secret
    Manifests,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Export")]
pub struct ExportArgs {
    /// Write nothing to the cluster; print the change for the manifest owner
    #[arg(long, value_name = "FORMAT")]
    pub export: Option<ExportFormat>,
    /// Include the secret values; requires --export-file
    #[arg(long, requires = "export")]
    pub inline_secrets: bool,
    /// Omit the Secret from the manifests
    #[arg(long, requires = "export", conflicts_with = "inline_secrets")]
    pub without_secret: bool,
    /// File to write with mode 0600, instead of printing the export
    #[arg(long, value_name = "FILE", requires = "export")]
    pub export_file: Option<String>,
    /// Overwrite an existing export file
    #[arg(long, requires = "export_file")]
    pub force: bool,
}

const EXPORT_HELP: &str = "\
To change a setting, run prepare again with its flag, such as --host, and repeat the dry run. To change a value of the Secret, \
also pass --replace KEY. The encryption secret can't change once MAS has been deployed.

Use --export if Helm, Argo CD or Flux applies the manifest. helm-values references the Secret by name: run prepare first, then \
the same command with --export. With --inline-secrets, the export contains the secret values. So do manifests, except with \
--without-secret. Values in the cluster take precedence over flags; missing values are generated.

An export with secret values requires --export-file, because secrets are never printed. A generated encryption secret exists \
only in that file: never apply two such exports.";
