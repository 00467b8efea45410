//! `abort`: the switch off again, as long as the migration is not done.

use std::borrow::Cow;
use std::time::Duration;

use super::approve::{Approved, Confirmed};
use super::exit::Failure;
use super::follow::Words;
use super::outcome::Outcome;
use super::pending;
use super::session::{Context, Session};
use super::task::{self, Flags, Task};
use crate::checks::{Snapshot, Step};
use crate::cli::AbortArgs;
use crate::plan::{MasSettings, Plan};
use crate::reconcile::Baseline;

const WORDS: Words = Words { command: "abort", doing: "going back", goes_on: "the operator goes on going back" };

const WORDS_REMOVE: Words = Words { command: "abort --remove", ..WORDS };

struct Abort<'a> {
    args: &'a AbortArgs,
    stamp: String,
}

pub async fn exec(context: &Context, args: &AbortArgs) -> Result<u8, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let mut outcome = Outcome::new("abort");
    let task = Abort { args, stamp: pending::request_stamp(&session) };
    let flags = Flags { write: &args.write, follow: &args.follow, via_owner: false, timeout: Duration::from_mins(30) };
    let result = task::run(&mut session, &task, &flags, &mut outcome).await;
    outcome.finish(&mut session, args.output.format(), result).await
}

impl Task for Abort<'_> {
    fn words(&self) -> Words {
        if self.args.remove { WORDS_REMOVE } else { WORDS }
    }

    fn step(&self) -> Step {
        Step::Abort
    }

    fn reached(&self, snapshot: &Snapshot) -> Option<String> {
        let deployment = &snapshot.deployment;
        if deployment.mas_active() == Some(true) || pending::recorded(snapshot, self.words().command).is_some() {
            return None;
        }
        match (deployment.mas(), deployment.active()) {
            (None, _) => Some("The deployment has no MAS component; there is nothing to take back.".to_owned()),
            (Some(_), Some(false)) if !self.args.remove => {
                Some("The switch is off already; there is nothing to take back.".to_owned())
            }
            _ => None,
        }
    }

    fn settings<'a>(&self, _: &'a Snapshot) -> Option<Cow<'a, MasSettings>> {
        None
    }

    fn resume(&self, snapshot: &Snapshot) -> Option<Baseline> {
        let pending = pending::recorded(snapshot, self.words().command)?;
        if pending::unproven(snapshot, self.words().command) {
            return None;
        }
        let proven = pending::is_proven(pending, &snapshot.deployment);
        let present = || pending::present_baseline(snapshot, pending.baseline.carried.clone());
        Some(if proven { pending.baseline.clone() } else { present() })
    }

    fn waits(&self, _: &Snapshot) -> bool {
        // It is what ends a run that fails again and again.
        false
    }

    fn asks_for_a_run(&self) -> bool {
        true
    }

    fn plan(&self, snapshot: &Snapshot) -> Result<Plan, Failure> {
        let deployment = &snapshot.deployment;
        Ok(if pending::unproven(snapshot, self.words().command) {
            Plan::ask_for_run(deployment, &pending::fresh(&self.stamp, deployment))
        } else if self.args.remove {
            Plan::remove(deployment)
        } else {
            Plan::deactivate(deployment)
        })
    }

    fn tolerates_more(&self) -> bool {
        true
    }

    fn approve(&self, session: &Session, _: &Snapshot, plan: Plan) -> Result<Option<Approved>, Failure> {
        let question = if self.args.remove {
            "This takes the MAS component out; the operator removes MAS. Its Secret and database stay. Go on?"
        } else {
            "This sets the switch back to off; the operator starts Synapse as it was before. Go on?"
        };
        let confirmed = Confirmed::by_yes(session, self.args.yes, question)?;
        Ok(confirmed.and_then(|confirmed| Approved::reversible(plan, confirmed)))
    }

    fn is_script(&self, session: &Session) -> bool {
        self.args.yes || !session.ui().terminal().can_ask()
    }

    fn history(&self) -> String {
        if self.args.remove {
            "abort: the MAS component taken out".to_owned()
        } else {
            "abort: the switch turned off".to_owned()
        }
    }
}
