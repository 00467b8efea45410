//! The command line: clap definitions, help and completion. `commands` evaluates it.

mod args;
pub mod command;
pub mod complete;
pub mod examples;
mod flags;
mod parse;
mod prepare;
mod tls;

pub use args::{
    AbortArgs, ActivateArgs, CheckArgs, Cli, Command, CompletionArgs, DatabasesArgs, DryRunArgs, ReportArgs,
    StatusArgs, VerifyArgs,
};
pub use flags::{FollowArgs, OutputArgs, WriteArgs};
pub use parse::{Typed, color, parse};
pub use prepare::{ExportArgs, ExportFormat, PrepareArgs, TlsChoice};
pub use tls::{TlsArgs, TlsCheckArgs, TlsCommand, TlsFileArgs, TlsIssueArgs, TlsRequestArgs};
