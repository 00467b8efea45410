//! Questions where there is no Unix terminal: the console is put into raw mode key by key there, and never echoes between.

use console::Term;

use super::tty::Terminal;
use super::unanswered::Unanswered;

/// As many bytes as on Unix.
pub(super) const ROOM: usize = 4000;

pub(super) fn ask<T: Send>(
    _: &Terminal,
    _: bool,
    question: impl FnOnce(&Term) -> dialoguer::Result<T> + Send,
) -> Result<T, Unanswered> {
    let term = Term::stderr();
    question(&term).map_err(|dialoguer::Error::IO(error)| {
        // Best effort: whoever cannot be written to sees no cursor either.
        let _ = term.show_cursor();
        error.into()
    })
}
