//! The end of the flow: the `Outcome` of the contract.

use serde::Serialize;

use super::step::Step;
use crate::error::{Exit, Failure};
use crate::session::reading::Extent;
use crate::session::status::Status;
use crate::session::{Document, Session};
use crate::terminal::{Next, OutputFormat};

/// The end of a flow. An error before the write is not an end: it leaves the deployment unchanged.
#[derive(Debug)]
pub enum Ended {
    Succeeded,
    /// The dry run passed, but the record, which the next step requires, couldn't be written.
    Unrecorded(Failure),
    /// The operator reports a failure, or the change was overwritten or deleted.
    Failed(Failure),
    TimedOut(Failure),
    Interrupted,
    NotWaited,
    /// Nothing to do, or nothing written.
    Unchanged,
}

impl Ended {
    /// `verdict` of the contract.
    const fn verdict(&self) -> &'static str {
        match self {
            Self::Succeeded | Self::Unrecorded(_) => "succeeded",
            Self::Failed(_) => "failed",
            Self::TimedOut(_) => "timed-out",
            Self::Interrupted => "interrupted",
            Self::NotWaited => "not-waited",
            Self::Unchanged => "unchanged",
        }
    }

    fn result(self) -> Result<Exit, Failure> {
        match self {
            Self::Succeeded | Self::NotWaited | Self::Unchanged => Ok(Exit::Done),
            Self::Unrecorded(failure) | Self::Failed(failure) | Self::TimedOut(failure) => Err(failure),
            Self::Interrupted => Err(Failure::told(Exit::Interrupted)),
        }
    }
}

/// The outcome of a writing command.
#[derive(Debug)]
pub struct Outcome {
    step: Step,
    /// `write` of the contract; `None` without an attempt.
    pub write: Option<&'static str>,
    pub message: Option<String>,
    pub record_file: Option<String>,
    /// The next step after a success; printed last.
    pub next: Option<Next>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contents<'a> {
    command: &'a str,
    namespace: &'a str,
    name: &'a str,
    write: &'a str,
    verdict: &'a str,
    message: Option<String>,
    record_file: Option<&'a str>,
    status: Status,
}

impl Outcome {
    pub const fn new(step: Step) -> Self {
        Self { step, write: None, message: None, record_file: None, next: None }
    }

    pub fn nothing_to_do(&mut self, session: &Session, why: &'static str) -> Ended {
        session.ui().status(why);
        self.message = Some(why.to_owned());
        Ended::Unchanged
    }

    /// Ends a command. Prints the outcome with `-o json` and `-o yaml`, also after an error.
    pub async fn finish(
        self,
        session: &mut Session,
        format: OutputFormat,
        ended: Result<Ended, Failure>,
    ) -> Result<Exit, Failure> {
        let verdict = ended.as_ref().map_or("unchanged", Ended::verdict);
        let seen = matches!(ended, Ok(Ended::Succeeded | Ended::Unrecorded(_)));
        let result = match ended {
            Ok(ended) => ended.result(),
            // The error doesn't mention the write, so state that it was not made.
            Err(mut failure) if self.write.is_none() && failure.error.is_some() && failure.exit == Exit::Failed => {
                failure.next.insert(0, Next::new(format!("ElementDeployment {} was not changed.", session.place())));
                Err(failure)
            }
            Err(failure) => Err(failure),
        };
        if !format.is_data() {
            return result;
        }
        // The current state, else the last one that was read. A verdict already has its state.
        if !seen {
            let _ = session.reread().await;
        }
        let snapshot = session.gather(Extent::Status).await;
        let failure = result.as_ref().err().and_then(Failure::message);
        session.ui().data(
            format,
            &Document::new(
                "Outcome",
                Contents {
                    command: if self.step.goes_back() { Step::Abort } else { self.step }.command(),
                    namespace: &session.target.namespace,
                    name: &session.target.name,
                    write: self.write.unwrap_or("none"),
                    verdict,
                    message: self.message.or(failure),
                    record_file: self.record_file.as_deref(),
                    status: Status::of(&snapshot, |command| session.command(command)),
                },
            ),
        )?;
        result
    }
}
