//! The whole command line, and the arguments of all commands but those with the most of them.

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
    about = "Takes an Element Server Suite Classic deployment from legacy authentication to the Matrix Authentication Service (MAS)",
    after_help = "Until `activate` nobody notices anything, and `abort` goes back. `kubectl ess-mas COMMAND --help` has the flags of a command, with examples.",
    propagate_version = false,
    disable_help_subcommand = true,
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
    /// Show where the migration stands
    Status(StatusArgs),
    /// Show every finding: what stands in the way, and what to think about
    Check(CheckArgs),
    /// Settle MAS's settings and make its secrets; the deployment is not touched
    Prepare(Box<PrepareArgs>),
    /// Add MAS without activating it and let the operator rehearse the migration
    DryRun(DryRunArgs),
    /// Migrate for good: the step that only a backup undoes
    Activate(ActivateArgs),
    /// Go back, as long as the migration is not done
    Abort(AbortArgs),
    /// Ask MAS, Synapse and the identity providers over the network
    Verify(VerifyArgs),
    /// Make and check certificates for the MAS host
    Tls(TlsArgs),
    /// Collect everything that support needs into one file, without secrets
    Report(ReportArgs),
    /// Print a shell's completion script
    Completion(CompletionArgs),
    /// Print the version
    Version(OutputArgs),
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Every deployment in every namespace
    #[arg(short = 'A', long, conflicts_with = "name")]
    pub all_namespaces: bool,
    /// Follow it until Ctrl-C, with a line for every change
    #[arg(short = 'w', long, conflicts_with = "all_namespaces")]
    pub watch: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Tell all about one code, without asking a cluster
    #[arg(long, value_name = "CODE", value_parser = CodeParser::FindingOrCause, hide_possible_values = true, conflicts_with = "name")]
    pub explain: Option<String>,
    /// Print the Role that is enough for the whole way
    #[arg(long, conflicts_with = "explain")]
    pub rbac: bool,
    #[command(flatten)]
    pub ask: DatabasesArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `check --databases` and how to get there.
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
    /// Test account (user and password, a line each) to log in and out at Synapse's host; not between dry run and migration; - is standard input
    #[arg(long, value_name = "FILE")]
    pub login_file: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct DryRunArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Write nothing: show the change for the manifest's owner (Helm, Argo CD, Flux, installer) and wait for it
    #[arg(long, conflicts_with = "preview")]
    pub via_owner: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ActivateArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// The deployment's name once more, in place of the question
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// A sentence that says where the backup of both databases is
    #[arg(long, value_name = "TEXT")]
    pub backup: Option<String>,
    /// Look into this dump as well: is it one, of today, with the table users in it? May be repeated
    #[arg(long, value_name = "FILE")]
    pub backup_file: Vec<String>,
    /// Not enough here: --confirm and --backup are needed
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Write nothing: show the change for the manifest's owner (Helm, Argo CD, Flux, installer) and wait for it
    #[arg(long, conflicts_with = "preview")]
    pub via_owner: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct AbortArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Take the MAS component out as well
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// File to write, or the folder for it; nothing that is there is overwritten [default: the working folder]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// bash, zsh, fish or powershell
    pub shell: clap_complete::Shell,
}
