//! Examples for every command, shown by `--help`. A test runs each of them.

use std::fmt::Write as _;

use clap::builder::styling::{Effects, Style};

/// The width of the examples, which no terminal should wrap.
const WIDTH: usize = 80;

/// In the order in which the test runs them: from an unprepared deployment to a migrated one, with a second dry run after
/// the component is removed.
const EXAMPLES: &str = include_str!("examples.txt");

pub struct Example {
    /// The command: `dry-run`, `tls issue`.
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

/// The examples of a command with their heading.
pub fn help(all: &[Example], of: &str) -> Option<String> {
    let bold = Style::new().effects(Effects::BOLD);
    Some(format!("{bold}Examples:{bold:#}\n{}", plain(all, of)?))
}

/// The examples of a command, each below a comment and folded to `WIDTH` columns.
pub fn plain(all: &[Example], of: &str) -> Option<String> {
    let mut text = String::new();
    for Example { about, line, .. } in all.iter().filter(|example| example.of == of) {
        let _ = write!(text, "  # {about}\n  {}\n\n", folded(line));
    }
    text.truncate(text.trim_end().len());
    (!text.is_empty()).then_some(text)
}

/// Breaks a long command line before flags, continued as shells read it.
fn folded(line: &str) -> String {
    let mut text = String::new();
    let mut column = 2;
    for (place, part) in line.split(" --").enumerate() {
        let dashes = if place == 0 { "" } else { " --" };
        // Room for the backslash that may follow.
        if column + dashes.len() + part.len() > WIDTH - 2 && place > 0 {
            text.push_str(" \\\n   ");
            column = 5;
        }
        text.extend([dashes, part]);
        column += dashes.len() + part.len();
    }
    text
}
