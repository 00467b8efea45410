//! The contents of the report. Everything passes through the redactor here.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::cluster::Unread;
use crate::record::Archive;
use crate::redact::{Redactor, UserIds};
use crate::session::Session;
use crate::terminal::{OutputFormat, data, text};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Missing {
    /// For a read: verb, resource and namespace.
    pub part: String,
    pub reason: String,
}

impl Missing {
    pub fn new(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { part: part.into(), reason: reason.into() }
    }
}

impl From<Unread> for Missing {
    fn from(unread: Unread) -> Self {
        Self::new(unread.what, unread.why.to_string())
    }
}

struct Part {
    path: String,
    about: String,
    text: String,
}

pub struct Contents {
    redactor: Redactor,
    people: UserIds,
    parts: Vec<Part>,
    pub missing: Vec<Missing>,
}

impl Contents {
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor, people: UserIds::default(), parts: Vec::new(), missing: Vec::new() }
    }

    /// A tree as YAML or JSON, by the ending of its path; no file for an empty list.
    pub fn tree(&mut self, path: &str, about: &str, tree: &Value) {
        self.add(path, about, &self.redactor.object(tree));
    }

    /// Secrets with the names and lengths of their keys. The redactor would remove lengths below such names.
    pub fn secrets(&mut self, path: &str, about: &str, secrets: &[Value]) {
        let without_values = |secret: &Value| {
            let mut clean = self.redactor.tree(secret);
            if let Some(keys) = secret["keys"].as_object() {
                clean["keys"] = keys.iter().map(|(key, length)| (self.redactor.text(key), length.clone())).collect();
            }
            clean
        };
        self.add(path, about, &secrets.iter().map(without_values).collect());
    }

    /// A log; `anonymous` replaces user IDs by numbers.
    pub fn log(&mut self, path: String, about: String, log: &str, anonymous: bool) {
        let clean = self.redactor.text(&text::harmless(log));
        let text = if anonymous { self.people.hide(&clean) } else { clean };
        self.parts.push(Part { path, about, text });
    }

    fn add(&mut self, path: &str, about: &str, clean: &Value) {
        let is_yaml = Path::new(path).extension() == Some("yaml".as_ref());
        let format = if is_yaml { OutputFormat::Yaml } else { OutputFormat::Json };
        let text = data::render(format, clean).ok().filter(|_| clean.as_array().is_none_or(|all| !all.is_empty()));
        self.parts.extend(text.map(|text| Part { path: path.to_owned(), about: about.to_owned(), text }));
    }

    /// The archive, and the parts that it lacks.
    pub fn archive(self, session: &Session, now: Timestamp) -> (Archive, Vec<Missing>) {
        let Self { redactor, parts, mut missing, .. } = self;
        missing.sort();
        missing.dedup();
        for one in &mut missing {
            *one = Missing::new(redactor.text(&one.part), redactor.text(&one.reason));
        }
        let mut archive = Archive::default();
        archive.add("INDEX.txt", index(session, &parts, &missing, now));
        for part in parts {
            archive.add(&part.path, part.text);
        }
        (archive, missing)
    }
}

fn index(session: &Session, parts: &[Part], missing: &[Missing], now: Timestamp) -> String {
    let target = &session.target;
    let mut text = format!(
        "Report on ElementDeployment {} in namespace {}\ncreated {now} by kubectl ess-mas {}\n\nContents\n",
        target.name,
        target.namespace,
        env!("CARGO_PKG_VERSION")
    );
    let width = parts.iter().map(|part| part.path.len()).max().unwrap_or(0).min(60);
    for part in parts {
        let _ = writeln!(text, "  {:width$}  {}", part.path, part.about);
    }
    text.push_str("\nMissing parts\n");
    if missing.is_empty() {
        text.push_str("  none\n");
    }
    for one in missing {
        let _ = writeln!(text, "  {}: {}", one.part, one.reason);
    }
    text.push_str(include_str!("left_out.txt"));
    text
}
