//! What was typed: clap's definitions and nothing else. What it means is settled in `commands`.

mod args;
mod codes;
pub mod command;
pub mod complete;
pub mod examples;
mod flags;
mod mistakes;
mod parse;
mod prepare;
mod tls;
mod writes;

pub use args::{CheckArgs, Cli, Command, CompletionArgs, DatabasesArgs, ReportArgs, StatusArgs, VerifyArgs};
pub use flags::{FollowArgs, GlobalArgs, OutputArgs, WriteArgs};
pub use parse::{Typed, color, parse};
pub use prepare::{ExportArgs, ExportFormat, PrepareArgs, TlsChoice};
pub use tls::{TlsArgs, TlsCheckArgs, TlsCommand, TlsFileArgs, TlsIssueArgs, TlsRequestArgs};
pub use writes::{AbortArgs, ActivateArgs, DryRunArgs};
