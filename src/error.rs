//! How a command ends: exit codes, and errors with what to do next.

use std::error::Error;

use crate::cluster::{ClusterError, ErrorKind};
use crate::terminal::prompt::PromptError;
use crate::terminal::{Line, Next, OutputError};

/// The exit codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// The API server refused, or the operator reported failure.
    Failed = 1,
    /// Wrong usage, or an answer is needed and there is no terminal to ask on.
    Usage = 2,
    /// Blocked by findings; nothing was changed.
    Blocked = 10,
    /// Warnings only, or warnings that a script did not accept.
    Warnings = 11,
    /// Gave up waiting; the cluster goes on working.
    TimedOut = 124,
    /// Interrupted; the cluster goes on working.
    Interrupted = 130,
}

impl Exit {
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A command that could not do its work: the exit code, the error, and what to do next. The one place where errors
/// become text is [`Ui::error`](crate::terminal::Ui::error).
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// What happened; `None` when everything has been said already.
    pub error: Option<Box<dyn Error + Send + Sync>>,
    pub next: Vec<Next>,
}

impl Failure {
    /// With a sentence of our own.
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, error: Some(sentence.into().into()), next: Vec::new() }
    }

    /// An ending that has been told already.
    pub fn told(exit: Exit) -> Self {
        Self { exit, error: None, next: Vec::new() }
    }

    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    /// The API server refused, or the operator reported failure.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Failed, sentence)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn advise(mut self, words: impl Into<Line>) -> Self {
        self.next.push(Next::new(words));
        self
    }

    /// Adds what to do next, with the command for it.
    #[must_use]
    pub fn then(mut self, words: impl Into<Line>, command: impl Into<String>) -> Self {
        self.next.push(Next::new(words).command(command));
        self
    }

    /// Whether the API server said that the caller may not do this.
    pub fn is_forbidden(&self) -> bool {
        let error = self.error.as_ref().and_then(|error| error.downcast_ref::<ClusterError>());
        error.is_some_and(ClusterError::is_forbidden)
    }

    /// The sentence, for `-o json`.
    pub fn message(&self) -> Option<String> {
        self.error.as_ref().map(ToString::to_string)
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        // A kubeconfig that cannot be used is no wrong usage; kubectl ends with 1 as well.
        let exit = if matches!(error.kind(), ErrorKind::Flag { .. }) { Exit::Usage } else { Exit::Failed };
        let next = error.hints().into_iter().map(Next::new).collect();
        Self { exit, error: Some(Box::new(error)), next }
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self { exit: Exit::Failed, error: Some(Box::new(error)), next: Vec::new() }
    }
}

impl Failure {
    /// A question without an answer; `flag` is what a script passes instead.
    pub fn unanswered(error: PromptError, flag: &str) -> Self {
        match error {
            PromptError::NoTerminal => {
                Self::usage(format!("an answer is needed and there is no terminal to ask on; pass {flag}"))
            }
            PromptError::Interrupted => Self::new(Exit::Interrupted, "interrupted; nothing was changed"),
            PromptError::Ended => Self::new(
                Exit::Interrupted,
                format!("the question was left unanswered; nothing was changed. In scripts pass {flag}"),
            ),
            PromptError::Read(_) => Self { exit: Exit::Failed, error: Some(Box::new(error)), next: Vec::new() },
        }
    }
}
