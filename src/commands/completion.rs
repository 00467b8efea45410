//! `completion`.

use std::borrow::Cow;

use crate::cli::{CompletionArgs, command};
use crate::error::{Exit, Failure};
use crate::terminal::Ui;

const PROGRAM: &str = "kubectl-ess_mas";

pub fn exec(ui: &Ui, args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut definition = command::definition().name(PROGRAM).bin_name(PROGRAM);
    clap_complete::generate(args.shell, &mut definition, PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap_complete 4.6 writes a dash in the program's name in two ways in bash's script, which then completes only commands.
    let script = script.replace("kubectl__subcmd__ess_mas", "kubectl__ess_mas");
    ui.raw_out(&script.split_inclusive('\n').map(commands_first).collect::<String>())?;
    Ok(Exit::Done)
}

/// Moves commands in front of flags in a list of bash's script: bash shows the list unsorted, and a new user needs the commands.
fn commands_first(line: &str) -> Cow<'_, str> {
    let Some((start, words)) = line.split_once("opts=\"").filter(|(start, _)| start.trim().is_empty()) else {
        return line.into();
    };
    let (flags, commands): (Vec<_>, Vec<_>) =
        words.trim_end_matches("\"\n").split(' ').partition(|word| word.starts_with('-'));
    format!("{start}opts=\"{}\"\n", [commands, flags].concat().join(" ")).into()
}
