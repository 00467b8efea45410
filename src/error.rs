//! Exit codes, and errors with the next steps.

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
    /// Wrong usage, or a prompt is needed and there is no terminal.
    Usage = 2,
    /// Blocked by findings; nothing was changed.
    Blocked = 10,
    /// Warnings only, or warnings that a script didn't accept.
    Warnings = 11,
    /// Timed out; the cluster continues.
    TimedOut = 124,
    /// Interrupted; the cluster continues.
    Interrupted = 130,
}

impl Exit {
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A failed command: the exit code, the error, and the next steps. [`Ui::error`](crate::terminal::Ui::error) prints it.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// What happened; `None` if it has been printed already.
    pub error: Option<Box<dyn Error + Send + Sync>>,
    pub next: Vec<Next>,
}

impl Failure {
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, error: Some(sentence.into().into()), next: Vec::new() }
    }

    /// A failure that has been printed already.
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

    #[must_use]
    pub fn advise(mut self, words: impl Into<Line>) -> Self {
        self.next.push(Next::new(words));
        self
    }

    #[must_use]
    pub fn then(mut self, words: impl Into<Line>, command: impl Into<String>) -> Self {
        self.next.push(Next::new(words).command(command));
        self
    }

    /// Like [`Self::then`], with a command of this program that [`Self::complete`] completes.
    #[must_use]
    pub fn suggest(mut self, words: impl Into<Line>, command: impl Into<String>) -> Self {
        self.next.push(Next::new(words).short_command(command));
        self
    }

    /// Adds the name and the flags of this call to the suggested commands.
    #[must_use]
    pub fn complete(mut self, whole: impl Fn(&str) -> String) -> Self {
        self.next = self.next.into_iter().map(|next| next.complete(&whole)).collect();
        self
    }

    /// Whether the API server responded with `403 Forbidden`.
    pub fn is_forbidden(&self) -> bool {
        let error = self.error.as_ref().and_then(|error| error.downcast_ref::<ClusterError>());
        error.is_some_and(ClusterError::is_forbidden)
    }

    /// The error message, for `-o json`.
    pub fn message(&self) -> Option<String> {
        self.error.as_ref().map(ToString::to_string)
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        // An unusable kubeconfig is not wrong usage; kubectl exits with 1 as well.
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
    /// A prompt without an answer; `flag` is the alternative for scripts.
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
            PromptError::Read(_) | PromptError::Refused(_) => {
                Self { exit: Exit::Failed, error: Some(Box::new(error)), next: Vec::new() }
            }
        }
    }
}
