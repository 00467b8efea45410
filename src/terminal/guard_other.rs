//! Prompts on Windows, where the console is in raw mode for each key and never echoes in between.

use console::Term;

use super::tty::Terminal;
use super::unanswered::PromptError;

pub(super) fn ask<T: Send>(
    _: &Terminal,
    _: bool,
    question: impl FnOnce(&Term) -> dialoguer::Result<T> + Send,
) -> Result<T, PromptError> {
    let term = Term::stderr();
    question(&term).map_err(|dialoguer::Error::IO(error)| {
        let _ = term.show_cursor();
        error.into()
    })
}
