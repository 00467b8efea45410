//! Parses the arguments of the process into a command or a completion request, and suggests the equivalents of other tools'
//! commands and flags.

use std::ffi::OsString;

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;
use super::command;
use crate::terminal::ColorChoice;

/// The argument that starts a completion request.
const COMPLETE: &str = "__complete";

/// The commands, with their names in other tools.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("status", &["get", "show", "list", "ls", "describe", "watch"]),
    ("check", &["doctor", "preflight", "precheck", "validate", "diagnose"]),
    ("prepare", &["init", "setup", "configure", "config", "install"]),
    ("dry-run", &["dryrun", "dry_run", "rehearse", "test", "plan", "simulate"]),
    ("activate", &["migrate", "apply", "switch", "enable", "run", "start", "upgrade"]),
    ("abort", &["rollback", "undo", "revert", "cancel", "back", "disable", "stop", "uninstall", "remove"]),
];

/// Flags of other tools, and what to use instead.
const FLAGS: [(&str, &str); 12] = [
    ("--dry-run", "to preview the change, pass --preview; for the operator's dry run, use the command dry-run"),
    ("--diff", "to preview the change, pass --preview"),
    ("--token", "other users can read command lines; put the token into a kubeconfig"),
    ("--password", PASSWORD_IN_FILE),
    ("--database-password", PASSWORD_IN_FILE),
    ("--force", "to accept a warning, pass --accept CODE"),
    ("--all", "to show all deployments, use status -A"),
    ("--follow", "to watch a deployment, use status --watch"),
    ("--json", "for JSON output, pass -o json"),
    ("--debug", "for more output, pass -v or -vv"),
    ("--assume-yes", "to skip confirmation, pass --yes"),
    ("--no-color", "to disable colors, pass --color never"),
];

const PASSWORD_IN_FILE: &str =
    "other users can read command lines; pass --database-password-file FILE, or - for standard input";

#[derive(Debug)]
pub enum Typed {
    Command(Box<Cli>),
    /// Words to complete the last of.
    Complete(Vec<String>),
}

/// Parses the arguments, the first of which is the program's name. `columns` is the width of the help.
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

/// The value of `--color`, for errors of an invalid command line.
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

/// Replaces clap's suggestion with one for the flags and commands of other tools.
fn explained(mut error: clap::Error) -> clap::Error {
    let typed = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.split('=').next().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let (misleading, tip) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = typed(&error, ContextKind::InvalidSubcommand);
            let known = COMMANDS.iter().find(|(_, names)| names.contains(&typed.as_str()));
            let tip =
                |(command, _): &(&str, _)| format!("did you mean '{command}'? See `kubectl ess-mas {command} --help`");
            (ContextKind::SuggestedSubcommand, known.map(tip))
        }
        ErrorKind::UnknownArgument => {
            let typed = typed(&error, ContextKind::InvalidArg);
            let known = FLAGS.iter().find(|(flag, _)| *flag == typed);
            // clap suggests `--` to pass a flag as a value, which no command here accepts.
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
