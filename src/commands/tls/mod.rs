//! `tls`: certificates for the MAS host, as files. Nothing here writes to the cluster.

mod check;
pub mod files;
pub mod issue;
pub mod live;
mod request;
mod written;

use crate::cli::TlsCommand;
use crate::error::{Exit, Failure};
use crate::session::Context;
use crate::terminal::Ui;
use crate::x509::HostName;

pub async fn exec(context: &Context, command: &TlsCommand) -> Result<Exit, Failure> {
    match command {
        TlsCommand::Issue(args) => issue::exec(&context.ui, args),
        TlsCommand::Request(args) => request::exec(&context.ui, args),
        TlsCommand::Check(args) => check::exec(context, args).await,
    }
}

/// Runs one that works on files alone; `None` for the others.
pub fn exec_alone(ui: &Ui, command: &TlsCommand) -> Option<Result<Exit, Failure>> {
    match command {
        TlsCommand::Issue(args) => Some(issue::exec(ui, args)),
        TlsCommand::Request(args) => Some(request::exec(ui, args)),
        TlsCommand::Check(_) => None,
    }
}

fn host(text: &str) -> Result<HostName, Failure> {
    HostName::parse(text.trim()).map_err(|error| Failure::usage(format!("--host: {error}")))
}
