//! Arguments of `tls`.

use clap::{ArgGroup, Args, Subcommand};

use super::flags::OutputArgs;
use crate::x509::TlsKeyType;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct TlsArgs {
    #[command(subcommand)]
    pub command: TlsCommand,
}

#[derive(Debug, Subcommand)]
pub enum TlsCommand {
    /// Issue a certificate for the MAS host from a private CA
    Issue(TlsIssueArgs),
    /// Make a key and a certificate signing request for a company's CA
    Request(TlsRequestArgs),
    /// Say whether a certificate, its key and its chain are good for the MAS host
    Check(TlsCheckArgs),
}

/// For which host, and where the files go.
#[derive(Debug, Args)]
pub struct TlsFileArgs {
    /// Fully-qualified name that MAS will be reached at; by default, the host configured for MAS
    #[arg(long, value_name = "FQDN")]
    pub host: Option<String>,
    /// Folder for the files, created if it is missing
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: String,
    /// Kind of the new key
    #[arg(long, value_name = "TYPE", default_value = "p256")]
    pub key_type: TlsKeyType,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct TlsIssueArgs {
    #[command(flatten)]
    pub files: TlsFileArgs,
    /// Certificate of a CA that is there, instead of a new private CA
    #[arg(long, value_name = "FILE", requires = "ca_private_key")]
    pub ca_certificate: Option<String>,
    /// Private key of that CA
    #[arg(long, value_name = "FILE", requires = "ca_certificate")]
    pub ca_private_key: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct TlsRequestArgs {
    #[command(flatten)]
    pub files: TlsFileArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("source").required(true).args(["certificate", "secret", "live"])))]
pub struct TlsCheckArgs {
    /// Fully-qualified name that MAS is, or will be, reached at; by default, the host configured for MAS
    #[arg(long, value_name = "FQDN")]
    pub host: Option<String>,
    /// Look at this file: the certificate, followed by its intermediates, in PEM
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<String>,
    /// File with the certificate's private key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<String>,
    /// Look at this Secret
    #[arg(long, value_name = "NAME")]
    pub secret: Option<String>,
    /// Look at what answers at the host now; nothing but the TLS handshake is sent
    #[arg(long)]
    pub live: bool,
    /// Connect to this address instead of asking DNS; as in curl
    #[arg(long, value_name = "HOST:PORT:ADDRESS", requires = "live")]
    pub resolve: Option<String>,
    /// CA that must have signed it, instead of those that this system trusts
    #[arg(long, value_name = "FILE")]
    pub ca_certificate: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}
