//! `--help` of every command: it fits the terminal, and each flag's help says something.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::Command;
use ess_mas::cli::{command, parse};

/// Words that explain nothing, besides the words of a flag's name.
const FILLERS: [&str; 17] =
    ["a", "an", "and", "as", "for", "in", "is", "it", "its", "of", "on", "or", "the", "this", "to", "use", "with"];

/// The words that call each command, the program itself included.
fn paths() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    collect(&command::definition(), &[], &mut found);
    found
}

fn collect(command: &Command, path: &[String], found: &mut Vec<Vec<String>>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let path = [path, &[below.get_name().to_owned()]].concat();
        found.push(path.clone());
        collect(below, &path, found);
    }
}

#[test]
fn help_of_every_command_fits_eighty_columns() {
    let paths = paths();
    assert!(paths.contains(&vec!["tls".to_owned(), "check".to_owned()]), "{paths:?}");
    for path in paths {
        for flag in ["--help", "-h"] {
            let words = ["kubectl-ess_mas"].into_iter().chain(path.iter().map(String::as_str)).chain([flag]);
            let words: Vec<OsString> = words.map(OsString::from).collect();
            let help = parse(&words, 80).unwrap_err().to_string();
            assert!(help.contains("Exit codes:"), "{path:?} {flag}: {help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{path:?} {flag} is wider than 80 columns:\n{line}");
            }
        }
    }
}

#[test]
fn no_flags_help_only_repeats_its_name() {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).filter(|word| !FILLERS.contains(&word.as_str())).collect()
    };
    let root = command::definition();
    for path in paths() {
        let command = path.iter().fold(&root, |command, name| command.find_subcommand(name).unwrap());
        for arg in command.get_arguments() {
            let Some(long) = arg.get_long().filter(|long| *long != "help") else { continue };
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let said = &words(&help) - &words(long);
            assert!(!said.is_empty(), "{path:?} --{long}: the help only repeats the name: {help:?}");
        }
    }
}
