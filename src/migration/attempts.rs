//! Limits the attempts after conflicts.

use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::session::Session;

/// The most attempts after changes of the spec or the metadata.
const CHANGES: usize = 8;
/// The most attempts after changes of only the status or the record. An operator that retries at once changes the status many
/// times a second, and `abort` must still work then.
const MOVES: usize = 100;

#[derive(Default)]
pub struct Attempts {
    last: Option<Deployment>,
    changed: usize,
    moved: usize,
}

impl Attempts {
    /// Counts an attempt; `written` says whether an earlier one wrote. Fails after too many conflicts or an interrupt.
    pub fn count(&mut self, session: &Session, written: bool) -> Result<(), Failure> {
        if !self.may_retry(&session.deployment) {
            let text = format!("gave up after repeated update conflicts on ElementDeployment {}", session.place());
            return Err(Failure::failed(text));
        }
        if session.interrupt().raised() {
            if !written {
                // It came during a write that the server refused.
                session.ui().status("Nothing was written.");
            }
            return Err(Failure::told(Exit::Interrupted));
        }
        Ok(())
    }

    fn may_retry(&mut self, now: &Deployment) -> bool {
        if self.last.as_ref().is_some_and(|last| last.differs_only_in_status(now)) {
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
    fn status_updates_allow_many_attempts() {
        let mut attempts = Attempts::default();
        assert!((0..60).all(|version| attempts.may_retry(&deployment(version, 0))));
        assert!(!(60..200).all(|version| attempts.may_retry(&deployment(version, 0))), "attempts are limited");
    }

    #[test]
    fn spec_changes_allow_few_attempts() {
        let mut attempts = Attempts::default();
        let count = (0..60).take_while(|version| attempts.may_retry(&deployment(*version, *version))).count();
        assert_eq!(count, CHANGES);
    }
}
