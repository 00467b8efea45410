//! Examples for every command, shown by `--help`. A test runs each of them.

use std::fmt::Write as _;

use clap::builder::styling::{Effects, Style};

/// In an order in which they can be run, from a deployment that nobody has touched to one that is migrated, with another
/// dry run after the component was taken out again.
const EXAMPLES: &str = include_str!("examples.txt");

pub struct Example {
    /// The command that shows it: `dry-run`, `tls issue`.
    pub of: &'static str,
    pub about: &'static str,
    pub line: &'static str,
}

pub fn all() -> impl Iterator<Item = Example> {
    EXAMPLES.split("\n\n").filter_map(|example| {
        let (head, line) = example.trim().split_once('\n')?;
        let (of, about) = head.split_once(": ")?;
        Some(Example { of, about, line })
    })
}

/// The text above a command's flags.
pub fn help(all: &[Example], of: &str) -> Option<String> {
    let bold = Style::new().effects(Effects::BOLD);
    Some(format!("{bold}Examples:{bold:#}\n{}", plain(all, of)?))
}

/// The examples of a command, each with what it is for.
pub fn plain(all: &[Example], of: &str) -> Option<String> {
    let mut text = String::new();
    for Example { about, line, .. } in all.iter().filter(|example| example.of == of) {
        // Writing into a string cannot fail.
        let _ = write!(text, "  # {about}\n  {line}\n\n");
    }
    text.truncate(text.trim_end().len());
    (!text.is_empty()).then_some(text)
}
