//! What was typed: clap's definitions and nothing else. What it means is settled in `commands`.

mod connection;
mod prepare;
mod tls;
mod verify;
mod writes;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use connection::ConnectionArgs;
pub use prepare::{PrepareArgs, TlsChoice};
pub use tls::{KeyType, TlsArgs, TlsCheckArgs, TlsCommand, TlsFileArgs, TlsIssueArgs, TlsRequestArgs};
pub use verify::VerifyArgs;
pub use writes::{AbortArgs, ActivateArgs, DryRunArgs, FollowArgs, WriteArgs};

use crate::terminal::{ColorChoice, OutputFormat, Verbosity};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl ess-mas",
    bin_name = "kubectl ess-mas",
    version,
    about = "Takes an Element Server Suite Classic deployment from legacy authentication to the Matrix Authentication Service (MAS)",
    after_help = "The way: status, prepare, dry-run, activate. Until activate, nobody notices anything and abort goes back.",
    max_term_width = 100,
    propagate_version = false,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// How to reach the API server.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Output"
    )]
    color: Color,
    /// Say more; repeat for more still
    #[arg(short = 'v', action = ArgAction::Count, global = true, help_heading = "Output")]
    verbose: u8,
    /// Say only what is wrong
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
}

impl GlobalArgs {
    /// When to use colour.
    pub fn color(&self) -> ColorChoice {
        match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }

    /// How much to say.
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, level) => Verbosity::Verbose(level),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// `-o`, where there is data to print.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Form of the output
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT",
        default_value = "table",
        hide_default_value = true,
        help_heading = "Output"
    )]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    Table,
    Wide,
    Json,
    Yaml,
}

impl OutputArgs {
    /// The form.
    pub fn format(&self) -> OutputFormat {
        match self.output {
            Output::Table => OutputFormat::Table,
            Output::Wide => OutputFormat::Wide,
            Output::Json => OutputFormat::Json,
            Output::Yaml => OutputFormat::Yaml,
        }
    }
}

/// The commands.
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
    /// Print a shell's completion script
    Completion(CompletionArgs),
    /// Print the version
    Version,
}

/// `status`.
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
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `completion`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// bash, zsh, fish or powershell
    pub shell: clap_complete::Shell,
}
