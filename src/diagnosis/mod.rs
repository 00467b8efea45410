//! What the operator's failure texts mean, and what to do about them.
//!
//! The operator's message is text for people: the output of `syn2mas`, of a database, of the updater's own assertions,
//! often quoted within one another. `causes.yaml` has what is known of such texts. A text that matches nothing is no error:
//! it is shown as it is. Nothing here says more about the state of things than the text proves.

pub mod around;
mod causes;
mod text;

pub use causes::{Cause, Database, Recovery, Sql, Weight};

use crate::checks::explain::Explanation;
use text::Message;

/// The causes that a message names: what stopped the reconcile first, in the order of the message; then what only hints at
/// it; warnings last. Each is told once. Empty for a text that is not known.
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

/// Whether these causes leave open what happened.
pub fn is_unclear(causes: &[Cause]) -> bool {
    !causes.iter().any(|cause| cause.weight == Weight::Decisive)
}

pub fn codes() -> impl Iterator<Item = &'static str> {
    causes::all().iter().map(|entry| entry.code.as_str())
}

/// What every cause's code is about.
pub const ABOUT: &str = "a cause of a failed dry run or migration";

/// What there is to know about a cause without a message. It has no severity.
pub fn explanation(code: &str) -> Option<Explanation> {
    let entry = causes::all().iter().find(|entry| entry.code == code)?;
    let stops = match entry.weight {
        Weight::Decisive => "It stops the reconcile.",
        Weight::Vague => "It tells only where the reconcile stopped, or hides why. Look for another cause first.",
        Weight::Warning => {
            "It is a warning of MAS's tool. It stops nothing by itself, but the operator may take it for a failure."
        }
    };
    let mut remedy = entry.remedy.clone();
    if let Some(sql) = &entry.sql {
        remedy = format!("{}\n{}", sql.introduced(&remedy).join(" "), sql.statements.join("\n"));
    }
    Some(Explanation {
        code: &entry.code,
        about: ABOUT.to_owned(),
        severities: Vec::new(),
        meaning: entry.general(&entry.meaning),
        why: entry.nothing_copied.as_ref().map_or_else(|| stops.to_owned(), |proof| format!("{stops} {proof}")),
        remedy: entry.general(&remedy),
        source: entry.source.clone(),
    })
}

#[cfg(test)]
mod tests;
