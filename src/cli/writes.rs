//! Flags of the commands that write to the ElementDeployment.

use std::time::Duration;

use clap::Args;

use super::OutputArgs;
use super::codes::CodeParser;
use crate::duration::parse_duration;

/// Flags of every write.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// Show what would be written and stop
    #[arg(long)]
    pub preview: bool,
    /// Warnings to accept, by code, where nobody is there to ask
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = CodeParser::Finding, hide_possible_values = true)]
    pub accept: Vec<String>,
}

/// Flags of what follows a write.
#[derive(Debug, Args)]
pub struct FollowArgs {
    /// Whether to wait for the operator's verdict
    #[arg(long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    pub wait: bool,
    /// Longest wait, such as 30m or 1h30m; 0 looks once
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// `dry-run`.
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

/// `activate`.
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

/// `abort`.
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
