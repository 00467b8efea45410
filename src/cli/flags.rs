//! Flags that several commands share, and the parser of codes: it accepts known codes only, and suggests similar ones.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Args, Command, Error};

use crate::checks::explain;
use crate::cluster::ConnectionFlags;
use crate::diagnosis;
use crate::duration::parse_duration;
use crate::terminal::{ColorChoice, OutputFormat, Verbosity};

/// The global flags.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    #[command(flatten)]
    pub connection: ConnectionFlags,
    /// Colorize the output; auto does so only on a terminal
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Output"
    )]
    pub color: ColorChoice,
    /// Increase verbosity; repeatable
    #[arg(short = 'v', action = ArgAction::Count, global = true, help_heading = "Output")]
    verbose: u8,
    /// Print only warnings and errors
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose", help_heading = "Output")]
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
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = CodeParser::Finding, hide_possible_values = true)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeParser {
    Finding,
    /// Also accepts the causes of a failed reconcile.
    FindingOrCause,
}

impl CodeParser {
    fn codes(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let findings = explain::all().map(|one| (one.code, one.about.as_str()));
        let causes = (self == Self::FindingOrCause)
            .then(|| diagnosis::codes().map(|code| (code, "a cause of a failed dry run or migration")));
        // Some causes share their code with a finding.
        let causes = causes.into_iter().flatten().filter(|(code, _)| explain::explanation(code).is_none());
        findings.chain(causes)
    }
}

/// Creates clap's parser only when a code is passed, so that a start doesn't parse the texts of all codes.
impl TypedValueParser for CodeParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let parser = PossibleValuesParser::new(self.codes().map(|(code, _)| code));
        parser.parse_ref(command, argument, value).map_err(|mut error| {
            // The list is too long to print.
            error.remove(ContextKind::ValidValue);
            if error.get(ContextKind::SuggestedValue).is_none() {
                let tip = "docs/reference.md lists all codes; `kubectl ess-mas check` shows those of a deployment";
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
            }
            error
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.codes().map(|(code, about)| PossibleValue::new(code).help(about))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::codes;

    #[test]
    fn a_similar_code_is_suggested_for_a_mistyped_one() {
        let command = Command::new("check");
        let similar = |text: &str| {
            let error = CodeParser::FindingOrCause.parse_ref(&command, None, OsStr::new(text)).unwrap_err();
            match error.get(ContextKind::SuggestedValue) {
                Some(ContextValue::String(code)) => Some(code.clone()),
                _ => None,
            }
        };
        assert_eq!(similar("manifest-owned-by-hlem").as_deref(), Some(codes::OWNED_BY_HELM));
        assert_eq!(similar("availible").as_deref(), Some(codes::AVAILABLE));
        assert_eq!(similar("acount-changes-enabled").as_deref(), Some("account-changes-enabled"));
        assert_eq!(similar("xyzzy"), None);
    }

    #[test]
    fn a_finding_flag_refuses_causes_and_no_code_is_listed_twice() {
        assert!(CodeParser::Finding.codes().all(|(code, _)| code != "account-changes-enabled"));
        let mut seen = std::collections::BTreeSet::new();
        assert!(CodeParser::FindingOrCause.codes().all(|(code, _)| seen.insert(code)), "a code is listed twice");
    }
}
