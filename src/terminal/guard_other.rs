//! Prompts on Windows, where the console is in raw mode for each key and never echoes in between.

use console::Term;

use super::tty::Terminal;
use super::unanswered::Unanswered;

pub(super) const ROOM: usize = 4000;

pub(super) fn ask<T: Send>(
    _: &Terminal,
    _: bool,
    question: impl FnOnce(&Term) -> dialoguer::Result<T> + Send,
) -> Result<T, Unanswered> {
    let term = Term::stderr();
    question(&term).map_err(|dialoguer::Error::IO(error)| {
        let _ = term.show_cursor();
        error.into()
    })
}
