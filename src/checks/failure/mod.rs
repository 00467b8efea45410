//! What the operator's failure texts mean, and what to do about them.
//!
//! The operator's message is text for people: the output of `syn2mas`, of a database, of the updater's own assertions,
//! often quoted within one another. What is known of such texts is a table of phrases here, one file per author. A text
//! that matches nothing is no error: it is shown as it is.
//!
//! Nothing here says more about the state of things than the text proves. `syn2mas` reads Synapse's database and never
//! writes to it, and it checks and locks before it copies; so some texts prove that the try that ended with them copied
//! nothing, and only those say so.

mod data;
mod databases;
mod mas;
mod synapse;
mod text;
mod updater;
mod warnings;

use serde::Serialize;

use text::Message;

/// How much a cause explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It stopped the run.
    Decisive,
    /// Something stopped the run, and this tells only where, or that it is hidden.
    Vague,
    /// It stops nothing by itself, unless whoever runs `syn2mas check` takes its warnings for errors.
    Warning,
}

/// What ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Course {
    /// Another try may well succeed by itself.
    Retry,
    /// Something beside the deployment's spec is to be mended: a database, a Secret. The operator's next try sees it.
    Mend,
    /// The deployment's spec is to be changed, so the rehearsal has to be made again.
    Change,
    /// The operator made it so; only its makers can tell.
    Support,
}

/// Statements for a person to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sql {
    /// In which database.
    pub database: Database,
    /// One statement a line.
    pub statements: Vec<String>,
}

/// Whose database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    /// Synapse's.
    Synapse,
    /// The one made for MAS.
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
    /// Stable, in kebab-case.
    pub code: &'static str,
    /// How much it explains.
    pub weight: Weight,
    /// What it means.
    pub meaning: String,
    /// What to do about it, in the imperative.
    pub remedy: String,
    /// What to do in a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<Sql>,
    /// Why the try that ended so has copied nothing, where the text proves that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_copied: Option<&'static str>,
    /// What ends it.
    pub course: Course,
}

/// The causes that a message names: what stopped the run first, in the order of the message; then what only hints at it;
/// warnings last. Each is told once. Empty for a text that is not known.
pub fn understand(message: &str) -> Vec<Cause> {
    let message = Message::read(message);
    let mut found: Vec<(usize, Cause)> = Vec::new();
    for rule in RULES.iter().flat_map(|rules| rules.iter()) {
        for phrase in rule.phrases {
            for at in message.ends_of(phrase) {
                let Some(told) = (rule.tell)(&message, at) else { continue };
                let cause = told.cause(rule);
                let again =
                    |one: &Cause| one.code == cause.code && (one.meaning == cause.meaning || !rule.is_told_each_time());
                if !found.iter().any(|(_, one)| again(one)) {
                    found.push((at, cause));
                }
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

const RULES: [&[Rule]; 7] =
    [synapse::RULES, databases::RULES, data::RULES, mas::RULES, updater::RULES, warnings::RULES, synapse::STARTING];

/// Phrases, each of which stands for the same cause.
struct Rule {
    code: &'static str,
    weight: Weight,
    phrases: &'static [&'static str],
    /// Explains one occurrence; the number is where the phrase ends. `None` where it is not that cause after all.
    tell: fn(&Message, usize) -> Option<Told>,
}

impl Rule {
    /// Whether several occurrences may be several things.
    fn is_told_each_time(&self) -> bool {
        const EACH: [&str; 7] = [
            "provider-missing-in-synapse",
            "provider-missing-in-mas",
            "row-without-account",
            "account-of-another-server",
            "child-secret-key-missing",
            "synapse-refuses-setting",
            "admission-refused",
        ];
        EACH.contains(&self.code)
    }
}

/// An explanation in the making.
struct Told {
    meaning: String,
    remedy: String,
    course: Course,
    sql: Option<Sql>,
    nothing_copied: Option<&'static str>,
}

impl Told {
    fn new(course: Course, meaning: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { meaning: meaning.into(), remedy: remedy.into(), course, sql: None, nothing_copied: None }
    }

    /// From one of `syn2mas`'s checks, all of which come before it copies anything.
    fn checked(self) -> Self {
        self.proves("Nothing was migrated by this try: MAS's tool checks this before it copies anything.")
    }

    fn proves(mut self, why: &'static str) -> Self {
        self.nothing_copied = Some(why);
        self
    }

    fn sql(mut self, database: Database, statements: impl IntoIterator<Item = String>) -> Self {
        self.sql = Some(Sql { database, statements: statements.into_iter().collect() });
        self
    }

    fn cause(self, rule: &Rule) -> Cause {
        let Self { meaning, remedy, course, sql, nothing_copied } = self;
        Cause { code: rule.code, weight: rule.weight, meaning, remedy, sql, nothing_copied, course }
    }
}

#[cfg(test)]
mod tests;
