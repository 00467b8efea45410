//! Synapse as a whole, from its StatefulSets, or from its Pods where only those can be seen.

use std::collections::BTreeMap;

use super::object::{Pod, StatefulSet, is_synapse};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synapse {
    /// Nothing of it can be seen.
    Unseen,
    /// Everything that is wanted is ready.
    Up { pods: u32 },
    /// It is wanted gone, and some of it is still there.
    Stopping { left: u32, of: u32 },
    /// It is wanted gone, and it is.
    Stopped,
    /// It is wanted again after it was gone, or for the first time.
    Starting {
        ready: u32,
        /// Pods that there will be, as far as is known.
        of: u32,
    },
    /// Not all of it is ready, for whatever reason.
    Partly { ready: u32, of: u32 },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    pub(super) now: StatefulSet,
    /// The most pods that were seen of it.
    pub(super) peak: u32,
}

impl Synapse {
    /// `was_stopped`: all of it has been seen gone before.
    pub(super) fn of_sets(sets: &BTreeMap<String, Set>, was_stopped: bool) -> Self {
        let sum = |count: fn(&Set) -> u32| sets.values().map(count).sum::<u32>();
        if sets.is_empty() {
            return Self::Unseen;
        }
        let (wanted, there, ready) = (sum(|set| set.now.wanted), sum(|set| set.now.there), sum(|set| set.now.ready));
        if wanted == 0 && there == 0 {
            return Self::Stopped;
        }
        // One process may be wanted gone before the others, and wanted back before them.
        let shrinks = sets.values().any(|set| set.now.wanted == 0 && set.peak > 0);
        if shrinks && !was_stopped || wanted == 0 {
            return Self::Stopping { left: there, of: sum(|set| set.peak) };
        }
        let expected = sum(|set| if set.now.wanted == 0 { set.peak } else { set.now.wanted });
        match (ready >= expected, was_stopped) {
            (true, _) => Self::Up { pods: expected },
            (false, true) => Self::Starting { ready, of: expected },
            (false, false) => Self::Partly { ready, of: expected },
        }
    }

    /// The same from the pods alone; `peak` is the most that were seen. What is wanted cannot be told from them.
    pub(super) fn of_pods(pods: &BTreeMap<String, Pod>, deployment: &str, peak: u32, was_stopped: bool) -> Self {
        let synapse = || synapse_pods(pods, deployment);
        let (there, ready) = (number(synapse().count()), number(synapse().filter(|pod| pod.ready).count()));
        match (peak, there, was_stopped) {
            (0, _, _) => Self::Unseen,
            (_, 0, _) => Self::Stopped,
            _ if ready >= peak => Self::Up { pods: ready },
            (_, _, true) => Self::Starting { ready, of: peak },
            (_, _, false) => Self::Partly { ready, of: peak },
        }
    }
}

pub(super) fn synapse_pods<'a>(
    pods: &'a BTreeMap<String, Pod>,
    deployment: &'a str,
) -> impl Iterator<Item = &'a Pod> + 'a {
    pods.values().filter(move |pod| !pod.over && pod.stateful_set().is_some_and(|name| is_synapse(name, deployment)))
}

pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
