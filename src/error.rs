//! How a command ends: exit codes, and errors with what to do next.

use std::error::Error;

use crate::cluster::{ClusterError, ErrorKind};
use crate::terminal::prompt::PromptError;
use crate::terminal::{Next, OutputError};

pub const DONE: u8 = 0;
/// The API server refused, or the operator reported failure.
pub const FAILED: u8 = 1;
/// Wrong usage, or an answer is needed and there is no terminal to ask on.
pub const USAGE: u8 = 2;
/// Blocked by findings; nothing was changed.
pub const BLOCKED: u8 = 10;
/// Warnings only, or warnings that a script did not accept.
pub const WARNINGS: u8 = 11;
/// Gave up waiting; the cluster goes on working.
pub const TIMED_OUT: u8 = 124;
/// Interrupted; the cluster goes on working.
pub const INTERRUPTED: u8 = 130;

/// A command that could not do its work: the exit code, the error, and what to do next. The one place where errors
/// become text is [`Ui::error`](crate::terminal::Ui::error).
#[derive(Debug)]
pub struct Failure {
    pub code: u8,
    /// What happened; `None` when everything has been said already.
    pub error: Option<Box<dyn Error + Send + Sync>>,
    pub next: Vec<Next>,
}

impl Failure {
    /// With a sentence of our own.
    pub fn new(code: u8, sentence: impl Into<String>) -> Self {
        Self { code, error: Some(sentence.into().into()), next: Vec::new() }
    }

    /// An ending that has been told already.
    pub fn told(code: u8) -> Self {
        Self { code, error: None, next: Vec::new() }
    }

    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::new(USAGE, sentence)
    }

    #[must_use]
    pub fn next(mut self, next: Next) -> Self {
        self.next.push(next);
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
        let code = if matches!(error.kind(), ErrorKind::Flag { .. }) { USAGE } else { FAILED };
        let next = error.hints().into_iter().map(Next::new).collect();
        Self { code, error: Some(Box::new(error)), next }
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self { code: FAILED, error: Some(Box::new(error)), next: Vec::new() }
    }
}

impl Failure {
    /// A question without an answer; `flag` is what a script passes instead.
    pub fn unanswered(error: PromptError, flag: &str) -> Self {
        match error {
            PromptError::NoTerminal => {
                Self::usage(format!("an answer is needed and there is no terminal to ask on; pass {flag}"))
            }
            PromptError::Interrupted => Self::new(INTERRUPTED, "interrupted; nothing was changed"),
            PromptError::Ended => Self::new(
                INTERRUPTED,
                format!("the question was left unanswered; nothing was changed. In scripts pass {flag}"),
            ),
            PromptError::Read(_) => Self { code: FAILED, error: Some(Box::new(error)), next: Vec::new() },
        }
    }
}
