//! A code as a flag's value: known ones only, completed in the shell, and with a suggestion where one is mistyped.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error};

use crate::checks::explain;
use crate::diagnosis;

/// Reads a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeParser {
    /// That of a finding.
    Finding,
    /// That of a finding, or of a cause in a failure file.
    FindingOrCause,
}

impl CodeParser {
    /// The codes, each with what it is about.
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
                let tip = "the README has a table of all codes, and `kubectl ess-mas check` shows those of the moment";
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
