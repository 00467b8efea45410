//! What must be there before a write is sent, as types: nobody can send an activation without all four.

use super::exit::{Failure, INTERRUPTED, USAGE};
use super::session::Session;
use crate::checks::Rehearsed;
use crate::plan::{Change, Plan};
use crate::terminal::prompt::PromptError;

/// A person, or a script that said so, wants this write.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed(());

/// A sentence that says where the backup is.
#[derive(Debug, Clone)]
pub struct BackupStated(String);

/// A write that may be sent.
#[derive(Debug, Clone)]
pub struct Approved {
    plan: Plan,
    backup: Option<BackupStated>,
}

impl Confirmed {
    /// `--yes`, or a question answered with yes. `None` is a no.
    pub fn by_yes(session: &Session, yes: bool, question: &str) -> Result<Option<Self>, Failure> {
        if yes {
            return Ok(Some(Self(())));
        }
        match session.ui().confirm(question) {
            Ok(true) => Ok(Some(Self(()))),
            Ok(false) => Ok(None),
            Err(error) => Err(Failure::unanswered(error, "--yes")),
        }
    }

    /// `--confirm NAME`, or the name typed. `None` is a no.
    pub fn by_name(session: &Session, given: Option<&str>) -> Result<Option<Self>, Failure> {
        let name = &session.target.name;
        match given {
            Some(given) if given == name => Ok(Some(Self(()))),
            Some(given) => Err(Failure::new(
                USAGE,
                format!("--confirm says {given:?}, but the deployment is {name}; nothing was changed"),
            )),
            None => match session.ui().typed("Type the deployment's name to migrate it:", name) {
                Ok(true) => Ok(Some(Self(()))),
                Ok(false) => Ok(None),
                Err(error) => Err(Failure::unanswered(error, &format!("--confirm {name}"))),
            },
        }
    }
}

impl BackupStated {
    /// `--backup`, or the answer to the question.
    pub fn ask(session: &Session, given: Option<&str>) -> Result<Self, Failure> {
        let read = |text: &str| {
            let text = text.trim();
            if text.chars().count() < 4 {
                return Err("Say in a few words where the backup is, so that others find it too.".to_owned());
            }
            Ok(text.to_owned())
        };
        match given {
            Some(text) => read(text)
                .map(Self)
                .map_err(|_| Failure::usage("--backup must say where the backup is; nothing was changed")),
            None => {
                session.ui().text("Where is the backup of both databases?", None, read).map(Self).map_err(|error| {
                    match error {
                        PromptError::Ended => {
                            Failure::new(INTERRUPTED, "without a backup nothing is migrated; nothing was changed")
                        }
                        error => Failure::unanswered(error, "--backup \"WHERE IT IS\""),
                    }
                })
            }
        }
    }

    /// The sentence.
    pub fn statement(&self) -> &str {
        &self.0
    }
}

impl Approved {
    /// A write that can be taken back: everything but the activation.
    pub fn reversible(plan: Plan, _: Confirmed) -> Option<Self> {
        (*plan.change() != Change::Activate).then_some(Self { plan, backup: None })
    }

    /// The activation.
    pub fn activation(plan: Plan, _: Rehearsed, backup: BackupStated, _: Confirmed) -> Self {
        Self { plan, backup: Some(backup) }
    }

    /// What is to be written.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where the backup is, for an activation.
    pub fn backup(&self) -> Option<&str> {
        self.backup.as_ref().map(BackupStated::statement)
    }

    /// Another run on what was written with this approval, because the one that it started was not seen for sure.
    pub fn another_run(&self, plan: Plan) -> Option<Self> {
        let asks = matches!(plan.change(), Change::AskForRehearsal(_) | Change::AskForRun(_));
        (asks && *self.plan.change() != Change::Activate).then_some(Self { plan, backup: None })
    }

    /// The same write for a state of the deployment in which only the status moved.
    #[must_use]
    pub fn again(self, plan: Plan) -> Option<Self> {
        (plan.change() == self.plan.change()).then_some(Self { plan, ..self })
    }
}
