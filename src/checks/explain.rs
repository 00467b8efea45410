//! The explanations of the codes, parsed from `docs/findings.md`.
//!
//! Below a heading `### CODE`, the document has one line about the code, then paragraphs that begin with a bold label. A
//! paragraph without a label continues the previous one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use super::finding::Severity;

const DOCUMENT: &str = include_str!("../../docs/findings.md");

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub code: &'static str,
    /// The topic, in a line without a full stop.
    pub about: String,
    /// The severities that a finding of this code may have.
    pub severities: Vec<Severity>,
    /// The meaning of a finding that is not ok; one line for each paragraph.
    pub meaning: String,
    pub why: String,
    #[serde(rename = "mend")]
    pub remedy: String,
    /// The source: the guide, MAS's or Synapse's code, an experiment.
    pub source: String,
}

static EXPLANATIONS: LazyLock<Vec<Explanation>> =
    LazyLock::new(|| DOCUMENT.split("\n### ").skip(1).map(read).collect());

pub fn all() -> impl Iterator<Item = &'static Explanation> {
    EXPLANATIONS.iter()
}

pub fn explanation(code: &str) -> Option<&'static Explanation> {
    all().find(|explanation| explanation.code == code)
}

fn read(section: &'static str) -> Explanation {
    let section = section.split("\n## ").next().unwrap_or(section);
    let mut paragraphs = section.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    let code = paragraphs.next().unwrap_or_default();
    let about = joined(paragraphs.next().unwrap_or_default());
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    let mut label = "";
    for paragraph in paragraphs {
        let labelled = paragraph.strip_prefix("**").and_then(|rest| rest.split_once(":** "));
        let (current, text) = labelled.unwrap_or((label, paragraph));
        label = current;
        let field = fields.entry(label).or_default();
        let separator = if field.is_empty() { "" } else { "\n" };
        field.extend([separator, &joined(text)]);
    }
    let mut take = |label| fields.remove(label).unwrap_or_default();
    Explanation {
        code,
        about,
        severities: take("Severity").split(", ").filter_map(|word| serde_json::from_value(word.into()).ok()).collect(),
        meaning: take("Meaning"),
        why: take("Why it matters"),
        remedy: take("Remedy"),
        source: take("Source"),
    }
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The codes that the files of this folder declare, in Rust or in a table.
    fn declared(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                declared(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let constants = text.lines().filter_map(|line| line.split_once(": Code = \"")?.1.strip_suffix("\";"));
            let of_table = text.lines().filter_map(|line| line.strip_prefix("  code: "));
            found.extend(constants.chain(of_table).map(str::to_owned));
        }
    }

    fn certificate_problems() -> BTreeMap<String, serde_json::Value> {
        serde_yaml::from_str(include_str!("../x509/problems.yaml")).unwrap()
    }

    /// All codes in the sources: those of the checks, and those of certificate problems.
    fn codes() -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks"), &mut codes);
        codes.extend(certificate_problems().into_keys());
        codes
    }

    #[test]
    fn every_code_has_a_heading_and_every_heading_a_code() {
        let codes = codes();
        assert!(codes.len() > 60 && codes.contains("certificate-expired") && codes.contains("rehearsal"), "{codes:?}");
        let explained: BTreeSet<String> = all().map(|one| one.code.to_owned()).collect();
        let missing: Vec<_> = codes.difference(&explained).collect();
        let left: Vec<_> = explained.difference(&codes).collect();
        assert!(missing.is_empty() && left.is_empty(), "without an explanation: {missing:?}; without a code: {left:?}");
        assert_eq!(all().count(), explained.len(), "a code is explained twice");
    }

    #[test]
    fn every_heading_has_all_parts_of_an_explanation() {
        for one in all() {
            let Explanation { code, about, severities, meaning, why, remedy, source } = one;
            assert!(!about.ends_with('.') && !about.contains('|'), "{code}: {about}");
            assert!(
                code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{code}"
            );
            assert!(!severities.is_empty() && !source.is_empty(), "{code}");
            for text in [meaning, why, remedy] {
                let ends = text.ends_with(['.', '\u{2026}']) || text.contains("kubectl ");
                assert!(ends && !text.contains('!'), "{code}: {text}");
            }
        }
    }

    #[test]
    fn severities_of_certificate_problems_match_their_explanations() {
        for (code, problem) in certificate_problems() {
            let severity: Severity = serde_json::from_value(problem["severity"].clone()).unwrap();
            assert_eq!(explanation(&code).unwrap().severities, [severity], "{code}");
        }
    }
}
