//! Examples for every command, shown by `--help`. A test runs each of them.

use std::fmt::Write as _;

use clap::builder::styling::{Effects, Style};

/// In the order in which the test runs them: from an unprepared deployment to a migrated one, with a second dry run after
/// the component is removed.
const EXAMPLES: &str = include_str!("examples.txt");

pub struct Example {
    /// The command: `dry-run`, `tls issue`.
    pub of: &'static str,
    pub about: &'static str,
    /// Folded to 80 columns as shells read it.
    pub line: &'static str,
}

pub fn all() -> impl Iterator<Item = Example> {
    EXAMPLES.split("\n\n").filter_map(|example| {
        let (head, line) = example.trim().split_once('\n')?;
        let (of, about) = head.split_once(": ")?;
        Some(Example { of, about, line })
    })
}

/// The examples of a command with their heading.
pub fn help(all: &[Example], of: &str) -> Option<String> {
    let bold = Style::new().effects(Effects::BOLD);
    Some(format!("{bold}Examples:{bold:#}\n{}", plain(all, of)?))
}

/// The examples of a command, each below a comment.
pub fn plain(all: &[Example], of: &str) -> Option<String> {
    let mut text = String::new();
    for Example { about, line, .. } in all.iter().filter(|example| example.of == of) {
        let _ = write!(text, "  # {about}\n  {line}\n\n");
    }
    text.truncate(text.trim_end().len());
    (!text.is_empty()).then_some(text)
}
