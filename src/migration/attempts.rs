//! How often a plan is made anew.

use super::apply as write;
use crate::deployment::Deployment;

/// How often a plan is made anew because somebody changed what was decided upon.
const ROUNDS: usize = 8;
/// The same where only the status or the record moved. An operator that fails and tries again at once moves the status
/// many times a second, and just then somebody wants to abort.
const STATUS_ROUNDS: usize = 100;

/// Counts how often a plan was made.
#[derive(Default)]
pub struct Rounds {
    last: Option<Deployment>,
    changed: usize,
    moved: usize,
}

impl Rounds {
    /// Whether another round is worth it with the deployment as it is now.
    pub fn one_more(&mut self, now: &Deployment) -> bool {
        if self.last.as_ref().is_some_and(|last| write::only_status_moved(last, now)) {
            self.moved += 1;
        } else {
            self.changed += 1;
        }
        self.last = Some(now.clone());
        self.changed <= ROUNDS && self.moved <= STATUS_ROUNDS
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
        let mut rounds = Rounds::default();
        assert!((0..60).all(|version| rounds.one_more(&deployment(version, 0))));
        assert!(!(60..200).all(|version| rounds.one_more(&deployment(version, 0))), "it ends some time");
    }

    #[test]
    fn a_spec_that_somebody_changes_again_and_again_is_given_up_soon() {
        let mut rounds = Rounds::default();
        let count = (0..60).take_while(|version| rounds.one_more(&deployment(*version, *version))).count();
        assert_eq!(count, ROUNDS);
    }
}
