//! What the operator's failure texts mean, and what to do about them.
//!
//! The operator's message is text for people: the output of `syn2mas`, of a database, of the updater's own assertions,
//! often quoted within one another. `causes.yaml` has what is known of such texts. A text that matches nothing is no error:
//! it is shown as it is. Nothing here says more about the state of things than the text proves.

pub mod around;
mod causes;
mod text;

use serde::{Deserialize, Serialize};

use crate::checks::explain::Explanation;
use text::Message;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    #[default]
    Decisive,
    /// Something stopped the reconcile, and this tells only where, or that it is hidden.
    Vague,
    /// It stops nothing by itself, unless whoever runs `syn2mas check` takes its warnings for errors.
    Warning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Course {
    /// Another try may well succeed by itself.
    Retry,
    /// Something beside the deployment's spec is to be mended: a database, a Secret. The operator's next try sees it.
    Mend,
    /// The deployment's spec is to be changed, so the dry run has to be repeated.
    Change,
    /// The operator made it so; only its makers can tell.
    Support,
}

/// Statements for a person to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sql {
    pub database: Database,
    pub statements: Vec<String>,
    /// Whether the remedy ends in them, with a colon; else they only show what it is about.
    #[serde(default, skip_serializing)]
    pub follows: bool,
}

impl Sql {
    /// The remedy with the words that lead to the statements, a sentence each.
    pub fn introduced(&self, remedy: &str) -> Vec<String> {
        let database = self.database.name();
        if self.follows {
            return vec![format!("{}, in {database}:", remedy.trim_end_matches(':'))];
        }
        vec![remedy.to_owned(), format!("To look at it, in {database}:")]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    Synapse,
    Mas,
}

impl Database {
    /// `Synapse's database`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synapse => "Synapse's database",
            Self::Mas => "MAS's database",
        }
    }
}

/// One thing that a message tells, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    pub code: &'static str,
    pub weight: Weight,
    pub meaning: String,
    /// What to do about it, in the imperative.
    pub remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<Sql>,
    /// Why the try that ended so has copied nothing, where the text proves that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_copied: Option<&'static str>,
    pub course: Course,
}

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
        meaning: entry.general_meaning(),
        why: entry.nothing_copied.as_ref().map_or_else(|| stops.to_owned(), |proof| format!("{stops} {proof}")),
        remedy,
        source: entry.source.clone(),
    })
}

#[cfg(test)]
mod tests;
