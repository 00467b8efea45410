//! From the arguments of the process to a command, or to words that a shell wants completed. Where people type what they
//! know from other tools, they are told the words for it here.

use std::ffi::OsString;

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;
use super::command;
use crate::terminal::ColorChoice;

/// What asks for the end of a command line to be completed, in front of the words.
const COMPLETE: &str = "__complete";

const COMMANDS: [(&str, &[&str]); 6] = [
    ("status", &["get", "show", "list", "ls", "describe", "watch"]),
    ("check", &["doctor", "preflight", "precheck", "validate", "diagnose"]),
    ("prepare", &["init", "setup", "configure", "config", "install"]),
    ("dry-run", &["dryrun", "dry_run", "rehearse", "test", "plan", "simulate"]),
    ("activate", &["migrate", "apply", "switch", "enable", "run", "start", "upgrade"]),
    ("abort", &["rollback", "undo", "revert", "cancel", "back", "disable", "stop", "uninstall", "remove"]),
];

/// Flags by the names that other tools have for them, and what there is instead.
const FLAGS: [(&str, &str); 12] = [
    ("--dry-run", "to see what would be written, pass --preview; the rehearsal is a command: dry-run"),
    ("--diff", "to see what would be written, pass --preview"),
    ("--token", "a token on the command line could be read by everybody; put it into a kubeconfig"),
    ("--password", PASSWORD_IN_FILE),
    ("--database-password", PASSWORD_IN_FILE),
    ("--force", "nothing here is forced; warnings are accepted by name with --accept CODE"),
    ("--all", "every deployment: status -A"),
    ("--follow", "to follow a deployment: status --watch"),
    ("--json", "for data pass -o json"),
    ("--debug", "to be told more, pass -v, or -vv"),
    ("--assume-yes", "to answer beforehand, pass --yes"),
    ("--no-color", "to do without colours, pass --color never"),
];

const PASSWORD_IN_FILE: &str = "a password on the command line could be read by everybody; pass --database-password-file FILE, or - to read it from standard input";

#[derive(Debug)]
pub enum Typed {
    Command(Box<Cli>),
    /// Words to complete the last of.
    Complete(Vec<String>),
}

/// Reads the arguments, the first of which is the program's name. Help is laid out for so many columns.
pub fn parse(args: &[OsString], columns: usize) -> Result<Typed, clap::Error> {
    if let [_, first, rest @ ..] = args
        && first == COMPLETE
    {
        let words = rest.strip_prefix(&[OsString::from("--")]).unwrap_or(rest);
        return Ok(Typed::Complete(words.iter().map(|word| word.to_string_lossy().into_owned()).collect()));
    }
    let mut definition = command::for_columns(columns);
    let matches = definition.try_get_matches_from_mut(args).map_err(explained)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))?;
    Ok(Typed::Command(Box::new(cli)))
}

/// `--color` as it was typed, for what is said before the whole line has been understood.
pub fn color(args: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let joined = words.iter().find_map(|word| word.strip_prefix("--color="));
    let apart = words.iter().position(|word| *word == "--color").and_then(|at| words.get(at + 1).copied());
    match joined.or(apart) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// Adds what was probably meant, and takes out what would lead astray.
fn explained(mut error: clap::Error) -> clap::Error {
    let typed = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.split('=').next().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let (misleading, tip) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = typed(&error, ContextKind::InvalidSubcommand);
            let known = COMMANDS.iter().find(|(_, names)| names.contains(&typed.as_str()));
            let tip = |(command, _): &(&str, _)| {
                format!("did you mean '{command}'? `kubectl ess-mas {command} --help` tells what it does")
            };
            (ContextKind::SuggestedSubcommand, known.map(tip))
        }
        ErrorKind::UnknownArgument => {
            let typed = typed(&error, ContextKind::InvalidArg);
            let known = FLAGS.iter().find(|(flag, _)| *flag == typed);
            // clap's own "to pass it as a value, use --" helps with nothing that takes values here.
            error.remove(ContextKind::Suggested);
            (ContextKind::SuggestedArg, known.map(|(_, tip)| (*tip).to_owned()))
        }
        _ => return error,
    };
    if let Some(tip) = tip {
        error.remove(misleading);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
