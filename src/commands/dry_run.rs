//! `dry-run`: MAS with `active: false`, and the operator's rehearsal of the migration.

use std::borrow::Cow;
use std::time::Duration;

use super::approve::{Approved, Confirmed};
use super::exit::{BLOCKED, Failure};
use super::follow::Words;
use super::outcome::Outcome;
use super::session::{Context, Session};
use super::task::{Flags, Task};
use super::{outside, pending};
use crate::checks::{RehearsalStanding, Snapshot, Step, is_old, standing};
use crate::cli::DryRunArgs;
use crate::deployment::Run;
use crate::plan::{MasSettings, Plan};
use crate::reconcile::Baseline;
use crate::terminal::Next;

const WORDS: Words = Words {
    command: "dry-run",
    doing: "rehearsing the migration",
    goes_on: "the operator goes on rehearsing; users do not notice it",
};

struct DryRun<'a> {
    args: &'a DryRunArgs,
    stamp: String,
}

pub async fn exec(context: &Context, args: &DryRunArgs) -> Result<u8, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let outcome = Outcome::new(WORDS.command);
    let task = DryRun { args, stamp: pending::request_stamp(&session) };
    let flags =
        Flags { write: &args.write, follow: &args.follow, via_owner: args.via_owner, timeout: Duration::from_mins(30) };
    outside::around(&mut session, &task, &flags, outcome, args.output.format()).await
}

impl Task for DryRun<'_> {
    fn words(&self) -> Words {
        WORDS
    }

    fn step(&self) -> Step {
        Step::DryRun
    }

    fn reached(&self, snapshot: &Snapshot) -> Option<String> {
        let deployment = &snapshot.deployment;
        if deployment.mas_active() == Some(true) {
            return Some("The migration is done already; there is nothing to rehearse.".to_owned());
        }
        // A rehearsal on record counts as long as nothing it was about has changed and the operator is content.
        let content = deployment.active() == Some(false) && deployment.conditions().run() == Run::Succeeded;
        (content && standing(snapshot) == RehearsalStanding::Passed && settled(snapshot) && !is_old(snapshot))
            .then(|| "The dry run has passed already, for this very spec and these very secrets.".to_owned())
    }

    fn settings<'a>(&self, snapshot: &'a Snapshot) -> Option<Cow<'a, MasSettings>> {
        wanted(snapshot)
    }

    fn resume(&self, snapshot: &Snapshot) -> Option<Baseline> {
        pending::recorded_baseline(snapshot, WORDS.command).filter(|_| !pending::unproven(snapshot, WORDS.command))
    }

    fn asks_for_a_run(&self) -> bool {
        true
    }

    fn waits(&self, snapshot: &Snapshot) -> bool {
        // While the operator retries a failed rehearsal it hardly ever rests; the write starts a run of its own anyway.
        !(snapshot.deployment.mas().is_some() && snapshot.deployment.conditions().failure().is_some())
    }

    fn plan(&self, snapshot: &Snapshot) -> Result<Plan, Failure> {
        let keys = snapshot.secret_keys();
        let stamp = pending::fresh(&self.stamp, &snapshot.deployment);
        match wanted(snapshot) {
            Some(settings) => Ok(Plan::rehearse(&snapshot.deployment, &settings, &keys, &stamp)),
            // Somebody else's manifest brought the component; it is rehearsed as it stands.
            None if snapshot.deployment.active() == Some(false) => {
                Ok(Plan::ask_for_rehearsal(&snapshot.deployment, &stamp))
            }
            None => Err(Failure::new(BLOCKED, "MAS has not been prepared yet, and nothing was changed")
                .next(Next::new("First settle its host, database and secrets with `prepare`."))),
        }
    }

    fn tolerates_more(&self) -> bool {
        true
    }

    fn approve(&self, session: &Session, _: &Snapshot, plan: Plan) -> Result<Option<Approved>, Failure> {
        let question = "No user notices this. It starts MAS and rehearses the migration. Go on?";
        let confirmed = Confirmed::by_yes(session, self.args.yes, question)?;
        Ok(confirmed.and_then(|confirmed| Approved::reversible(plan, confirmed)))
    }

    fn is_script(&self, session: &Session) -> bool {
        self.args.yes || !session.ui().terminal().can_ask()
    }

    fn history(&self) -> String {
        "dry-run: MAS component written with active: false".to_owned()
    }
}

/// What `prepare` settled goes into the spec; without it, what is in the spec stays.
fn wanted(snapshot: &Snapshot) -> Option<Cow<'_, MasSettings>> {
    snapshot.settled().or_else(|| snapshot.settings.as_ref().map(Cow::Borrowed))
}

/// Whether what `prepare` settled is in the spec already.
fn settled(snapshot: &Snapshot) -> bool {
    wanted(snapshot).is_none_or(|settings| {
        !Plan::rehearse(&snapshot.deployment, &settings, &snapshot.secret_keys(), "").changes_spec()
    })
}
