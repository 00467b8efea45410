//! A finding.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A stable name in kebab-case. Never renamed, because scripts use it. Explained in `docs/findings.md`.
pub type Code = &'static str;

/// Ordered by weight, the heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The step would fail or do harm. Can't be accepted.
    Blocker,
    /// A user's confirmation covers it; a script accepts its code.
    Warning,
    /// Can't be determined; handled like a warning.
    Unknown,
    Ok,
}

impl Severity {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// The path or object.
    pub subject: String,
    pub message: String,
    /// In the imperative.
    pub remedy: Option<String>,
    pub docs: Option<&'static str>,
}

/// The vendor's page that the migration follows.
pub(super) const GUIDE: &str = "https://docs.element.io/latest/element-server-suite-classic/administration/migration-to-matrix-authentication-service";

/// Findings as data: by name their code, severity, message and remedy, with placeholders in braces.
#[derive(Deserialize)]
pub(super) struct Table(pub(super) BTreeMap<String, Row>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) code: String,
    severity: Severity,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
    #[serde(default)]
    guide: bool,
}

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| table!("checks/findings"));

impl Table {
    /// The finding of this name. `known` has the values of the remaining placeholders.
    pub(super) fn finding(
        &'static self,
        name: &str,
        subject: impl Into<String>,
        values: &[(&str, &str)],
        known: impl Fn(&str) -> String,
    ) -> Finding {
        let Row { code, severity, message, remedy, guide } = &self.0[name];
        let value = |name: &str| match values.iter().find(|(given, _)| *given == name) {
            Some((_, value)) => (*value).to_owned(),
            None => known(name),
        };
        let filled = |template: &String| {
            let mut parts = template.split('{');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.filter_map(|part| part.split_once('}')).fold(first, |text, (name, rest)| text + &value(name) + rest)
        };
        let finding = Finding::new(code, *severity, subject, filled(message));
        Finding { remedy: remedy.as_ref().map(filled), docs: guide.then_some(GUIDE), ..finding }
    }
}

impl Finding {
    /// The finding of this name in `findings.yaml`, with values for its placeholders.
    pub fn of(name: &str, subject: impl Into<String>, values: &[(&str, &str)]) -> Self {
        TABLE.finding(name, subject, values, |_| String::new())
    }

    pub(super) fn new(code: Code, severity: Severity, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, severity, subject: subject.into(), message: message.into(), remedy: None, docs: None }
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub fn blocks(&self) -> bool {
        self.severity == Severity::Blocker
    }

    /// Whether a user must confirm it, or a script must accept its code.
    pub fn needs_accepting(&self) -> bool {
        matches!(self.severity, Severity::Warning | Severity::Unknown)
    }
}
