//! The confirmation before a write, and its preconditions as types: an activation requires a dry run, a statement about the
//! backup, and a confirmation.

use serde_json::{Value, json};

use super::step::{Request, Step};
use crate::checks::backup::statement::names_no_backup;
use crate::checks::{DryRunPassed, Snapshot};
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::plan::{Change, Plan};
use crate::session::Session;
use crate::terminal::prompt::{PromptError, Typed};
use crate::terminal::{Verbosity, diff};

/// The approval for the next attempt, and the one that was used for a write.
#[derive(Default)]
pub struct Approvals {
    /// Kept for the next attempt after a conflict.
    approved: Option<Approved>,
    /// Whether a person has to be asked again.
    expired: bool,
    pub written: Option<Approved>,
}

/// The state before the first write, for messages.
pub const NOTHING_CHANGED: &str = "nothing was changed";

impl Approvals {
    /// Keeps the approval of a write that met a conflict.
    pub fn keep(&mut self, approved: Approved) {
        (self.approved, self.expired) = (Some(approved), false);
    }

    /// The kept approval is old, or the findings have changed. It still shows which changes others made.
    pub fn expire(&mut self) {
        self.expired = true;
    }

    /// For a change that exists already.
    pub fn forget(&mut self) {
        self.approved = None;
    }

    /// After a conflict: if another client changed more than the status since the confirmation, the change is shown again, and
    /// refused in a script.
    pub fn refuse_other_changes(&mut self, session: &Session, request: &Request) -> Result<(), Failure> {
        let now = &session.deployment;
        let accepted = |earlier: &Approved| {
            // A rollback that is there already may be an earlier write of this program that arrived late.
            let arrived = request.step.goes_back() && earlier.plan.is_in(now.object());
            arrived || earlier.plan.before.differs_only_in_status(now)
        };
        if self.approved.as_ref().is_none_or(accepted) {
            return Ok(());
        }
        self.approved = None;
        let by = now.active_written_by();
        let by = by.map_or_else(String::new, |(manager, _)| format!(" (field manager {manager})"));
        let text = format!("another client{by} changed ElementDeployment {} in the meantime", session.place());
        if request.is_script {
            return Err(Failure::failed(text).suggest("Check the status, then run the command again:", "status"));
        }
        session.ui().warning(text + "; nothing was written");
        Ok(())
    }

    /// Shows the write, with the object after it (`answer`), and asks for confirmation, unless the same write is approved
    /// already. `None` is a preview.
    pub fn obtain(
        &mut self,
        session: &Session,
        request: &Request,
        seen: &Snapshot,
        plan: Plan,
        answer: &Deployment,
        downtime: &[String],
    ) -> Result<Option<Approved>, Failure> {
        let earlier = self.approved.take();
        let still = earlier.filter(|earlier| !self.expired && earlier.plan.before.differs_only_in_status(&plan.before));
        if let Some(go) = still.and_then(|earlier| earlier.reused(plan.clone())) {
            return Ok(Some(go));
        }
        if let Some(go) = self.written.as_ref().and_then(|written| written.another_reconcile(plan.clone())) {
            // Confirmed already, and the user may have left the terminal.
            let words = "The operator's reconcile of the change was not observed; requesting another one.";
            session.ui().status(words);
            show(session, request, &plan, answer);
            return Ok(Some(go));
        }
        let hidden = session.ui().verbosity == Verbosity::Quiet && request.is_script;
        if request.preview || !hidden {
            show(session, request, &plan, answer);
        }
        if request.preview {
            session.ui().status("This is a preview; nothing was written.");
            return Ok(None);
        }
        // A second question of the same command can follow a write.
        let changed = if self.written.is_some() { "nothing more was changed" } else { NOTHING_CHANGED };
        approve(session, request, seen, plan, downtime, changed).map(Some)
    }
}

fn show(session: &Session, request: &Request, plan: &Plan, answer: &Deployment) {
    let (ui, before) = (session.ui(), &plan.before);
    let spec = |deployment: &Deployment| json!({"spec": deployment.spec()});
    let metadata = |deployment: &Deployment| match &deployment.object()["metadata"]["annotations"] {
        Value::Null => json!({"metadata": {"annotations": {}}}),
        annotations => json!({"metadata": {"annotations": annotations}}),
    };
    ui.say_under("Change to the ElementDeployment:", 0);
    // No field of the spec contains a secret.
    ui.changes(&diff::changes(&spec(before), &spec(answer)));
    // The manifest owner changes only the spec.
    if !request.via_owner {
        ui.changes(&diff::changes(&metadata(before), &metadata(answer)));
    }
}

fn approve(
    session: &Session,
    request: &Request,
    seen: &Snapshot,
    plan: Plan,
    downtime: &[String],
    changed: &str,
) -> Result<Approved, Failure> {
    let question = match request.step {
        _ if matches!(plan.change, Change::RequestReconcile(_)) => {
            "The change was made, but the operator's reconcile of it was not observed. This requests another one. Continue?"
        }
        Step::Activate => return approve_activation(session, request, seen, plan, downtime),
        Step::DryRun => {
            "Users don't notice this. The operator starts MAS and does a dry run of the migration. Continue?"
        }
        Step::Abort => "This sets active back to false; the operator starts Synapse as before. Continue?",
        Step::Remove => {
            "This removes the MAS component; the operator deletes MAS. Its Secret and database remain. Continue?"
        }
    };
    Ok(Approved::reversible(plan, Confirmed::by_yes(session, request.yes, question, changed)?))
}

