//! What was typed: clap's definitions and nothing else. What it means is settled in `commands`.

mod codes;
pub mod command;
pub mod complete;
mod databases;
pub mod examples;
mod export;
mod mistakes;
mod prepare;
mod report;
mod tls;
mod verify;
mod writes;

use std::ffi::OsString;

use clap::{ArgAction, Args, FromArgMatches as _, Parser, Subcommand};

pub use databases::DatabasesArgs;
pub use export::{ExportArgs, ExportFormat};
pub use prepare::{PrepareArgs, TlsChoice};
pub use report::ReportArgs;
pub use tls::{KeySize, KeyType, TlsArgs, TlsCheckArgs, TlsCommand, TlsFileArgs, TlsIssueArgs, TlsRequestArgs};
pub use verify::VerifyArgs;
pub use writes::{AbortArgs, ActivateArgs, DryRunArgs, FollowArgs, WriteArgs};

use crate::{
    cluster::ConnectionFlags,
    terminal::{ColorChoice, OutputFormat, Verbosity},
};

/// The whole command line.
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
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// What asks for the end of a command line to be completed, in front of the words; see [`complete`].
const COMPLETE: &str = "__complete";

/// What was typed.
#[derive(Debug)]
pub enum Typed {
    /// A command.
    Command(Box<Cli>),
    /// Words to complete the last of.
    Complete(Vec<String>),
}

/// Reads the arguments, the first of which is the program's name. Help is laid out for so many columns.
pub fn parse(args: &[OsString], columns: usize) -> Result<Typed, clap::Error> {
    if let [_, first, rest @ ..] = args
        && first == COMPLETE
    {
        let words = rest.strip_prefix(&[OsString::from("--")]).unwrap_or(rest);
        return Ok(Typed::Complete(words.iter().map(|word| word.to_string_lossy().into_owned()).collect()));
    }
    let mut definition = command::for_columns(columns);
    let matches = definition.try_get_matches_from_mut(args).map_err(mistakes::explained)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))?;
    Ok(Typed::Command(Box::new(cli)))
}

/// `--color` as it was typed, for what is said before the whole line has been understood.
pub fn color(args: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let joined = words.iter().find_map(|word| word.strip_prefix("--color="));
    let apart = words.iter().position(|word| *word == "--color").and_then(|at| words.get(at + 1).copied());
    match joined.or(apart) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    #[command(flatten)]
    pub connection: ConnectionFlags,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Output"
    )]
    color: ColorChoice,
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
        self.color
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
    output: OutputFormat,
}

impl OutputArgs {
    /// The form.
    pub fn format(&self) -> OutputFormat {
        self.output
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
    /// Collect everything that support needs into one file, without secrets
    Report(ReportArgs),
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
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Tell all about one code, without asking a cluster
    #[arg(long, value_name = "CODE", value_parser = codes::CodeParser::FindingOrCause, hide_possible_values = true, conflicts_with = "name")]
    pub explain: Option<String>,
    /// Print the Role that is enough for the whole way
    #[arg(long, conflicts_with = "explain")]
    pub rbac: bool,
    #[command(flatten)]
    pub ask: DatabasesArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `completion`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// bash, zsh, fish or powershell
    pub shell: clap_complete::Shell,
}
