//! Flags that several commands take. A code as a flag's value is one that is known, completed in the shell, and suggested where
//! one is mistyped.

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
    /// Longest wait, such as 30m or 1h30m; 0 looks once [default: 30m; for activate 90m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeParser {
    /// That of a finding.
    Finding,
    /// That of a finding, or of a cause in a failure file.
    FindingOrCause,
}

impl CodeParser {
    fn codes(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let findings = explain::all().map(|one| (one.code, one.about.as_str()));
        let causes = (self == Self::FindingOrCause).then(|| diagnosis::codes().map(|code| (code, diagnosis::ABOUT)));
        // A few causes are what a finding warns of, and have its code.
        let causes = causes.into_iter().flatten().filter(|(code, _)| explain::explanation(code).is_none());
        findings.chain(causes)
    }
}

/// By way of clap's own parser, which is made when a code is typed: the texts behind the codes are not read at every start.
impl TypedValueParser for CodeParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let parser = PossibleValuesParser::new(self.codes().map(|(code, _)| code));
        parser.parse_ref(command, argument, value).map_err(|mut error| {
            // All of them are too many to read.
            error.remove(ContextKind::ValidValue);
            if error.get(ContextKind::SuggestedValue).is_none() {
                let tip =
                    "docs/reference.md lists all codes, and `kubectl ess-mas check` shows those of this deployment";
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
    fn a_mistyped_code_is_recognised() {
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
    fn no_cause_is_accepted_as_a_finding() {
        assert!(CodeParser::Finding.codes().all(|(code, _)| code != "account-changes-enabled"));
        let mut seen = std::collections::BTreeSet::new();
        assert!(CodeParser::FindingOrCause.codes().all(|(code, _)| seen.insert(code)), "a code is listed twice");
    }
}