fn approve_activation(
    session: &Session,
    request: &Request,
    seen: &Snapshot,
    plan: Plan,
    downtime: &[String],
) -> Result<Approved, Failure> {
    let Some(dry_run_passed) = DryRunPassed::check(seen) else {
        return Err(Failure::new(
            Exit::Blocked,
            "no dry run has passed for the current spec and Secret; nothing was changed",
        ));
    };
    let ui = session.ui();
    let unattended = !ui.terminal.can_ask();
    if unattended && (request.confirm.is_none() || request.backup.is_none()) {
        let also = if request.yes { "; --yes is not sufficient" } else { "" };
        return Err(Failure::usage(format!(
            "the activation requires confirmation and there is no terminal to ask on; pass --confirm {} and --backup \"WHERE IT IS\"{also}",
            session.target.name
        )));
    }
    // Printed before a prompt also with `-q`.
    let say = |text: &str| if unattended { ui.status(text) } else { ui.say_under(text, 2) };
    say("");
    say("This starts the migration:");
    for line in downtime {
        say(&format!("  {line}"));
    }
    say("  The operator copies all accounts and logins to MAS, then starts the components with MAS.");
    say("  After it succeeds, the only way back is to restore both databases from a backup.");
    let backup = BackupStated::ask(session, request.backup.as_deref())?;
    let confirmed = NameTyped::ask(session, request.confirm.as_deref())?;
    Ok(Approved::activation(plan, dry_run_passed, backup, confirmed))
}

/// Proof of a confirmation.
pub struct Confirmed(());

/// Proof that the deployment's name was typed or given.
struct NameTyped(());

#[derive(Debug, Clone)]
pub struct BackupStated(String);

#[derive(Debug, Clone)]
pub struct Approved {
    plan: Plan,
    backup: Option<BackupStated>,
}

impl Confirmed {
    /// Asks, unless `--yes` is given. A "no" exits with 1, so that `a && b` stops. `changed` says what was changed so far.
    pub fn by_yes(session: &Session, yes: bool, question: &str, changed: &str) -> Result<Self, Failure> {
        match if yes { Ok(true) } else { session.ui().confirm(question) } {
            Ok(true) => Ok(Self(())),
            Ok(false) => Err(refused(session, "not confirmed", changed)),
            Err(error) => Err(Failure::unanswered(error, "--yes")),
        }
    }
}

/// Prints a warning, also with `-q`: a "no" is not an error.
fn refused(session: &Session, why: &str, changed: &str) -> Failure {
    session.ui().warning(format!("{why}; {changed}"));
    Failure::told(Exit::Failed)
}

impl NameTyped {
    /// Checks `--confirm NAME`, or asks for the name.
    fn ask(session: &Session, given: Option<&str>) -> Result<Self, Failure> {
        let name = &session.target.name;
        match given {
            Some(given) if given == name => Ok(Self(())),
            Some(given) => Err(Failure::usage(format!(
                "--confirm is {given:?}, but the deployment is {name}; nothing was changed"
            ))),
            None => match session.ui().typed("Type the deployment name to start the migration:", name) {
                Ok(Typed::Right) => Ok(Self(())),
                Ok(Typed::Nothing) => Err(refused(session, "not confirmed", NOTHING_CHANGED)),
                Ok(Typed::Wrong) => {
                    Err(refused(session, &format!("{name} was not typed in three attempts"), NOTHING_CHANGED))
                }
                Err(error) => Err(Failure::unanswered(error, &format!("--confirm {name}"))),
            },
        }
    }
}

impl BackupStated {
    /// Checks `--backup`, or asks for the statement.
    fn ask(session: &Session, given: Option<&str>) -> Result<Self, Failure> {
        let read = |text: &str| {
            let text = text.trim();
            if text.chars().count() < 4 || names_no_backup(text) {
                return Err("Describe where the backup is, so that others can find it.".to_owned());
            }
            Ok(text.to_owned())
        };
        if let Some(text) = given {
            let refused = |_| Failure::usage("--backup must say where the backup is; nothing was changed");
            return read(text).map(Self).map_err(refused);
        }
        session.ui().text("Where is the backup of both databases?", None, read).map(Self).map_err(|error| match error {
            PromptError::Ended => {
                Failure::new(Exit::Interrupted, "the activation requires a backup; nothing was changed")
            }
            error => Failure::unanswered(error, "--backup \"WHERE IT IS\""),
        })
    }
}

impl Approved {
    /// Approves a write that can be rolled back: everything but the activation.
    fn reversible(plan: Plan, _: Confirmed) -> Self {
        assert!(plan.change != Change::Activate, "an activation needs more proofs");
        Self { plan, backup: None }
    }

    fn activation(plan: Plan, _: DryRunPassed, backup: BackupStated, _: NameTyped) -> Self {
        Self { plan, backup: Some(backup) }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn backup(&self) -> Option<&str> {
        self.backup.as_ref().map(|backup| backup.0.as_str())
    }

    /// Approves a request for another reconcile of an approved write, because none was observed.
    fn another_reconcile(&self, plan: Plan) -> Option<Self> {
        let requests = matches!(plan.change, Change::RequestDryRun(_) | Change::RequestReconcile(_));
        (requests && self.plan.change != Change::Activate).then_some(Self { plan, backup: None })
    }

    /// The approval for the same write on a newer state of the deployment.
    fn reused(self, plan: Plan) -> Option<Self> {
        (plan.change == self.plan.change).then_some(Self { plan, ..self })
    }
}
