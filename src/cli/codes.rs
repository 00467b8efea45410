//! A code as a flag's value: known ones only, completed in the shell, and with a suggestion where one is mistyped.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StyledStr, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use crate::checks::explain;
use crate::diagnosis;

/// From here on two words are alike; the same measure and limit as clap's own suggestions.
const ALIKE: f64 = 0.7;

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
    pub fn codes(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let findings = explain::all().map(|one| (one.code, one.about.as_str()));
        let causes = (self == Self::FindingOrCause).then(|| diagnosis::codes().map(|code| (code, diagnosis::ABOUT)));
        // A few causes are what a finding warns of, and have its code.
        let causes = causes.into_iter().flatten().filter(|(code, _)| explain::explanation(code).is_none());
        findings.chain(causes)
    }

    /// The code that was most likely meant.
    fn similar(self, text: &str) -> Option<&'static str> {
        let likeness = |code: &str| strsim::jaro(text, code);
        let codes = self.codes().map(|(code, _)| (likeness(code), code)).filter(|(likeness, _)| *likeness > ALIKE);
        codes.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, code)| code)
    }
}

impl TypedValueParser for CodeParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let text = value.to_string_lossy();
        if self.codes().any(|(code, _)| code == text) {
            return Ok(text.into_owned());
        }
        let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(command);
        let name = argument.map_or_else(|| "CODE".to_owned(), ToString::to_string);
        error.insert(ContextKind::InvalidArg, ContextValue::String(name));
        error.insert(ContextKind::InvalidValue, ContextValue::String(text.to_string()));
        if let Some(code) = self.similar(&text) {
            error.insert(ContextKind::SuggestedValue, ContextValue::String(code.to_owned()));
        } else {
            let tip = "the README has a table of all codes, and `kubectl ess-mas check` shows those of the moment";
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
        }
        Err(error)
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
        let similar = |text| CodeParser::FindingOrCause.similar(text);
        assert_eq!(similar("manifest-owned-by-hlem"), Some(codes::OWNED_BY_HELM));
        assert_eq!(similar("availible"), Some(codes::AVAILABLE));
        assert_eq!(similar("acount-changes-enabled"), Some("account-changes-enabled"));
        assert_eq!(similar("xyzzy"), None);
    }

    #[test]
    fn no_cause_is_accepted_as_a_finding() {
        assert!(CodeParser::Finding.codes().all(|(code, _)| code != "account-changes-enabled"));
        let mut seen = std::collections::BTreeSet::new();
        assert!(CodeParser::FindingOrCause.codes().all(|(code, _)| seen.insert(code)), "a code is listed twice");
    }
}
