//! Simple waiting rules on the same events, for comparison.

use serde_json::Value;

use super::status::Status;

/// A rule that decides when a change is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naive {
    /// `kubectl wait --for=condition=Successful`: succeeds if the condition is True now.
    Condition,
    /// The same, with a completion that did not exist at the write.
    NewCompletion,
}

fn completion(status: &Status, kind: &str) -> Option<Value> {
    status.get(kind)?.result.as_ref().map(|result| result["completion"].clone())
}

impl Naive {
    /// Whether the rule reports success.
    pub(crate) fn says_done(self, at_write: &Status, now: &Status) -> bool {
        let successful = now.get("Successful").is_some_and(|condition| condition.status == "True");
        let new = || {
            let now = completion(now, "Running");
            now.is_some() && now != completion(at_write, "Running")
        };
        successful && (self == Self::Condition || new())
    }
}
