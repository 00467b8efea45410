//! Arguments of `tls`.

use clap::builder::PossibleValue;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::flags::OutputArgs;
use crate::x509::{RsaBits, TlsKeyType};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub struct TlsArgs {
    #[command(subcommand)]
    pub command: TlsCommand,
}

#[derive(Debug, Subcommand)]
pub enum TlsCommand {
    /// Issue a certificate for the MAS host from a private CA
    Issue(TlsIssueArgs),
    /// Create a key and a certificate signing request for a company CA
    Request(TlsRequestArgs),
    /// Check whether a certificate, key and chain are valid for the MAS host
    Check(TlsCheckArgs),
}

#[derive(Debug, Args)]
pub struct TlsFileArgs {
    /// Fully qualified domain name of MAS [default: the configured one]
    #[arg(long, value_name = "FQDN")]
    pub host: Option<String>,
    /// Directory for the files; created if missing
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: String,
    /// Type of the generated private key
    #[arg(long, value_name = "TYPE", default_value = "p256")]
    pub key_type: TlsKeyType,
    /// Overwrite existing files
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct TlsIssueArgs {
    #[command(flatten)]
    pub files: TlsFileArgs,
    /// File with the certificate of an existing CA, instead of creating a private CA
    #[arg(long, value_name = "FILE", requires = "ca_private_key")]
    pub ca_certificate: Option<String>,
    /// File with the private key of the existing CA
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
    /// Fully qualified domain name of MAS [default: the configured one]
    #[arg(long, value_name = "FQDN")]
    pub host: Option<String>,
    /// File with the certificate and its intermediates, in PEM
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<String>,
    /// File with the private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<String>,
    /// Secret that contains the certificate
    #[arg(long, value_name = "NAME")]
    pub secret: Option<String>,
    /// Check the certificate that the host presents; sends only a TLS handshake
    #[arg(long)]
    pub live: bool,
    /// Connect to this address for the host, instead of resolving it, as in curl
    #[arg(long, value_name = "HOST:PORT:ADDRESS", requires = "live")]
    pub resolve: Option<String>,
    /// File with the CA to trust, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub ca_certificate: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl ValueEnum for TlsKeyType {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::P256, Self::Rsa(RsaBits::Bits2048), Self::Rsa(RsaBits::Bits3072), Self::Rsa(RsaBits::Bits4096)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::P256 => PossibleValue::new("p256").help("ECDSA, P-256"),
            Self::Rsa(RsaBits::Bits2048) => PossibleValue::new("rsa2048").help("RSA, 2048 bits"),
            Self::Rsa(RsaBits::Bits3072) => PossibleValue::new("rsa3072").help("RSA, 3072 bits"),
            Self::Rsa(RsaBits::Bits4096) => PossibleValue::new("rsa4096").help("RSA, 4096 bits"),
        })
    }
}
