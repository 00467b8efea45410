//! The `Outcome` of the contract: what became of a write, and of the operator's answer to it.

use serde::Serialize;

use super::Step;
use crate::error::{Exit, Failure};
use crate::session::Session;
use crate::session::snapshot::Extent;
use crate::session::status::Status;
use crate::terminal::{Next, OutputFormat};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    Applied,
    /// It was tried and is not stored.
    NotApplied,
    /// It could not be found out.
    Unknown,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Succeeded,
    /// It reports a failure, or cannot do it any more.
    Failed,
    /// It has not answered within the time-out.
    TimedOut,
    /// The program was interrupted while waiting.
    Interrupted,
    NotWaited,
    /// There was nothing to do, or nothing was written.
    Unchanged,
}

/// What a writing command has to tell in the end.
#[derive(Debug)]
pub struct Outcome {
    step: Step,
    pub write: Written,
    pub verdict: Answer,
    pub message: Option<String>,
    pub record_file: Option<String>,
    /// What to do after a success; told when everything else has been.
    pub next: Option<Next>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'a str,
    kind: &'a str,
    command: &'a str,
    namespace: &'a str,
    name: &'a str,
    write: Written,
    verdict: Answer,
    message: Option<String>,
    record_file: Option<&'a str>,
    status: Status,
}

impl Outcome {
    pub fn new(step: Step) -> Self {
        Self { step, write: Written::None, verdict: Answer::Unchanged, message: None, record_file: None, next: None }
    }

    /// Ends a command that finds its goal reached.
    pub fn nothing_to_do(&mut self, session: &Session, why: &'static str) -> Exit {
        session.ui().status(why);
        self.message = Some(why.to_owned());
        Exit::Done
    }

    /// Ends a command: prints the outcome where data was asked for, also when it failed.
    pub async fn finish(
        self,
        session: &mut Session,
        format: OutputFormat,
        result: Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let untouched = matches!(self.write, Written::None) && self.verdict == Answer::Unchanged;
        let result = result.map_err(|failure| match failure.error {
            // An error before the write says nothing of the write; the person asks first of all whether it was made.
            Some(_) if untouched && failure.exit == Exit::Failed => Failure {
                next: std::iter::once(Next::new(format!("ElementDeployment {} was not changed.", session.place())))
                    .chain(failure.next)
                    .collect(),
                ..failure
            },
            _ => failure,
        });
        if !format.is_data() {
            return result;
        }
        // The state after everything; if it cannot be read now, the one that was read last. A verdict was seen with its state.
        if self.verdict != Answer::Succeeded {
            let _ = session.reread().await;
        }
        let snapshot = session.gather(Extent::Standing).await;
        let failure = result.as_ref().err().and_then(Failure::message);
        session.ui().data(
            format,
            &Document {
                api_version: "ess-mas/v1",
                kind: "Outcome",
                command: if self.step.goes_back() { Step::Abort } else { self.step }.command(),
                namespace: &session.target.namespace,
                name: &session.target.name,
                write: self.write,
                verdict: self.verdict,
                message: self.message.or(failure),
                record_file: self.record_file.as_deref(),
                status: Status::of(&snapshot, |command| session.command(command)),
            },
        )?;
        result
    }
}
