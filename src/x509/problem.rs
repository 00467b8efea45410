//! Problems of a certificate, each with a stable code, a severity and a remedy: the table `problems.yaml`.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemSeverity {
    Blocker,
    Warning,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    severity: ProblemSeverity,
    pub(super) message: String,
    remedy: String,
}

pub(super) static PROBLEMS: LazyLock<BTreeMap<String, Rule>> = LazyLock::new(|| table!("x509/problems"));

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateProblem {
    pub code: &'static str,
    /// The values of the message's placeholders.
    values: Vec<(&'static str, String)>,
}

impl CertificateProblem {
    fn rule(&self) -> &'static Rule {
        &PROBLEMS[self.code]
    }

    pub fn severity(&self) -> ProblemSeverity {
        self.rule().severity
    }

    pub fn remedy(&self) -> &'static str {
        &self.rule().remedy
    }
}

impl Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let put = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        f.write_str(&self.values.iter().fold(self.rule().message.clone(), put))
    }
}

#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<CertificateProblem>);

impl Problems {
    pub(super) fn add(&mut self, code: &'static str, values: &[(&'static str, &dyn Display)]) {
        let values = values.iter().map(|(name, value)| (*name, value.to_string())).collect();
        self.0.push(CertificateProblem { code, values });
    }
}
