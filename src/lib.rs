//! `kubectl ess-mas` takes an Element Server Suite Classic deployment from legacy authentication to the
//! Matrix Authentication Service (MAS).
//!
//! Decisions are pure and in the middle; a thin shell is around them. Arrows point one way:
//! `commands` → `cluster`, `probe`, `terminal` → `plan`, `checks`, `reconcile`, `record` → `deployment`, `pki`.

pub mod checks;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod deployment;
pub mod hardening;
pub mod pki;
pub mod plan;
pub mod probe;
pub mod reconcile;
pub mod record;
pub mod stages;
pub mod terminal;

use std::ffi::OsString;

use clap::Parser;

use terminal::{ColorChoice, Terminal, Ui, Verbosity};

/// Runs the program with these arguments (the first one is the program's name) and returns its exit code. Keeps no state
/// in the process, so it can be called again.
pub fn run(args: impl IntoIterator<Item = OsString>, terminal: Terminal) -> u8 {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, terminal),
    };
    let ui = Ui::new(terminal, cli.global.color(), cli.global.verbosity());
    terminal::trace::begin(&ui);
    if let Some(code) = commands::run_alone(&cli, &ui) {
        return code;
    }
    // Signals are answered by the worker while questions hold the main thread.
    match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(commands::run(cli, &ui));
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            ui.error(&error, &[]);
            1
        }
    }
}

/// Help goes to stdout and is no error; everything else that clap says goes to stderr and is wrong usage.
fn usage(error: &clap::Error, terminal: Terminal) -> u8 {
    let ui = Ui::new(terminal, ColorChoice::Auto, Verbosity::Normal);
    let text = error.render().to_string();
    if error.use_stderr() {
        ui.raw_err(&text);
        2
    } else {
        u8::from(ui.raw_out(&text).is_err())
    }
}
