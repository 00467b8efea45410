//! What lies around the deployment: the other components' Secrets, what the operator made of Synapse's settings, DNS.

use std::collections::BTreeSet;

use super::snapshot::Known;
use super::synapse::RenderedConfig;

/// A component's Secret: which keys it has. Its values are of no interest and are not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentSecret {
    pub name: String,
    /// The names of its keys; `None` if there is no such Secret.
    pub keys: Known<Option<BTreeSet<String>>>,
}

/// What DNS said, asked from where this program runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// MAS's host, as it was asked for.
    pub host: String,
    /// Whether there is an address for it.
    pub mas: Known<bool>,
    /// The same of Synapse's host, which is in use: where that is not known, nothing follows from the other.
    pub synapse: Option<Known<bool>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The Secrets that were looked at.
    pub secrets: Vec<ComponentSecret>,
    /// The Secrets that were not, to keep the number of requests small.
    pub left_out: Vec<String>,
    /// Synapse's configuration as the operator rendered it; empty where none was found.
    pub rendered: Known<Vec<RenderedConfig>>,
    /// DNS; `None` where it was not asked.
    pub resolution: Option<Resolution>,
}

impl Default for Configured {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            left_out: Vec::new(),
            rendered: Known::Unreadable("it was not looked at".to_owned()),
            resolution: None,
        }
    }
}
