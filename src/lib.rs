//! `kubectl ess-mas` takes an Element Server Suite Classic deployment from legacy authentication to the
//! Matrix Authentication Service (MAS).
//!
//! Decisions are pure; a thin layer around them does the I/O. `docs/architecture.md` is the map.

/// Reads a data file of `src`, which `build.rs` converts to JSON. A test reads each.
macro_rules! table {
    ($path:literal) => {
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/", $path, ".json")))
            .expect("a test reads this file")
    };
}

pub mod answers;
pub mod checks;
pub mod cli;
pub mod cluster;
pub mod commands;
mod connection_failure;
pub mod deployment;
pub mod diagnosis;
pub mod duration;
mod error;
mod field_manager;
pub mod hardening;
mod migration;
pub mod net;
pub mod plan;
pub mod record;
mod redact;
pub mod secrets;
mod session;
pub mod terminal;
pub mod verdict;
pub mod workloads;
pub mod x509;

use std::ffi::OsString;

use cli::Typed;
use error::Exit;
use terminal::{ColorChoice, Stream, Terminal, Ui, Verbosity};

/// Runs the program with these arguments (the first one is the program's name) and returns its exit code. Keeps no global
/// state, so it can be called repeatedly.
pub fn run(args: impl IntoIterator<Item = OsString>, terminal: Terminal) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match cli::parse(&args, terminal.columns()) {
        Ok(Typed::Command(cli)) => *cli,
        Ok(Typed::Complete(words)) => return commands::complete(&words, terminal),
        Err(error) => return usage(&error, cli::color(&args), terminal),
    };
    let ui = Ui::new(terminal, cli.global.color, cli.global.verbosity());
    terminal::trace::begin(&ui);
    if let Some(exit) = commands::run_alone(&cli, &ui) {
        return exit.code();
    }
    // The worker thread handles signals while prompts block the main thread.
    match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(commands::run(cli, &ui));
            runtime.shutdown_background();
            exit.code()
        }
        Err(error) => {
            ui.error(&error, &[]);
            Exit::Failed.code()
        }
    }
}

/// Prints clap's output: help to stdout, everything else to stderr as wrong usage. A call without a command is wrong usage
/// too: an empty variable in a script must not count as success.
fn usage(error: &clap::Error, color: ColorChoice, terminal: Terminal) -> u8 {
    let ui = Ui::new(terminal, color, Verbosity::Normal);
    let stream = if error.use_stderr() { Stream::Err } else { Stream::Out };
    let text = error.render();
    let text = if ui.render_options(stream).coloured { text.ansi().to_string() } else { text.to_string() };
    if error.use_stderr() {
        ui.terminal.write_err(&text);
        Exit::Usage.code()
    } else {
        u8::from(ui.raw_out(&text).is_err())
    }
}
