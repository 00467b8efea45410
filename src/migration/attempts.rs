//! How often a plan is made anew.

use super::apply::only_status_moved;
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::session::Session;

/// How often a plan is made anew because somebody changed what was decided upon.
const CHANGES: usize = 8;
/// The same where only the status or the record moved. An operator that fails and tries again at once moves the status
/// many times a second, and just then somebody wants to abort.
const MOVES: usize = 100;

/// Counts how often a plan was made.
#[derive(Default)]
pub struct Attempts {
    last: Option<Deployment>,
    changed: usize,
    moved: usize,
}

impl Attempts {
    /// Counts one more; an error where the deployment keeps changing, or somebody has interrupted meanwhile.
    pub fn one_more(&mut self, session: &Session) -> Result<(), Failure> {
        if !self.is_worth_it(&session.deployment) {
            let text = format!("ElementDeployment {} is being changed by others again and again", session.place());
            return Err(Failure::new(Exit::Failed, text));
        }
        if session.context.interrupt.raised() {
            // It came while a write was on its way that the server then refused.
            return Err(Failure::told(Exit::Interrupted));
        }
        Ok(())
    }

    fn is_worth_it(&mut self, now: &Deployment) -> bool {
        if self.last.as_ref().is_some_and(|last| only_status_moved(last, now)) {
            self.moved += 1;
        } else {
            self.changed += 1;
        }
        self.last = Some(now.clone());
        self.changed <= CHANGES && self.moved <= MOVES
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(version: u32, active: u32) -> Deployment {
        let metadata = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version.to_string()});
        Deployment::from_value(json!({
            "apiVersion": "matrix.element.io/v1alpha2", "metadata": metadata,
            "spec": {"components": {"synapse": {"config": {"n": active}}}}, "status": {"conditions": [], "n": version},
        }))
        .unwrap()
    }

    #[test]
    fn an_abort_gave_up_while_the_operator_moved_the_status_all_the_time() {
        let mut attempts = Attempts::default();
        assert!((0..60).all(|version| attempts.is_worth_it(&deployment(version, 0))));
        assert!(!(60..200).all(|version| attempts.is_worth_it(&deployment(version, 0))), "it ends some time");
    }

    #[test]
    fn a_spec_that_somebody_changes_again_and_again_is_given_up_soon() {
        let mut attempts = Attempts::default();
        let count = (0..60).take_while(|version| attempts.is_worth_it(&deployment(*version, *version))).count();
        assert_eq!(count, CHANGES);
    }
}
