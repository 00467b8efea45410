//! What was typed: clap's definitions and nothing else. What it means is settled in `commands`.

mod args;
pub mod command;
pub mod complete;
pub mod examples;
mod flags;
mod keys;
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
