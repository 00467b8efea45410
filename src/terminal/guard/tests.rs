use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::spawn_command;

use super::*;

const CHILD: &str = "ESS_MAS_TEST_GUARD";

/// Needs a terminal as standard input, so this program runs its test again, on a pseudo-terminal.
#[test]
fn an_interrupt_before_a_prompt_reads_ends_it() {
    if let Ok(hidden) = std::env::var(CHILD) {
        return interrupted_early(hidden == "true");
    }
    for hidden in ["true", "false"] {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "terminal::guard::tests::an_interrupt_before_a_prompt_reads_ends_it", "--nocapture"]);
        again.env(CHILD, hidden);
        let mut child = spawn_command(again, Some(20_000)).unwrap();
        let shown = child.exp_eof().unwrap_or_else(|error| panic!("hidden: {hidden}: {error}"));
        assert!(matches!(child.process().wait(), Ok(WaitStatus::Exited(_, 0))), "{shown}");
        assert!(shown.contains("1 passed"), "{shown}");
    }
}

fn interrupted_early(hidden: bool) {
    let terminal = Terminal::real();
    terminal.stop_asking();
    let answer = ask(&terminal, hidden, |term| {
        thread::sleep(Duration::from_millis(300));
        if hidden {
            return dialoguer::Password::new().with_prompt("?").interact_on(term);
        }
        dialoguer::Input::new().with_prompt("?").interact_text_on(term)
    });
    assert!(matches!(answer, Err(PromptError::Interrupted)), "{answer:?}");
}
