//! Flags of `check --databases`.

use clap::Args;

/// `--databases` and how to get there.
#[derive(Debug, Args)]
pub struct DatabasesArgs {
    /// Log in to MAS's and Synapse's databases with the credentials of the spec and look, in a read-only transaction
    #[arg(long, conflicts_with_all = ["explain", "rbac"])]
    pub databases: bool,
    /// Go through a port-forward to the pods behind the databases' Services
    #[arg(long, requires = "databases")]
    pub through_cluster: bool,
    /// Connect to this address and port for a database's host, in place of DNS; may be repeated
    #[arg(long, value_name = "HOST:PORT:ADDRESS", requires = "databases")]
    pub resolve: Vec<String>,
    /// CAs that sslMode verify-ca and verify-full are checked against, in place of those that this system trusts
    #[arg(long, value_name = "FILE", requires = "databases")]
    pub ca_certificate: Option<String>,
}
