//! The clap definition with groups of commands, examples and completion hints, from which parsing, help, completion scripts
//! and man pages derive.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects, Style};
use clap::{ArgAction, Command, CommandFactory as _, ValueHint};

use super::args::Cli;
use super::examples::{self, Example};
use crate::terminal::text::wrap;

/// The maximum width of the help.
pub const WIDEST: usize = 100;

/// The groups of commands in the help, in order; the group without names has all the others.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Migration", &["status", "prepare", "dry-run", "activate", "abort"]),
    ("Troubleshooting", &["check", "verify", "report"]),
    ("Other commands", &[]),
];

pub fn definition() -> Command {
    with_pages(root(), WIDEST, true, |_| true)
}

/// The definition with help for a terminal of this width, at most [`WIDEST`], without completion hints. It has only the help
/// pages that these words can show: each costs time at the start.
pub fn for_columns(columns: usize, words: &[OsString]) -> Command {
    let root = Cli::command();
    let first_page = words.get(1).is_none_or(|word| root.find_subcommand(word).is_none());
    with_pages(root, columns.min(WIDEST), first_page, |name| words.iter().any(|word| word == name))
}

fn with_pages(root: Command, columns: usize, first_page: bool, is_wanted: impl Fn(&str) -> bool) -> Command {
    let examples: Vec<Example> = examples::all().collect();
    let page = |below, name: &str| if is_wanted(name) { made_ready(below, name, &examples) } else { below };
    let command = each_below(root, page)
        .styles(styles())
        .override_usage("kubectl ess-mas COMMAND [NAME] [flags]")
        .term_width(columns);
    if !first_page {
        return command;
    }
    let template =
        format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{after-help}}", groups(&command, columns));
    let after = command.get_after_help().map(|text| text.ansi().to_string()).unwrap_or_default();
    command.after_help(format!("{after}\n\n{EXIT_CODES}")).help_template(template)
}

/// The definition without help pages, for completion.
pub fn root() -> Command {
    hinted(Cli::command())
}

/// Bold headings, and the basic colors for errors, which follow the terminal's theme.
fn styles() -> Styles {
    let bold = Style::new().effects(Effects::BOLD);
    Styles::plain()
        .header(bold)
        .usage(bold)
        .error(AnsiColor::Red.on_default())
        .valid(AnsiColor::Cyan.on_default())
        .invalid(AnsiColor::Yellow.on_default())
}

fn groups(command: &Command, columns: usize) -> String {
    let widest = command.get_subcommands().map(|one| one.get_name().len()).max().unwrap_or(0);
    let bold = Style::new().effects(Effects::BOLD);
    let grouped = |one: &&Command| GROUPS.iter().any(|(_, names)| names.contains(&one.get_name()));
    let mut text = String::new();
    for (title, names) in GROUPS {
        let named = names.iter().filter_map(|name| command.find_subcommand(name));
        let rest = command.get_subcommands().filter(|one| names.is_empty() && !grouped(one));
        let _ = writeln!(text, "{bold}{title}:{bold:#}");
        for one in named.chain(rest) {
            let about = one.get_about().map(|about| about.ansi().to_string()).unwrap_or_default();
            let line = format!("  {:<widest$}   {about}", one.get_name());
            let _ = writeln!(text, "{}", wrap(&line, Some(columns), widest + 5));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed or declined; 2 wrong usage or no terminal; 10 blocked by findings; 11 warnings; \
                          124 timed out; 130 interrupted.";

/// Adds the usage line as kubectl writes it, and examples above the flags.
fn made_ready(command: Command, path: &str, all: &[Example]) -> Command {
    let command = each_below(command, |below, name| made_ready(below, &format!("{path} {name}"), all));
    let usage = usage(&command, path);
    let after = command.get_after_help().map_or_else(String::new, |text| format!("{text}\n\n"));
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{all-args}}{{after-help}}",
        examples::help(all, path).map_or_else(String::new, |text| format!("{text}\n\n"))
    );
    command.after_help(format!("{after}{EXIT_CODES}")).override_usage(usage).help_template(template)
}

pub(super) fn each_below(command: Command, change: impl Fn(Command, &str) -> Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, |below| change(below, name)))
}

fn usage(command: &Command, path: &str) -> String {
    let below = if command.has_subcommands() { " COMMAND" } else { "" };
    let values: Vec<String> = command.get_positionals().map(|arg| format!(" {arg}").replace(['<', '>'], "")).collect();
    format!("kubectl ess-mas {path}{below}{} [flags]", values.concat())
}

/// Marks each value as a file or not, so that shells complete file names only for files.
fn hinted(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let hint = match arg.get_value_names().and_then(<[_]>::first).map(clap::builder::Str::as_str) {
            Some("FILE") => ValueHint::FilePath,
            Some("DIR") => ValueHint::DirPath,
            Some("PATH") => ValueHint::AnyPath,
            _ => ValueHint::Other,
        };
        if matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) { arg.value_hint(hint) } else { arg }
    });
    each_below(command, |below, _| hinted(below))
}
