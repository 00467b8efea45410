//! Flags that several commands take.

use std::time::Duration;

use clap::{ArgAction, Args};

use super::codes::CodeParser;
use crate::cluster::ConnectionFlags;
use crate::duration::parse_duration;
use crate::terminal::{ColorChoice, OutputFormat, Verbosity};

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
    pub color: ColorChoice,
    /// Say more; repeat for more still
    #[arg(short = 'v', action = ArgAction::Count, global = true, help_heading = "Output")]
    verbose: u8,
    /// Say only what is wrong
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
}

impl GlobalArgs {
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
    pub format: OutputFormat,
}

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
    #[arg(long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    pub wait: bool,
    /// Longest wait, such as 30m or 1h30m; 0 looks once
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}
