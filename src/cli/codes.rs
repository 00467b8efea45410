//! A finding's code as a flag's value: known ones only, completed in the shell, and with a suggestion where one is mistyped.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StyledStr, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use crate::checks::explain;

/// From here on two words are alike; the same measure and limit as clap's own suggestions.
const ALIKE: f64 = 0.7;

/// Reads a code.
#[derive(Debug, Clone, Copy)]
pub struct CodeParser;

impl TypedValueParser for CodeParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let text = value.to_string_lossy();
        if explain::explanation(&text).is_some() {
            return Ok(text.into_owned());
        }
        let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(command);
        let name = argument.map_or_else(|| "CODE".to_owned(), ToString::to_string);
        error.insert(ContextKind::InvalidArg, ContextValue::String(name));
        error.insert(ContextKind::InvalidValue, ContextValue::String(text.to_string()));
        if let Some(code) = similar(&text) {
            error.insert(ContextKind::SuggestedValue, ContextValue::String(code.to_owned()));
        } else {
            let tip = "the README has a table of all codes, and `kubectl ess-mas check` shows those of the moment";
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
        }
        Err(error)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(explain::all().map(|one| PossibleValue::new(one.code).help(one.about.as_str()))))
    }
}

/// The code that was most likely meant.
fn similar(text: &str) -> Option<&'static str> {
    let likeness = |code: &str| strsim::jaro(text, code);
    let codes = explain::all().map(|one| (likeness(one.code), one.code)).filter(|(likeness, _)| *likeness > ALIKE);
    codes.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::codes;

    #[test]
    fn a_mistyped_code_is_recognised() {
        assert_eq!(similar("manifest-owned-by-hlem"), Some(codes::OWNED_BY_HELM));
        assert_eq!(similar("availible"), Some(codes::AVAILABLE));
        assert_eq!(similar("xyzzy"), None);
    }
}
