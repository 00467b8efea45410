//! How the flow ended: the `Outcome` of the contract.

use serde::Serialize;

use super::step::Step;
use crate::error::{Exit, Failure};
use crate::session::reading::Extent;
use crate::session::status::Status;
use crate::session::{Document, Session};
use crate::terminal::{Next, OutputFormat};

/// How a flow ended. An error before anything was followed is no end of its own: it left the deployment as it was.
#[derive(Debug)]
pub enum Ended {
    Succeeded,
    /// It succeeded, and the record, which the next step relies on, does not say so.
    Unrecorded(Failure),
    /// The operator reports a failure, or cannot do it any more.
    Failed(Failure),
    /// The operator has not answered within the time-out.
    TimedOut(Failure),
    Interrupted,
    NotWaited,
    /// There was nothing to do, or nothing was written.
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

/// What a writing command has to tell in the end.
#[derive(Debug)]
pub struct Outcome {
    step: Step,
    /// The name of what became of the write; `None` where none was tried.
    pub write: Option<&'static str>,
    pub message: Option<String>,
    pub record_file: Option<String>,
    /// What to do after a success; told when everything else has been.
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

    /// Ends a command: prints the outcome where data was asked for, also when it failed.
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
            // An error before the write says nothing of the write; the person asks first of all whether it was made.
            Err(mut failure) if self.write.is_none() && failure.error.is_some() && failure.exit == Exit::Failed => {
                failure.next.insert(0, Next::new(format!("ElementDeployment {} was not changed.", session.place())));
                Err(failure)
            }
            Err(failure) => Err(failure),
        };
        if !format.is_data() {
            return result;
        }
        // The state after everything; if it cannot be read now, the one that was read last. A verdict was seen with its state.
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
