//! The program accepts the commands and flags on the pages.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use ess_mas::cli::Cli;

use super::{assert_none, page};

/// Values for the words that a reader replaces.
const PLACEHOLDERS: [(&str, &str); 5] = [
    ("COMMAND", "status"),
    ("SHELL", "bash"),
    ("CODE,CODE", "rehearsal,paused"),
    ("CODE", "rehearsal"),
    ("HOST:PORT:ADDRESS", "auth.example.com:443:10.0.0.7"),
];

/// Flags of other programs, and one that the program does not have.
const FOREIGN: [&str; 2] = ["--force-conflicts", "--token"];

/// The words of a command, as a shell splits them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec!["kubectl-ess_mas".to_owned()];
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            let (part, comment) = part.split_once(" #").map_or((part, false), |(part, _)| (part, true));
            words.extend(part.split_whitespace().filter(|word| !word.starts_with('[')).map(str::to_owned));
            if comment {
                break;
            }
        }
    }
    for word in &mut words {
        if let Some((_, value)) = PLACEHOLDERS.iter().find(|(name, _)| name == word) {
            (*value).clone_into(word);
        }
    }
    words
}

/// The text after `kubectl ess-mas` in code.
fn commands(code: &str) -> Vec<String> {
    let code = code.replace("\\\n", " ");
    let lines = code.lines().filter_map(|line| line.split_once("kubectl ess-mas "));
    lines.map(|(_, rest)| rest.split('`').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_program_accepts_every_command_in_code() {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in page::all() {
        for (code, accepted) in [
            (&page.blocks, &[ErrorKind::DisplayHelp][..]),
            // A sentence may name a command without its required arguments.
            (&page.spans, &[ErrorKind::DisplayHelp, ErrorKind::MissingRequiredArgument]),
        ] {
            for command in code.iter().flat_map(|code| commands(code)) {
                count += 1;
                if let Err(error) = Cli::try_parse_from(words(&command))
                    && !accepted.contains(&error.kind())
                {
                    problems.push(format!("{}: kubectl ess-mas {command}\n{error}", page.name));
                }
            }
        }
    }
    assert_none(&problems);
    assert!(count > 60, "{count} commands were found");
}

#[test]
fn every_flag_in_a_sentence_exists() {
    let definition = Cli::command();
    let below = definition.get_subcommands().flat_map(clap::Command::get_subcommands);
    let flags = |command: &clap::Command| -> Vec<String> {
        let own = command.get_arguments().chain(definition.get_arguments()).filter_map(clap::Arg::get_long);
        own.map(|long| format!("--{long}")).chain(["--help".to_owned()]).collect()
    };
    let every: Vec<String> = definition.get_subcommands().chain(below).flat_map(flags).collect();
    let mut problems = Vec::new();
    for page in page::all() {
        for span in &page.spans {
            let words: Vec<&str> = span.split([' ', '=']).collect();
            let command = definition.find_subcommand(words[0]);
            let below = command.zip(words.get(1)).and_then(|(command, word)| command.find_subcommand(word));
            let known = match below.or(command) {
                Some(command) => flags(command),
                None if words[0].starts_with("--") && words[0].len() > 2 => every.clone(),
                None => continue,
            };
            let unknown = words.iter().find(|word| {
                word.starts_with("--") && !known.iter().any(|flag| flag == *word) && !FOREIGN.contains(word)
            });
            problems.extend(unknown.map(|flag| format!("{}: {flag} in {span}", page.name)));
        }
    }
    assert_none(&problems);
}
