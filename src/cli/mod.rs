//! The command line: clap definitions, help and completion. `commands` evaluates it.

mod args;
pub mod command;
pub mod complete;
pub mod examples;
mod flags;
mod prepare;
mod tls;

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::error::{ContextKind, ErrorKind};
use clap::{FromArgMatches as _, ValueEnum as _};

use crate::terminal::ColorChoice;

pub use args::{
    AbortArgs, ActivateArgs, CheckArgs, Cli, Command, CompletionArgs, DatabasesArgs, DryRunArgs, ReportArgs,
    StatusArgs, VerifyArgs,
};
pub use flags::{FollowArgs, OutputArgs, WriteArgs};
pub use prepare::{ExportArgs, ExportFormat, PrepareArgs, TlsChoice};
pub use tls::{TlsArgs, TlsCheckArgs, TlsCommand, TlsFileArgs, TlsIssueArgs, TlsRequestArgs};

/// The argument that starts a completion request.
const COMPLETE: &str = "__complete";

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
    // Never dropped, which would take a tenth of the start: the process ends soon.
    let mut definition = ManuallyDrop::new(command::for_columns(columns, args));
    let matches = definition.try_get_matches_from_mut(args).map_err(|mut error| {
        // clap suggests `--` to pass a flag as a value, which no command here accepts.
        if error.kind() == ErrorKind::UnknownArgument {
            error.remove(ContextKind::Suggested);
        }
        error
    })?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))?;
    Ok(Typed::Command(Box::new(cli)))
}

/// The value of `--color`, for errors of an invalid command line.
pub fn color(args: &[OsString]) -> ColorChoice {
    // `--color never` becomes `--color=never`.
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let joined = words.join("=");
    let value = joined.split_once("--color=").and_then(|(_, rest)| rest.split('=').next());
    value.and_then(|value| ColorChoice::from_str(value, false).ok()).unwrap_or_default()
}
