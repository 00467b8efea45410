//! The commands: one file or folder each.

mod check;
mod completion;
mod prepare;
mod report;
mod shared;
mod status;
mod steps;
mod tls;
mod verify;
mod version;

use crate::cli::{Cli, Command, TlsArgs, TlsCommand};
use crate::cluster::ClusterError;
use crate::error::{Exit, Failure};
use crate::session::Context;
use crate::session::interrupt::Interrupt;
use crate::terminal::{Ui, Verbosity};

use shared::key_files::host;

pub use completion::complete;

/// Executes a command without network access and returns its exit code; `None` for all others. Without a runtime it starts
/// sooner, and Ctrl-C ends it immediately.
pub fn run_alone(cli: &Cli, ui: &Ui) -> Option<Exit> {
    let result = match &cli.command {
        Command::Completion(args) => completion::exec(ui, args),
        Command::Version(output) => version::exec(ui, output),
        Command::Tls(TlsArgs { command: TlsCommand::Issue(args) }) => {
            host(args.files.host.as_deref()?).and_then(|host| tls::issue(ui, args, host))
        }
        Command::Tls(TlsArgs { command: TlsCommand::Request(args) }) => {
            host(args.files.host.as_deref()?).and_then(|host| tls::request(ui, args, &host))
        }
        _ => return None,
    };
    Some(result.unwrap_or_else(|failure| print(&failure, ui)))
}

pub async fn run(cli: Cli, ui: &Ui) -> Exit {
    let context = Context { ui: ui.clone(), flags: cli.global.connection.clone(), interrupt: Interrupt::listen(ui) };
    let command = exec(&context, &cli);
    let result = tokio::select! {
        result = command => result,
        // Nothing was written, and the interrupt was reported already.
        () = context.interrupt.wait_while_nothing_written() => Err(Failure::told(Exit::Interrupted)),
    };
    result.unwrap_or_else(|failure| {
        // The interrupt was reported when it was raised.
        if failure.exit == Exit::Interrupted && context.interrupt.raised() { failure.exit } else { print(&failure, ui) }
    })
}

fn print(failure: &Failure, ui: &Ui) -> Exit {
    if let Some(error) = &failure.error {
        // The causes are errors of the HTTP library, of use only for debugging.
        if error.is::<ClusterError>() && ui.verbosity < Verbosity::Verbose(1) {
            ui.error(Box::<dyn std::error::Error>::from(error.to_string()).as_ref(), &failure.next);
        } else {
            ui.error(error.as_ref(), &failure.next);
        }
    }
    failure.exit
}

async fn exec(context: &Context, cli: &Cli) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Status(args) => status::exec(context, args).await,
        Command::Check(args) => check::exec(context, args).await,
        Command::Prepare(args) => prepare::exec(context, args).await,
        Command::DryRun(args) => steps::dry_run(context, args).await,
        Command::Activate(args) => steps::activate(context, args).await,
        Command::Abort(args) => steps::abort(context, args).await,
        Command::Verify(args) => verify::exec(context, args).await,
        Command::Report(args) => report::exec(context, args).await,
        Command::Tls(TlsArgs { command: TlsCommand::Check(args) }) => tls::check(context, args).await,
        Command::Tls(TlsArgs { command: TlsCommand::Issue(args) }) => {
            tls::issue(&context.ui, args, tls::host_of(context, args.files.host.as_deref()).await?)
        }
        Command::Tls(TlsArgs { command: TlsCommand::Request(args) }) => {
            tls::request(&context.ui, args, &tls::host_of(context, args.files.host.as_deref()).await?)
        }
        Command::Completion(_) | Command::Version(_) => Ok(run_alone(cli, &context.ui).unwrap_or(Exit::Done)),
    }
}
