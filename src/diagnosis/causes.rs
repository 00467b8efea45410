//! The causes of failures in `causes.yaml`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::text::{Captured, Message, Pattern};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    #[default]
    Decisive,
    /// Something stopped the reconcile; the text says only where, or hides the cause.
    Vague,
    /// Stops nothing by itself, unless the operator treats warnings of `syn2mas check` as errors.
    Warning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recovery {
    /// The operator's next attempt may succeed.
    Retry,
    /// Something outside the deployment's spec needs a fix: a database, a Secret. The operator's next attempt uses it.
    #[serde(rename = "mend")]
    Fix,
    /// The deployment's spec needs a change, so the dry run has to be repeated.
    Change,
    /// Only Element Support can help.
    Support,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    pub database: Database,
    /// Whether the remedy introduces the statements.
    #[serde(default, skip_serializing)]
    pub(super) follows: bool,
    pub statements: Vec<String>,
}

impl Sql {
    /// The remedy and the introduction to the statements.
    pub fn introduced(&self, remedy: &str) -> Vec<String> {
        let database = self.database.name();
        if self.follows {
            return vec![format!("{}, in {database}:", remedy.trim_end_matches(':'))];
        }
        vec![remedy.to_owned(), format!("To inspect it, in {database}:")]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    Synapse,
    Mas,
}

impl Database {
    pub fn name(self) -> &'static str {
        match self {
            Self::Synapse => "Synapse's database",
            Self::Mas => "MAS's database",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    pub code: &'static str,
    pub weight: Weight,
    pub meaning: String,
    pub remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<Sql>,
    /// Why the failed try copied nothing, if the text proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_copied: Option<&'static str>,
    pub course: Recovery,
}

static CAUSES: LazyLock<Vec<Entry>> = LazyLock::new(|| table!("diagnosis/causes"));

pub(super) fn all() -> &'static [Entry] {
    &CAUSES
}

/// An entry of the file. The head of the file explains the fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) code: String,
    #[serde(default)]
    pub(super) weight: Weight,
    course: Recovery,
    patterns: Vec<String>,
    #[serde(default)]
    special: Vec<Special>,
    #[serde(default)]
    choices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    hints: Vec<Hint>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    pub(super) each: bool,
    pub(super) meaning: String,
    pub(super) remedy: String,
    pub(super) sql: Option<Sql>,
    pub(super) nothing_copied: Option<String>,
    pub(super) source: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Special {
    patterns: Vec<String>,
    meaning: Option<String>,
    remedy: Option<String>,
    course: Option<Recovery>,
    sql: Option<Sql>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    #[serde(default)]
    says: Vec<String>,
    text: String,
}

impl Entry {
    /// The occurrences in a message with their offsets: of the special patterns, or else of the general ones.
    pub(super) fn find(&'static self, message: &Message) -> Vec<(usize, Cause)> {
        let mut found: Vec<(Range<usize>, Cause)> = Vec::new();
        if !self.matches(&self.unless, message).is_empty() {
            return Vec::new();
        }
        for special in &self.special {
            for (place, captured) in self.matches(&special.patterns, message) {
                if found.iter().all(|(other, _)| other.end <= place.start || place.end <= other.start) {
                    found.push((place, self.cause(message, special, captured)));
                }
            }
        }
        if found.is_empty() {
            let general = self.matches(&self.patterns, message).into_iter();
            found = general.map(|(place, held)| (place, self.cause(message, &Special::default(), held))).collect();
        }
        found.into_iter().map(|(place, cause)| (place.start, cause)).collect()
    }

    /// The occurrences of patterns in a message, with every choice of a capture.
    fn matches(&self, texts: &[String], message: &Message) -> Vec<(Range<usize>, Captured)> {
        let mut found = Vec::new();
        for text in texts {
            let choices = self.choices.iter().find(|(name, _)| text.contains(&format!("{{{name}}}")));
            let Some((name, choices)) = choices else {
                found.extend(Pattern::read(text).matches(message));
                continue;
            };
            for (choice, shown) in choices {
                let pattern = Pattern::read(&text.replace(&format!("{{{name}}}"), choice));
                found.extend(pattern.matches(message).map(|(place, mut captured)| {
                    captured.push((name.clone(), shown.clone()));
                    (place, captured)
                }));
            }
        }
        found
    }

    fn cause(&'static self, message: &Message, special: &Special, mut captured: Captured) -> Cause {
        let fits = |hint: &&Hint| hint.says.is_empty() || !self.matches(&hint.says, message).is_empty();
        let hint = self.hints.iter().find(fits).map_or("", |hint| &hint.text);
        captured.push(("hint".to_owned(), hint.to_owned()));
        let sql = special.sql.as_ref().or(self.sql.as_ref()).map(|sql| Sql {
            statements: sql.statements.iter().map(|statement| filled(statement, &captured)).collect(),
            ..*sql
        });
        Cause {
            code: &self.code,
            weight: self.weight,
            meaning: filled(special.meaning.as_ref().unwrap_or(&self.meaning), &captured),
            remedy: filled(special.remedy.as_ref().unwrap_or(&self.remedy), &captured),
            sql,
            nothing_copied: self.nothing_copied.as_deref(),
            course: special.course.unwrap_or(self.course),
        }
    }

    /// A text of the entry with placeholders for the captures.
    pub(super) fn general(&self, text: &str) -> String {
        let hint = self.hints.iter().find(|hint| hint.says.is_empty()).map_or("", |hint| &hint.text);
        text.replace("{hint}", hint).replace('{', "<").replace('}', ">")
    }
}

fn filled(template: &str, captured: &[(String, String)]) -> String {
    let put = |text: String, (name, value): &(String, String)| text.replace(&format!("{{{name}}}"), value);
    captured.iter().fold(template.to_owned(), put)
}
