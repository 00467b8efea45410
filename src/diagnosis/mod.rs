//! Finds causes and remedies in the operator's failure texts.
//!
//! A failure text is unstructured: output of `syn2mas`, of a database, of the updater's assertions, often quoted within one
//! another. `causes.yaml` contains the known texts. An unknown text is shown unchanged. No cause says more than the text proves.

pub mod around;
mod causes;
mod text;

pub use causes::{Cause, Database, Recovery, Sql, Weight};

use crate::checks::explain::Explanation;
use text::Message;

/// The causes in a message, each once: decisive ones in the order of the message, or else vague ones; warnings last. Empty for an
/// unknown text.
pub fn understand(message: &str) -> Vec<Cause> {
    let message = Message::read(message);
    let mut found: Vec<(usize, Cause)> = Vec::new();
    for entry in causes::all() {
        for (at, cause) in entry.find(&message) {
            let again = |one: &Cause| one.code == cause.code && (!entry.each || one.meaning == cause.meaning);
            if !found.iter().any(|(_, one)| again(one)) {
                found.push((at, cause));
            }
        }
    }
    if found.iter().any(|(_, cause)| cause.weight == Weight::Decisive) {
        found.retain(|(_, cause)| cause.weight != Weight::Vague);
    }
    found.sort_by_key(|(at, cause)| (cause.weight, *at));
    found.into_iter().map(|(_, cause)| cause).collect()
}

/// Whether none of these causes is decisive.
pub fn is_unclear(causes: &[Cause]) -> bool {
    !causes.iter().any(|cause| cause.weight == Weight::Decisive)
}

pub fn codes() -> impl Iterator<Item = &'static str> {
    causes::all().iter().map(|entry| entry.code.as_str())
}

/// The explanation of a cause without a message. It has no severity.
pub fn explanation(code: &str) -> Option<Explanation> {
    let entry = causes::all().iter().find(|entry| entry.code == code)?;
    let stops = match entry.weight {
        Weight::Decisive => "It stops the reconcile.",
        Weight::Vague => "It shows only where the reconcile stopped, or hides the cause. Look for another cause first.",
        Weight::Warning => {
            "It is a warning of syn2mas. It stops nothing by itself, but the operator may treat it as a failure."
        }
    };
    let mut remedy = entry.remedy.clone();
    if let Some(sql) = &entry.sql {
        remedy = format!("{}\n{}", sql.introduced(&remedy).join(" "), sql.statements.join("\n"));
    }
    Some(Explanation {
        code: &entry.code,
        about: "a cause of a failed dry run or migration".to_owned(),
        severities: Vec::new(),
        meaning: entry.general(&entry.meaning),
        why: entry.nothing_copied.as_ref().map_or_else(|| stops.to_owned(), |proof| format!("{stops} {proof}")),
        remedy: entry.general(&remedy),
        source: entry.source.clone(),
    })
}

#[cfg(test)]
mod tests;
