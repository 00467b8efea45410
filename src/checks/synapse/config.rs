//! One configuration of Synapse as it was found, with nothing kept of its values.

use super::scan::{Process, Scan, scan};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynapseConfig {
    /// `Secret chat-synapse-main, key instance_template.yaml`.
    pub place: String,
    pub scan: Scan,
}

impl SynapseConfig {
    /// Looks through the text of a key of a ConfigMap or Secret; `None` if that is no configuration of Synapse's.
    pub fn read(place: String, text: &str) -> Option<Self> {
        // Cheap, and true of everything that counts; most of what lies beside it is something else.
        if !text.contains("server_name") {
            return None;
        }
        let scan = scan(text, Process::Main);
        scan.whole.then_some(Self { place, scan })
    }

    /// Whether an object and its key may hold one. Objects are named after the deployment and the component.
    pub fn may_be(deployment: &str, object: &str, key: &str) -> bool {
        let named = object.strip_prefix(deployment).is_some_and(|rest| rest.starts_with("-synapse"));
        named && matches!(key.rsplit_once('.'), Some((_, "yaml" | "yml")))
    }
}
