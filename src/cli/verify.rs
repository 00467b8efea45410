//! Flags of `verify`.

use clap::Args;

use super::OutputArgs;

/// `verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Asks and changes nothing. No question logs anybody in; what is sent to an identity provider is the \
                        beginning of a login, once. Never complete a login at MAS before the migration: it spoils it."
)]
pub struct VerifyArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Connect to this address and port for a host, in place of DNS and proxies; may be repeated
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub resolve: Vec<String>,
    /// Certificates have to lead to the CAs in this file, not to those that this system trusts
    #[arg(long, value_name = "FILE")]
    pub ca_certificate: Option<String>,
    /// Go through a port-forward to the pods behind the ingress, where that cannot be reached from here
    #[arg(long)]
    pub through_cluster: bool,
    /// An access token whose user and device are to be shown, or compared where they stand behind it; sent to Synapse's host only; - is standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}
