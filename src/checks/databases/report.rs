//! Findings about a database: the table `findings.yaml`, and formats for numbers.

use std::sync::LazyLock;

use crate::answers::Known;
use crate::answers::postgres::{Application, ConnectionSettings};
use crate::checks::finding::{Finding, Severity, Table};

/// Limit of names in a sentence.
pub(super) const FEW: usize = 12;

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| table!("checks/databases/findings"));

impl ConnectionSettings {
    /// The finding of this name in the table, with values for its placeholders.
    pub(super) fn finding(&self, name: &str, values: &[(&str, &str)]) -> Finding {
        TABLE.finding(name, self.application.path(), values, |name| self.value(name))
    }

    fn value(&self, name: &str) -> String {
        let (secret, key) = &self.password;
        match name {
            "who" => self.application.word(),
            "program" => self.application.program().to_owned(),
            // Synapse already works with its pooler; syn2mas connects like MAS.
            "client" if self.application == Application::Synapse => "syn2mas".to_owned(),
            "client" => "MAS".to_owned(),
            "at" => self.words(),
            "host" => format!("{}:{}", self.host, self.port),
            "user" => self.user.clone(),
            "database" => self.database.clone(),
            "mode" => self.mode.word().to_owned(),
            "secret" => secret.clone(),
            "key" => key.clone(),
            _ => String::new(),
        }
    }

    /// A value that couldn't be read; `name` is a finding with its code.
    pub(super) fn unread(&self, name: &str, what: &str, why: &str) -> Finding {
        let text = format!("{what} couldn't be read: {why}");
        Finding::new(&TABLE.0[name].code, Severity::Unknown, self.application.path(), text)
            .remedy(format!("Grant role {} permission to read it, or ask the database administrator.", self.user))
    }

    pub(super) fn judged<T>(
        &self,
        name: &str,
        read: &Known<T>,
        what: &str,
        judge: impl FnOnce(&T) -> Finding,
    ) -> Finding {
        match read {
            Known::Known(value) => judge(value),
            Known::Unreadable(why) => self.unread(name, what, why),
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
