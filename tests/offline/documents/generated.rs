//! The generated parts of docs/reference.md: flags, codes and the minimum Role.
//!
//! `DOCS_UPDATE=1 cargo test --test offline documents` writes the tables again.

use std::fmt::Write as _;
use std::{env, fs};

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command};
use ess_mas::checks::explain::{self, Explanation};
use ess_mas::cli::command;

use super::page;

const PAGE: &str = "docs/reference.md";
/// The groups of global flags.
const SHARED: [&str; 2] = ["Output", "Connection"];

#[track_caller]
fn assert_part(name: &str, wanted: &str) {
    let text = page::text(PAGE);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&begin).expect(&begin);
    let (table, after) = rest.split_once(&end).expect(&end);
    if env::var_os("DOCS_UPDATE").is_some() {
        fs::write(page::path(PAGE), format!("{before}{begin}{wanted}{end}{after}")).unwrap();
    } else {
        assert!(table == wanted, "{PAGE} is out of date; DOCS_UPDATE=1 cargo test --test offline documents updates it");
    }
}

fn row(argument: &Arg) -> String {
    let value: String = match argument.get_value_names() {
        Some(names) if argument.get_action().takes_values() => format!(" {}", names[0]),
        _ => String::new(),
    };
    let long = argument.get_long().map(|long| format!("`--{long}{value}`"));
    let short = argument.get_short().map(|short| format!("`-{short}`"));
    let flag: Vec<String> = short.into_iter().chain(long).collect();
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    let values = argument.get_possible_values();
    let values: Vec<&str> = values.iter().filter(|value| !value.is_hide_set()).map(PossibleValue::get_name).collect();
    if argument.get_action().takes_values() && (1..10).contains(&values.len()) {
        // Writing to a string cannot fail.
        let _ = write!(help, " [possible values: {}]", values.join(", "));
    }
    if let ([default, ..], true) = (argument.get_default_values(), argument.get_action().takes_values()) {
        let _ = write!(help, " [default: {}]", default.to_string_lossy());
    }
    format!("| {} | {help} |\n", flag.join(", "))
}

fn table<'a>(title: &str, arguments: impl Iterator<Item = &'a Arg>) -> String {
    let rows: String = arguments.map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n### {title}\n\n| Flag | Meaning |\n| --- | --- |\n{rows}")
}

/// The flags of each command, then the global ones.
fn flags() -> String {
    fn own(command: &Command) -> impl Iterator<Item = &Arg> {
        command.get_arguments().filter(|one| {
            let shown = !one.is_hide_set() && !one.is_positional();
            let is_help = matches!(one.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong);
            shown && !is_help && !one.get_help_heading().is_some_and(|heading| SHARED.contains(&heading))
        })
    }
    let mut root = command::definition();
    root.build();
    let mut text = String::new();
    for command in root.get_subcommands().filter(|one| !one.is_hide_set()) {
        text += &table(&format!("Flags of {}", command.get_name()), own(command));
        for below in command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help") {
            text += &table(&format!("Flags of {} {}", command.get_name(), below.get_name()), own(below));
        }
    }
    let status = root.find_subcommand("status").unwrap();
    let shared = |one: &&Arg| one.get_help_heading().is_some_and(|heading| SHARED.contains(&heading));
    text + &table("Flags of all commands", status.get_arguments().filter(shared)) + "\n"
}

fn codes() -> String {
    let mut table = "| Code | About | Severities |\n| --- | --- | --- |\n".to_owned();
    for Explanation { code, about, severities, .. } in explain::all() {
        let words: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
        let _ = writeln!(table, "| [`{code}`](findings.md#{code}) | {about} | {} |", words.join(", "));
    }
    table
}

/// One test, because each part is written into the same page.
#[test]
fn flags_and_codes_in_the_reference_are_up_to_date() {
    assert_part("flags", &flags());
    assert_part("codes", &codes());
}

#[test]
fn the_minimum_role_is_the_one_that_is_tested() {
    let text = page::text(PAGE);
    let (_, after) = text.split_once("<!-- role -->\n```yaml\n").expect("the page has a Role");
    let role = after.split_once("```").expect("the Role ends").0;
    assert_eq!(role, include_str!("../../e2e/common/role.yaml").replace("\r\n", "\n"));
}
