//! Arguments of `prepare`.

use clap::{Args, ValueEnum};

use super::flags::WriteArgs;
use crate::x509::RsaBits;

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
    pub rsa_bits: RsaBits,
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
    /// A values file for chart ess-stack, to pass with a second -f; it names the Secret
    HelmValues,
    /// A patch of the ElementDeployment and, in a file of its own, the Secret
    Manifests,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Export")]
pub struct ExportArgs {
    /// Write nothing to the cluster; print what the manifest's owner must add
    #[arg(long, value_name = "FORMAT")]
    pub export: Option<ExportFormat>,
    /// Put the secret values into the export; needs --export-file
    #[arg(long, requires = "export")]
    pub inline_secrets: bool,
    /// Leave the Secret out of the manifests
    #[arg(long, requires = "export", conflicts_with = "inline_secrets")]
    pub without_secret: bool,
    /// Write the export there, readable by you alone, instead of to standard output
    #[arg(long, value_name = "FILE", requires = "export")]
    pub export_file: Option<String>,
    /// Replace the export file if it is there
    #[arg(long, requires = "export_file")]
    pub force: bool,
}

const EXPORT_HELP: &str = "\
To change a setting later, run prepare again with its flag, such as --host; then the dry run has to pass again. To change a \
value of the Secret, also pass --replace KEY. The encryption secret cannot change once MAS has been deployed.

Exports are for a manifest that Helm, Argo CD or Flux applies. helm-values names the Secret that prepare without --export has \
made: run that first, then the same with --export. With --inline-secrets, and for manifests (unless --without-secret is given), \
the secret values go into the export: those that are in the cluster, else those given by flags, else new ones. As no secret is \
ever printed, such an export needs --export-file. A new encryption secret is then in that file alone; never apply two of them.";
