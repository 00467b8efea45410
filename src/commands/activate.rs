//! `activate`: the step that only a backup undoes.

use std::borrow::Cow;
use std::time::Duration;

use super::approve::{Approved, BackupStated, Confirmed};
use super::exit::{BLOCKED, Failure};
use super::follow::Words;
use super::outcome::Outcome;
use super::session::{Context, Session};
use super::task::{Flags, Task};
use super::{backup_file, downtime, outside, pending};
use crate::checks::{Finding, Rehearsed, Snapshot, Step, backup};
use crate::cli::ActivateArgs;
use crate::deployment::Deployment;
use crate::plan::{MasSettings, Plan};
use crate::reconcile::{Baseline, Carried};
use crate::stages::Times;

const WORDS: Words = Words {
    command: "activate",
    doing: "migrating; users are locked out meanwhile",
    goes_on: "the operator goes on migrating, and users stay logged out until it is done",
};

const DONE_ALREADY: &str = "The migration is done already: mas_active is true.";

/// Whether nothing is left to do. `mas_active` turns true a moment before the run ends, and the run may still fail.
fn is_done(deployment: &Deployment) -> bool {
    let conditions = deployment.conditions();
    deployment.mas_active() == Some(true)
        && deployment.active() == Some(true)
        && conditions.successful() == Some(true)
        && conditions.failure().is_none()
        && conditions.available() != Some(false)
}

struct Activate<'a> {
    args: &'a ActivateArgs,
    /// What is to be said of the dumps that were named.
    backup: Vec<Finding>,
    /// How long Synapse's pods take, where that was to be seen.
    times: Option<Times>,
}

pub async fn exec(context: &Context, args: &ActivateArgs) -> Result<u8, Failure> {
    let dumps = backup_file::look(&args.backup_file)?;
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let outcome = Outcome::new(WORDS.command);
    // Once the switch is on, nothing is asked any more.
    let asks = session.deployment.active() != Some(true);
    let times = if asks { downtime::times(&session).await } else { None };
    let task = Activate { args, backup: backup::check(&dumps, session.ui().terminal().now()), times };
    let flags =
        Flags { write: &args.write, follow: &args.follow, via_owner: args.via_owner, timeout: Duration::from_mins(90) };
    outside::around(&mut session, &task, &flags, outcome, args.output.format()).await
}

impl Task for Activate<'_> {
    fn words(&self) -> Words {
        WORDS
    }

    fn step(&self) -> Step {
        Step::Activate
    }

    fn reached(&self, snapshot: &Snapshot) -> Option<String> {
        is_done(&snapshot.deployment).then(|| DONE_ALREADY.to_owned())
    }

    fn reached_by(&self, deployment: &Deployment) -> Option<String> {
        is_done(deployment).then(|| DONE_ALREADY.to_owned())
    }

    fn settings<'a>(&self, snapshot: &'a Snapshot) -> Option<Cow<'a, MasSettings>> {
        snapshot.settings.as_ref().map(Cow::Borrowed)
    }

    fn resume(&self, snapshot: &Snapshot) -> Option<Baseline> {
        if snapshot.deployment.active() != Some(true) {
            return None;
        }
        let recorded = pending::recorded_baseline(snapshot, WORDS.command);
        Some(recorded.unwrap_or_else(|| pending::present_baseline(snapshot, Carried::Active(true))))
    }

    fn waits(&self, _: &Snapshot) -> bool {
        true
    }

    fn plan(&self, snapshot: &Snapshot) -> Result<Plan, Failure> {
        Ok(Plan::activate(&snapshot.deployment))
    }

    fn tolerates_more(&self) -> bool {
        false
    }

    fn approve(&self, session: &Session, snapshot: &Snapshot, plan: Plan) -> Result<Option<Approved>, Failure> {
        let Some(rehearsed) = Rehearsed::check(snapshot) else {
            return Err(Failure::new(BLOCKED, "no dry run has passed for what is there now; nothing was changed"));
        };
        let ui = session.ui();
        let script = !ui.terminal().can_ask();
        if script && (self.args.confirm.is_none() || self.args.backup.is_none()) {
            let also = if self.args.yes { "; --yes is not enough for this step" } else { "" };
            return Err(Failure::usage(format!(
                "the migration has to be confirmed and there is no terminal to ask on; pass --confirm {} and --backup \"WHERE IT IS\"{also}",
                session.target.name
            )));
        }
        // Whoever is asked must have read it, also with `-q`.
        let say = |text: &str| if script { ui.status(text) } else { ui.say_under(text, 2) };
        say("");
        say("This migrates for good:");
        for line in downtime::lines(snapshot, self.times) {
            say(&format!("  {line}"));
        }
        say("  All accounts and logins are copied to MAS; then everything starts again with MAS.");
        say("  After it has succeeded there is no way back but restoring both databases from a backup.");
        let backup = BackupStated::ask(session, self.args.backup.as_deref())?;
        let confirmed = Confirmed::by_name(session, self.args.confirm.as_deref())?;
        Ok(confirmed.map(|confirmed| Approved::activation(plan, rehearsed, backup, confirmed)))
    }

    fn is_script(&self, session: &Session) -> bool {
        self.args.confirm.is_some() || !session.ui().terminal().can_ask()
    }

    fn history(&self) -> String {
        "activate: the switch turned on".to_owned()
    }

    fn given(&self) -> Vec<Finding> {
        self.backup.clone()
    }
}
