//! `prepare`.

use clap::{Args, ValueEnum};

use super::export::{EXPORT_HELP, ExportArgs};
use super::{KeySize, WriteArgs};

/// `--tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsChoice {
    /// As spec.global.k8s.ingresses.tls says
    Inherit,
    /// TLS ends in front of the ingress
    External,
    /// cert-manager, by --issuer
    Certmanager,
    /// The Secret --tls-secret
    Existing,
    /// --certificate and --private-key
    Certfile,
    /// Issue one now, from a private CA that is made for it or from --ca-certificate
    Issue,
}

/// `prepare`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct PrepareArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Fully-qualified name that MAS will be reached at
    #[arg(long, value_name = "FQDN", help_heading = "MAS")]
    pub host: Option<String>,
    /// Host of MAS's PostgreSQL server
    #[arg(long, value_name = "HOST", help_heading = "MAS")]
    pub database_host: Option<String>,
    /// Port of MAS's PostgreSQL server [default: 5432]
    #[arg(long, value_name = "PORT", help_heading = "MAS", value_parser = clap::value_parser!(u16).range(1..))]
    pub database_port: Option<u16>,
    /// Name of MAS's own database
    #[arg(long, value_name = "NAME", help_heading = "MAS")]
    pub database_name: Option<String>,
    /// Role that MAS logs in as
    #[arg(long, value_name = "ROLE", help_heading = "MAS")]
    pub database_user: Option<String>,
    /// sslmode of MAS's connection
    #[arg(long, value_name = "MODE", help_heading = "MAS")]
    pub database_sslmode: Option<String>,
    /// File with the role's password; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    pub database_password_file: Option<String>,
    /// Name of the Secret [default: the one the deployment names, else NAME-mas]
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    pub secret_name: Option<String>,
    /// File with the encryption secret, instead of a new one; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    pub encryption_secret_file: Option<String>,
    /// File with the RSA private key, instead of a new one; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    pub rsa_private_key_file: Option<String>,
    /// Size of a new RSA key
    #[arg(
        long,
        value_name = "BITS",
        default_value = "2048",
        conflicts_with = "rsa_private_key_file",
        help_heading = "Secrets"
    )]
    pub rsa_bits: KeySize,
    /// Key of the Secret to replace; may be repeated
    #[arg(long, value_name = "KEY", value_delimiter = ',', help_heading = "Secrets")]
    pub replace: Vec<String>,
    /// Where MAS's certificate comes from [default: inherit]
    #[arg(long, value_name = "MODE", help_heading = "TLS")]
    pub tls: Option<TlsChoice>,
    /// ClusterIssuer of cert-manager
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    pub issuer: Option<String>,
    /// Secret of type kubernetes.io/tls
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    pub tls_secret: Option<String>,
    /// File with the certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "private_key", help_heading = "TLS")]
    pub certificate: Option<String>,
    /// File with the certificate's private key in PEM
    #[arg(long, value_name = "FILE", requires = "certificate", help_heading = "TLS")]
    pub private_key: Option<String>,
    /// Certificate of the CA to issue from, with --tls issue
    #[arg(long, value_name = "FILE", requires = "ca_private_key", help_heading = "TLS")]
    pub ca_certificate: Option<String>,
    /// Private key of that CA
    #[arg(long, value_name = "FILE", requires = "ca_certificate", help_heading = "TLS")]
    pub ca_private_key: Option<String>,
    #[command(flatten)]
    pub export: ExportArgs,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
}
