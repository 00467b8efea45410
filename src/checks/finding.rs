//! A finding.

use serde::{Deserialize, Serialize};

/// A stable name in kebab-case. Never renamed, because scripts use it. Declared in the file of the check, explained in
/// `docs/findings.md`.
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

/// The code and subject of the possible findings of one check.
pub(super) struct Topic {
    pub(super) code: Code,
    pub(super) subject: String,
}

impl Topic {
    pub(super) fn ok(self, message: impl Into<String>) -> Finding {
        Finding::ok(self.code, self.subject, message)
    }

    pub(super) fn warning(self, message: impl Into<String>) -> Finding {
        Finding::warning(self.code, self.subject, message)
    }

    pub(super) fn unknown(self, message: impl Into<String>) -> Finding {
        Finding::unknown(self.code, self.subject, message)
    }

    pub(super) fn blocker(self, message: impl Into<String>) -> Finding {
        Finding::blocker(self.code, self.subject, message)
    }
}

impl Finding {
    pub(super) fn new(code: Code, severity: Severity, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, severity, subject: subject.into(), message: message.into(), remedy: None, docs: None }
    }

    pub(super) fn blocker(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Blocker, subject, message)
    }

    pub(super) fn warning(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, subject, message)
    }

    pub(super) fn unknown(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Unknown, subject, message)
    }

    pub(super) fn ok(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Ok, subject, message)
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn guide(mut self) -> Self {
        self.docs = Some(GUIDE);
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
