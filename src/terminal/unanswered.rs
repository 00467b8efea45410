//! Why a question got no answer.

use std::io;

/// A question that got no answer. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Stdin or stderr is no terminal. The caller names the flag that answers the question (exit code 2).
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Ctrl-C, or the terminal went away (exit code 130). The terminal is as it was before.
    #[error("interrupted")]
    Interrupted,
    /// Ctrl-D where "no" would be no answer (exit code 130).
    #[error("the prompt was left unanswered")]
    Ended,
    #[error("could not read from the terminal")]
    Read(#[source] io::Error),
}

/// One try at a question that came to nothing.
pub(super) enum Unanswered {
    Interrupted,
    Ended,
    Lines,
    TooLong,
    /// Bytes that are no UTF-8, or a control character.
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
