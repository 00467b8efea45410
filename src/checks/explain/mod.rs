//! The long version of every code: what `check --explain CODE` tells, and the README's table of codes. One file per
//! subject, as the checks.

mod authentication;
mod outside;
mod settings;
mod synapse;

use super::finding::Severity;

/// What there is to know about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: &'static str,
    /// What the finding is about, in a line without a full stop.
    pub about: &'static str,
    /// The severities that a finding of this code may have.
    pub severities: &'static [Severity],
    /// What it means when it is not in order.
    pub meaning: &'static str,
    /// Why it matters to the migration.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// Where that is known from: the guide, MAS's or Synapse's source, an experiment.
    pub source: &'static str,
}

/// All of them, by subject.
const SUBJECTS: &[&[Explanation]] =
    &[authentication::EXPLANATIONS, synapse::EXPLANATIONS, settings::EXPLANATIONS, outside::EXPLANATIONS];

/// Every explanation, in the order of the subjects.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    SUBJECTS.iter().flat_map(|subject| subject.iter())
}

/// The explanation of a code, if there is such a code.
pub fn explanation(code: &str) -> Option<&'static Explanation> {
    all().find(|explanation| explanation.code == code)
}
