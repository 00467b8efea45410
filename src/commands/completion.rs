//! `completion`: prints a completion script.

use crate::cli::{CompletionArgs, command};
use crate::error::{Exit, Failure};
use crate::terminal::Ui;

const PROGRAM: &str = "kubectl-ess_mas";

pub fn exec(ui: &Ui, args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut definition = command::definition().name(PROGRAM).bin_name(PROGRAM);
    clap_complete::generate(args.shell, &mut definition, PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap_complete 4.6 writes the dash of the program's name in two ways, so the script would complete only the first word.
    ui.raw_out(&script.replace("kubectl__subcmd__ess_mas", "kubectl__ess_mas"))?;
    Ok(Exit::Done)
}
