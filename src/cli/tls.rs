//! `tls`.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::OutputArgs;
use crate::x509::{RsaBits, TlsKeyType};

/// `tls`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct TlsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TlsCommand,
}

/// The commands below `tls`.
#[derive(Debug, Subcommand)]
pub enum TlsCommand {
    /// Issue a certificate for the MAS host from a private CA
    Issue(TlsIssueArgs),
    /// Make a key and a certificate signing request for a company's CA
    Request(TlsRequestArgs),
    /// Say whether a certificate, its key and its chain are good for the MAS host
    Check(TlsCheckArgs),
}

/// `--key-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum KeyType {
    /// EC on P-256
    #[default]
    P256,
    /// RSA, 2048 bits
    Rsa2048,
    /// RSA, 3072 bits
    Rsa3072,
    /// RSA, 4096 bits
    Rsa4096,
}

impl From<KeyType> for TlsKeyType {
    fn from(chosen: KeyType) -> Self {
        match chosen {
            KeyType::P256 => Self::P256,
            KeyType::Rsa2048 => Self::Rsa(RsaBits::Bits2048),
            KeyType::Rsa3072 => Self::Rsa(RsaBits::Bits3072),
            KeyType::Rsa4096 => Self::Rsa(RsaBits::Bits4096),
        }
    }
}

/// `--rsa-bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeySize {
    /// What MAS and openssl make
    #[value(name = "2048")]
    Bits2048,
    /// 3072 bits
    #[value(name = "3072")]
    Bits3072,
    /// 4096 bits; takes a moment
    #[value(name = "4096")]
    Bits4096,
}

impl From<KeySize> for RsaBits {
    fn from(chosen: KeySize) -> Self {
        match chosen {
            KeySize::Bits2048 => Self::Bits2048,
            KeySize::Bits3072 => Self::Bits3072,
            KeySize::Bits4096 => Self::Bits4096,
        }
    }
}

/// For which host, and where the files go.
#[derive(Debug, Args)]
pub struct TlsFileArgs {
    /// Fully-qualified name that MAS will be reached at
    #[arg(long, value_name = "FQDN")]
    pub host: String,
    /// Folder for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: String,
    /// Kind of the new key
    #[arg(long, value_name = "TYPE", default_value = "p256")]
    pub key_type: KeyType,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

/// `tls issue`.
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

/// `tls request`.
#[derive(Debug, Args)]
pub struct TlsRequestArgs {
    #[command(flatten)]
    pub files: TlsFileArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tls check`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("source").required(true).args(["certificate", "secret", "live"])))]
pub struct TlsCheckArgs {
    /// Fully-qualified name that MAS is, or will be, reached at
    #[arg(long, value_name = "FQDN")]
    pub host: String,
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
    #[arg(long, value_name = "FILE", requires = "live")]
    pub ca_certificate: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}
