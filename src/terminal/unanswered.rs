//! Why a prompt got no answer.

use std::io;

/// A prompt without an answer. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Stdin or stderr is no terminal. The caller names the flag to use instead (exit code 2).
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Ctrl-C, or the terminal was closed (exit code 130). The terminal has been restored.
    #[error("interrupted")]
    Interrupted,
    /// Ctrl-D at a prompt that "no" doesn't answer (exit code 130).
    #[error("the prompt was left unanswered")]
    Ended,
    /// An unusable answer, which is asked for again: a silently shortened password would lock users out later.
    #[error("{0} It was discarded.")]
    Refused(&'static str),
    #[error("could not read from the terminal")]
    Read(#[source] io::Error),
}

#[cfg(unix)]
pub(super) const LINES: PromptError = PromptError::Refused("The answer has more than one line.");
pub(super) const UNREADABLE: PromptError =
    PromptError::Refused("The answer contains a tab, a control character, or invalid UTF-8.");

impl<E: Into<io::Error>> From<E> for PromptError {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.kind() {
            io::ErrorKind::Interrupted => Self::Interrupted,
            io::ErrorKind::InvalidData => UNREADABLE,
            _ => Self::Read(error),
        }
    }
}
