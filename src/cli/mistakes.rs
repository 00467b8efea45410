//! What people type when they mean something else, and the words for it.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands by the names that other tools have for them.
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
    (
        "--password",
        "a password on the command line could be read by everybody; pass --database-password-file FILE, or - to read it from standard input",
    ),
    (
        "--database-password",
        "a password on the command line could be read by everybody; pass --database-password-file FILE, or - to read it from standard input",
    ),
    ("--force", "nothing here is forced; warnings are accepted by name with --accept CODE"),
    ("--all", "every deployment: status -A"),
    ("--follow", "to follow a deployment: status --watch"),
    ("--json", "for data pass -o json"),
    ("--debug", "to be told more, pass -v, or -vv"),
    ("--assume-yes", "to answer beforehand, pass --yes"),
    ("--no-color", "to do without colours, pass --color never"),
];

/// Adds what was probably meant, and takes out what would lead astray.
pub fn explained(mut error: clap::Error) -> clap::Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = text(&error, ContextKind::InvalidSubcommand);
            let known = COMMANDS.iter().find(|(_, names)| typed.as_deref().is_some_and(|typed| names.contains(&typed)));
            if let Some((command, _)) = known {
                let tip = format!("did you mean '{command}'? `kubectl ess-mas {command} --help` tells what it does");
                error.remove(ContextKind::SuggestedSubcommand);
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
            }
        }
        ErrorKind::UnknownArgument => {
            let typed = text(&error, ContextKind::InvalidArg);
            let name = typed.as_deref().map(|typed| typed.split('=').next().unwrap_or_default());
            let known = FLAGS.iter().find(|(flag, _)| Some(*flag) == name);
            // clap's own "to pass it as a value, use --" helps with nothing that takes values here.
            error.remove(ContextKind::Suggested);
            if let Some((_, tip)) = known {
                error.remove(ContextKind::SuggestedArg);
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*tip).into()]));
            }
        }
        _ => {}
    }
    error
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}
