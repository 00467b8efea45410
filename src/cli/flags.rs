//! Flags that several commands share, and the parsers of codes.

use std::time::Duration;

use clap::{ArgAction, Args};

use crate::checks::explain;
use crate::cluster::ConnectionFlags;
use crate::diagnosis;
use crate::duration::parse_duration;
use crate::terminal::{ColorChoice, OutputFormat, Verbosity};

/// The global flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct GlobalArgs {
    #[command(flatten)]
    pub connection: ConnectionFlags,
    /// Colorize the output; auto does so only on a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: ColorChoice,
    /// Increase verbosity; repeatable
    #[arg(short = 'v', action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Print only warnings and errors
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

impl GlobalArgs {
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, level) => Verbosity::Verbose(level),
        }
    }
}

/// `-o`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Output format
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "table", hide_default_value = true)]
    pub format: OutputFormat,
}

/// Flags of the commands that write to the cluster.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// Show the change and exit without writing it
    #[arg(long)]
    pub preview: bool,
    /// Warning codes to accept in non-interactive runs
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = finding)]
    pub accept: Vec<String>,
}

/// Flags for waiting after a write.
#[derive(Debug, Args)]
pub struct FollowArgs {
    /// Wait for the operator to finish reconciling; true by default
    #[arg(long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    pub wait: bool,
    /// Time to wait, such as 30m or 1h30m; 0 checks once [default: 30m; for activate 90m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}

/// Parses the code of a finding.
fn finding(code: &str) -> Result<String, String> {
    known(code, explain::explanation(code).is_some())
}

/// Parses the code of a finding or of a cause of a failed reconcile.
pub fn finding_or_cause(code: &str) -> Result<String, String> {
    known(code, explain::explanation(code).is_some() || diagnosis::codes().any(|one| one == code))
}

fn known(code: &str, known: bool) -> Result<String, String> {
    let unknown =
        "there is no such code; docs/reference.md lists all codes, `kubectl ess-mas check` those of a deployment";
    if known { Ok(code.to_owned()) } else { Err(unknown.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::codes;

    #[test]
    fn only_known_codes_are_accepted_and_causes_only_to_be_explained() {
        assert_eq!(finding(codes::OWNED_BY_HELM).as_deref(), Ok(codes::OWNED_BY_HELM));
        assert!(finding("account-changes-enabled").is_err() && finding("xyzzy").is_err());
        assert!(finding_or_cause("account-changes-enabled").is_ok() && finding_or_cause(codes::AVAILABLE).is_ok());
        assert!(finding_or_cause("xyzzy").unwrap_err().contains("docs/reference.md"));
    }
}
