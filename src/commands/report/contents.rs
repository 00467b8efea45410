//! The contents of the report. Everything passes through the redactor here.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::cluster::Unread;
use crate::record::Archive;
use crate::redact::{People, Redactor};
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
    people: People,
    parts: Vec<Part>,
    missing: Vec<Missing>,
}

impl Contents {
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor, people: People::default(), parts: Vec::new(), missing: Vec::new() }
    }

    pub fn missing(&mut self, missing: impl IntoIterator<Item = Missing>) {
        self.missing.extend(missing);
    }

    pub fn json(&mut self, path: &str, about: &str, tree: &Value) {
        self.add(OutputFormat::Json, path, about, &self.redactor.tree(tree));
    }

    /// Objects of the cluster; no file without objects.
    pub fn objects(&mut self, path: &str, about: &str, objects: impl IntoIterator<Item = Value>) {
        let objects: Vec<Value> = objects.into_iter().map(|object| self.redactor.tree(&object)).collect();
        if !objects.is_empty() {
            self.add(OutputFormat::Yaml, path, about, &objects);
        }
    }

    pub fn deployment(&mut self, path: &str, about: &str, object: &Value) {
        self.add(OutputFormat::Yaml, path, about, &self.redactor.object(object));
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
        let secrets: Vec<Value> = secrets.iter().map(without_values).collect();
        if !secrets.is_empty() {
            self.add(OutputFormat::Yaml, path, about, &secrets);
        }
    }

    /// A log; `anonymous` replaces user IDs by numbers.
    pub fn log(&mut self, path: String, about: String, log: &str, anonymous: bool) {
        let clean = self.redactor.text(&text::harmless(log));
        let text = if anonymous { self.people.hide(&clean) } else { clean };
        self.parts.push(Part { path, about, text });
    }

    fn add(&mut self, format: OutputFormat, path: &str, about: &str, clean: &impl Serialize) {
        let text = data::render(format, clean);
        self.parts.extend(text.ok().map(|text| Part { path: path.to_owned(), about: about.to_owned(), text }));
    }

    /// The archive, and the parts that it lacks.
    pub fn archive(self, session: &Session, now: Timestamp) -> (Archive, Vec<Missing>) {
        let Self { redactor, parts, mut missing, .. } = self;
        missing.sort();
        missing.dedup();
        // The index comes first and lists parts that don't fit, so measure the parts before.
        let mut trial = Archive::default();
        let (kept, too_large): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| trial.add(&part.path, part.text.clone()));
        let too_large = too_large.into_iter();
        missing.extend(too_large.map(|part| Missing::new(part.path, "the report would be too large")));
        for one in &mut missing {
            *one = Missing::new(redactor.text(&one.part), redactor.text(&one.reason));
        }
        let mut archive = Archive::of_at_most(usize::MAX);
        archive.add("INDEX.txt", index(session, &kept, &missing, now));
        for part in kept {
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
