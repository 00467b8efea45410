//! `tls`: certificates for the MAS host, as files. Nothing here writes to the cluster.

mod check;
pub mod files;
pub mod issue;
pub mod live;
mod request;
mod written;

use super::exit::Failure;
use super::session::Context;
use crate::cli::TlsCommand;
use crate::pki::HostName;

/// Runs one of the commands below `tls`.
pub async fn exec(context: &Context, command: &TlsCommand) -> Result<u8, Failure> {
    match command {
        TlsCommand::Issue(args) => issue::exec(context, args),
        TlsCommand::Request(args) => request::exec(context, args),
        TlsCommand::Check(args) => check::exec(context, args).await,
    }
}

fn host(text: &str) -> Result<HostName, Failure> {
    HostName::parse(text.trim()).map_err(|error| Failure::usage(format!("--host: {error}")))
}
