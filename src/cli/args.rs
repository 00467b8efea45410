//! The command line, and the arguments of all commands except `prepare` and `tls`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::flags::{CodeParser, FollowArgs, GlobalArgs, OutputArgs, WriteArgs};
use super::prepare::PrepareArgs;
use super::tls::TlsArgs;

#[derive(Debug, Parser)]
#[command(
    name = "kubectl ess-mas",
    bin_name = "kubectl ess-mas",
    version,
    about = "Migrate an Element Server Suite Classic deployment from legacy authentication to the Matrix Authentication Service (MAS)",
    after_help = "Users notice nothing until `activate`. Until the migration is complete, `abort` rolls it back. For flags and examples, run `kubectl ess-mas COMMAND --help`.",
    propagate_version = false,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the state of the migration and the next step
    Status(StatusArgs),
    /// Check whether the deployment is ready for the migration
    Check(CheckArgs),
    /// Configure MAS and create its Secret; doesn't modify the ElementDeployment
    Prepare(Box<PrepareArgs>),
    /// Add MAS without activating it and wait for the operator's dry run
    DryRun(DryRunArgs),
    /// Start the migration; reversible only by restoring a backup
    Activate(ActivateArgs),
    /// Roll back an unfinished migration
    Abort(AbortArgs),
    /// Test MAS, Synapse and the identity providers over the network
    Verify(VerifyArgs),
    /// Issue, request and check certificates for the MAS host
    Tls(TlsArgs),
    /// Collect data for support in one file, without secrets
    Report(ReportArgs),
    /// Print a shell completion script
    Completion(CompletionArgs),
    /// Print the version
    Version(OutputArgs),
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    /// List the deployments of the whole cluster
    #[arg(short = 'A', long, conflicts_with = "name")]
    pub all_namespaces: bool,
    /// Print a line for every change until interrupted
    #[arg(short = 'w', long, conflicts_with = "all_namespaces")]
    pub watch: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    /// Explain the code of a finding or of a cause, without connecting to a cluster
    #[arg(long, value_name = "CODE", value_parser = CodeParser::FindingOrCause, hide_possible_values = true, conflicts_with = "name")]
    pub explain: Option<String>,
    /// Print the minimum Role for the migration
    #[arg(long, conflicts_with = "explain")]
    pub rbac: bool,
    #[command(flatten)]
    pub ask: DatabasesArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `check --databases`, and how to connect.
#[derive(Debug, Args)]
pub struct DatabasesArgs {
    /// Check the databases of MAS and Synapse in a read-only transaction, with the credentials of the deployment
    #[arg(long, conflicts_with_all = ["explain", "rbac"])]
    pub databases: bool,
    /// Connect through port-forwards to the pods behind the databases' Services
    #[arg(long, requires = "databases")]
    pub through_cluster: bool,
    /// Connect to this address for a database host, instead of resolving it; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS", requires = "databases")]
    pub resolve: Vec<String>,
    /// File with the CAs to trust for sslMode verify-ca and verify-full, instead of the system's
    #[arg(long, value_name = "FILE", requires = "databases")]
    pub ca_certificate: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Changes nothing. Starts one login through each identity provider, but doesn't complete it. Never complete a login to \
                  MAS before the migration: the data that it writes breaks the migration."
)]
pub struct VerifyArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    /// Connect to this address for a host, instead of using DNS or a proxy; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub resolve: Vec<String>,
    /// File with the CAs to trust, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub ca_certificate: Option<String>,
    /// Connect through port-forwards to the pods behind the ingress, if the ingress is unreachable
    #[arg(long)]
    pub through_cluster: bool,
    /// File with an access token, optionally followed by its expected user and device; sent only to Synapse's host; - for standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<String>,
    /// File with the user and password of a test account, each on its own line, to log in and out; not between dry run and migration; - for standard input
    #[arg(long, value_name = "FILE")]
    pub login_file: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct DryRunArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Skip confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Write nothing; print the change for the manifest owner (Helm, Argo CD, Flux, installer) and wait until it is applied
    #[arg(long, conflicts_with = "preview")]
    pub via_owner: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ActivateArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Deployment name, to confirm without a prompt
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Location of the backup of both databases, for the record
    #[arg(long, value_name = "TEXT")]
    pub backup: Option<String>,
    /// Verify that FILE is a recent PostgreSQL dump containing the users table; repeatable
    #[arg(long, value_name = "FILE")]
    pub backup_file: Vec<String>,
    /// Not sufficient to activate; pass --confirm and --backup
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Write nothing; print the change for the manifest owner (Helm, Argo CD, Flux, installer) and wait until it is applied
    #[arg(long, conflicts_with = "preview")]
    pub via_owner: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct AbortArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    /// Also remove the MAS component from the ElementDeployment
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Skip confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Name of the ElementDeployment; optional if there is only one
    pub name: Option<String>,
    /// File or directory to write to; never overwrites a file [default: the working directory]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// Shell that runs the script
    pub shell: clap_complete::Shell,
}
