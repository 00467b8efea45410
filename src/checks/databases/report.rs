//! Findings about a database, with its path in the spec as subject, and formats for numbers.

use crate::answers::Known;
use crate::answers::postgres::ConnectionSettings;
use crate::checks::finding::{Code, Finding};

/// Limit of names in a sentence.
pub(super) const FEW: usize = 12;

impl ConnectionSettings {
    pub(super) fn ok(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::ok(code, self.application.path(), text)
    }

    pub(super) fn warning(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::warning(code, self.application.path(), text)
    }

    pub(super) fn unknown(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::unknown(code, self.application.path(), text)
    }

    pub(super) fn blocker(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::blocker(code, self.application.path(), text)
    }

    pub(super) fn unread(&self, code: Code, what: &str, why: &str) -> Finding {
        self.unknown(code, format!("{what} couldn't be read: {why}"))
            .remedy(format!("Grant role {} permission to read it, or ask the database administrator.", self.user))
    }

    pub(super) fn judged<T>(
        &self,
        code: Code,
        read: &Known<T>,
        what: &str,
        judge: impl FnOnce(&T) -> Finding,
    ) -> Finding {
        match read {
            Known::Known(value) => judge(value),
            Known::Unreadable(why) => self.unread(code, what, why),
        }
    }
}

/// `1 user`, `12 users`.
pub(super) fn count(number: i64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", thousands(number)) }
}

/// `1 234 567`.
pub(super) fn thousands(number: i64) -> String {
    let (rest, last) = (number / 1000, number % 1000);
    if rest == 0 { last.to_string() } else { format!("{} {:03}", thousands(rest), last.abs()) }
}

/// Lists at most [`FEW`] names with their numbers.
pub(super) fn list(all: &[(String, i64)]) -> String {
    let few: Vec<String> =
        all.iter().take(FEW).map(|(name, number)| format!("{name} ({})", thousands(*number))).collect();
    let more = if all.len() > FEW { format!(" and {} more", all.len() - FEW) } else { String::new() };
    few.join(", ") + &more
}
