//! `completion`.

use super::exit::{DONE, Failure};
use crate::cli::{CompletionArgs, command};
use crate::terminal::Ui;

/// Runs it.
pub fn exec(ui: &Ui, args: &CompletionArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command::definition(), "kubectl-ess_mas", &mut script);
    ui.raw_out(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}
