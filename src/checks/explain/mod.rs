//! The long version of every code: what `check --explain CODE` tells, and the README's table of codes. One file per
//! subject, as the checks.

mod authentication;
mod certificate;
mod certificate_forms;
mod databases;
mod manifest;
mod outside;
mod permissions;
mod product;
mod rehearsal;
mod secret_values;
mod settings;
mod state;
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
const SUBJECTS: &[&[Explanation]] = &[
    authentication::EXPLANATIONS,
    certificate::EXPLANATIONS,
    certificate_forms::EXPLANATIONS,
    databases::EXPLANATIONS,
    manifest::EXPLANATIONS,
    permissions::EXPLANATIONS,
    product::EXPLANATIONS,
    rehearsal::EXPLANATIONS,
    secret_values::EXPLANATIONS,
    outside::EXPLANATIONS,
    settings::EXPLANATIONS,
    state::EXPLANATIONS,
    synapse::EXPLANATIONS,
];

/// Every explanation, in the order of the subjects.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    SUBJECTS.iter().flat_map(|subject| subject.iter())
}

/// The explanation of a code, if there is such a code.
pub fn explanation(code: &str) -> Option<&'static Explanation> {
    all().find(|explanation| explanation.code == code)
}

/// The table of all codes, in Markdown, as the README has it.
pub fn table() -> String {
    let mut table = "| code | about | may be |\n| --- | --- | --- |\n".to_owned();
    for Explanation { code, about, severities, .. } in all() {
        let words: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
        table.extend(["| `", code, "` | ", about, " | ", &words.join(", "), " |\n"]);
    }
    table
}

/// Whatever a test makes the checks find weighs what its explanation says.
#[cfg(test)]
pub(super) fn assert_true(finding: &super::finding::Finding) {
    let told = explanation(finding.code).is_some_and(|one| one.severities.contains(&finding.severity));
    assert!(told, "{finding:?} is not as its explanation says");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The texts between these two marks, each.
    fn between<'a>(text: &'a str, before: &str, after: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).filter_map(move |rest| rest.split(after).next()).collect::<Vec<_>>().into_iter()
    }

    /// Every code that the sources know: the constants, and those of a certificate's problems.
    fn codes() -> BTreeSet<&'static str> {
        let constants = include_str!("../finding.rs").split("pub mod codes {").nth(1).unwrap();
        let constants = between(constants, ": &str = \"", "\"");
        let problems = include_str!("../../pki/certificate/problem.rs").split("fn code(").nth(1).unwrap();
        let problems = between(problems.split("fn severity(").next().unwrap(), "=> \"", "\"");
        constants.chain(problems).collect()
    }

    #[test]
    fn every_code_is_explained_and_nothing_else_is() {
        let codes = codes();
        assert!(codes.len() > 60 && codes.contains("certificate-expired") && codes.contains("rehearsal"), "{codes:?}");
        let explained: BTreeSet<&str> = all().map(|one| one.code).collect();
        let missing: Vec<_> = codes.difference(&explained).collect();
        let left: Vec<_> = explained.difference(&codes).collect();
        assert!(missing.is_empty() && left.is_empty(), "without an explanation: {missing:?}; without a code: {left:?}");
        assert_eq!(all().count(), explained.len(), "a code is explained twice");
    }

    #[test]
    fn every_explanation_is_whole() {
        for one in all() {
            let Explanation { code, about, severities, meaning, why, mend, source } = one;
            assert!(!about.ends_with('.') && !about.contains('|'), "{code}: {about}");
            assert!(
                code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{code}"
            );
            assert!(!severities.is_empty() && !source.is_empty(), "{code}");
            for text in [meaning, why, mend] {
                let ends = text.ends_with(['.', '\u{2026}']) || text.contains("kubectl ");
                assert!(ends && !text.contains('!'), "{code}: {text}");
            }
        }
    }

    #[test]
    fn a_certificates_problem_weighs_what_its_explanation_says() {
        use crate::pki::{CertificateProblem, HostName, ProblemSeverity};
        let host = HostName::parse("a.example.com").unwrap();
        for problem in [
            CertificateProblem::HostMismatch { host, names: Vec::new() },
            CertificateProblem::ChainOrder,
            CertificateProblem::SelfSigned,
            CertificateProblem::IsCa,
            CertificateProblem::UsageUnstated,
            CertificateProblem::KeyUsage,
            CertificateProblem::WithPrivateKey,
            CertificateProblem::ValidTooLong { days: 900 },
            CertificateProblem::NotFirst { number: 2 },
        ] {
            let wanted = match problem.severity() {
                ProblemSeverity::Blocker => Severity::Blocker,
                ProblemSeverity::Warning => Severity::Warning,
            };
            assert_eq!(explanation(problem.code()).unwrap().severities, [wanted], "{}", problem.code());
        }
    }
}
