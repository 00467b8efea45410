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
    #[error("could not read from the terminal")]
    Read(#[source] io::Error),
}

/// An attempt without a valid answer.
pub(super) enum Unanswered {
    Interrupted,
    Ended,
    Lines,
    TooLong,
    /// Invalid UTF-8, or a control character.
    Unreadable,
    Failed(io::Error),
}

impl<E: Into<io::Error>> From<E> for Unanswered {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.kind() {
            io::ErrorKind::Interrupted => Self::Interrupted,
            io::ErrorKind::InvalidData => Self::Unreadable,
            _ => Self::Failed(error),
        }
    }
}
