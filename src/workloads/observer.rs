//! Derives progress from the workloads seen so far.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::objects::{Job, Pod, StatefulSet, Workload, WorkloadKind, name};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkloadEvent {
    SynapseStopped,
    /// With this number of pods.
    SynapseIsBack(u32),
    JobComplete(String),
    JobFailed(String),
    /// A pod doesn't start: the reason and the message of Kubernetes, which may be empty.
    PodStuck {
        pod: String,
        reason: String,
        message: String,
    },
}

impl WorkloadEvent {
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::JobFailed(_) | Self::PodStuck { .. })
    }
}

impl fmt::Display for WorkloadEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SynapseStopped => f.write_str("Synapse is stopped"),
            Self::SynapseIsBack(pods) => write!(f, "Synapse is back: {pods} of {pods} pods ready"),
            Self::JobComplete(name) => write!(f, "job {name} is complete"),
            Self::JobFailed(name) => write!(f, "job {name} has failed"),
            Self::PodStuck { pod, reason, message } if message.is_empty() => write!(f, "pod {pod}: {reason}"),
            Self::PodStuck { pod, reason, message } => write!(f, "pod {pod}: {reason}: {message}"),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadUpdate {
    /// The events since the last update, in order.
    pub happened: Vec<WorkloadEvent>,
    /// The current progress, such as `Synapse stopped, migration job running`. `None` if everything is as usual.
    pub now: Option<String>,
}

/// Collects the events of one deployment's workloads.
///
/// Call [`Observer::seen`] and [`Observer::gone`] for each event, and [`update`](Observer::update) at the end of a burst of
/// events: within one, only half of Synapse's processes may be known.
#[derive(Debug, Default)]
pub struct Observer {
    deployment: String,
    known: BTreeMap<(WorkloadKind, String), Workload>,
    /// Known from before an interruption of the watch, and not seen since.
    stale: BTreeSet<(WorkloadKind, String)>,
    was_up: bool,
    was_stopped: bool,
    is_back: bool,
    /// Jobs that were seen before they ended.
    begun: BTreeSet<String>,
    told: BTreeSet<(String, String)>,
}

/// The most stuck pods to report in all: one cause often affects every pod.
const MOST_STUCK: usize = 5;

/// The state of all of Synapse's StatefulSets together.
#[derive(Clone, Copy)]
enum Synapse {
    Up {
        pods: u32,
    },
    /// Scaling down; some pods are left.
    Stopping {
        left: u32,
        of: u32,
    },
    Stopped,
    /// Scaling up after it was stopped, to `of` pods as far as is known.
    Starting {
        ready: u32,
        of: u32,
    },
    /// Not all pods are ready, for any other reason.
    Partly {
        ready: u32,
        of: u32,
    },
}

impl Observer {
    pub fn new(deployment: &str) -> Self {
        Self { deployment: deployment.to_owned(), ..Self::default() }
    }

    pub fn seen(&mut self, kind: WorkloadKind, object: &Value) {
        let key = (kind, name(object).to_owned());
        self.stale.remove(&key);
        let Some(mut now) = Workload::read(kind, object, &self.deployment) else { return };
        if let (Workload::Synapse(now), Some(Workload::Synapse(before))) = (&mut now, self.known.get(&key)) {
            now.peak = now.peak.max(before.peak);
        }
        self.known.insert(key, now);
    }

    pub fn gone(&mut self, kind: WorkloadKind, object: &Value) {
        self.known.remove(&(kind, name(object).to_owned()));
    }

    /// Events of this kind may have been missed: objects not seen again before the next update count as deleted.
    pub fn doubt(&mut self, kind: WorkloadKind) {
        self.stale.extend(self.known.keys().filter(|(known, _)| *known == kind).cloned());
    }

    pub fn update(&mut self) -> WorkloadUpdate {
        for key in std::mem::take(&mut self.stale) {
            self.known.remove(&key);
        }
        let mut happened = Vec::new();
        let synapse = self.synapse();
        happened.extend(synapse.and_then(|synapse| self.note_synapse(synapse)));
        self.note_jobs(&mut happened);
        self.note_stuck(&mut happened);
        WorkloadUpdate { happened, now: self.words(synapse) }
    }

    fn synapse(&self) -> Option<Synapse> {
        let of_synapse = |workload| if let &Workload::Synapse(set) = workload { Some(set) } else { None };
        let sets: Vec<StatefulSet> = self.known.values().filter_map(of_synapse).collect();
        if sets.is_empty() {
            return None;
        }
        let sum = |count: fn(&StatefulSet) -> u32| sets.iter().map(count).sum::<u32>();
        let (wanted, there, ready) = (sum(|set| set.wanted), sum(|set| set.there), sum(|set| set.ready));
        if wanted == 0 && there == 0 {
            return Some(Synapse::Stopped);
        }
        // Processes may be scaled down and up one after another.
        let shrinks = sets.iter().any(|set| set.wanted == 0 && set.peak > 0);
        if shrinks && !self.was_stopped || wanted == 0 {
            return Some(Synapse::Stopping { left: there, of: sum(|set| set.peak) });
        }
        let of = sum(|set| if set.wanted == 0 { set.peak } else { set.wanted });
        Some(match (ready >= of, self.was_stopped) {
            (true, _) => Synapse::Up { pods: of },
            (false, true) => Synapse::Starting { ready, of },
            (false, false) => Synapse::Partly { ready, of },
        })
    }

    /// Updates the state of Synapse; returns the event, if there is one.
    fn note_synapse(&mut self, synapse: Synapse) -> Option<WorkloadEvent> {
        match synapse {
            Synapse::Stopped => {
                let is_news = self.was_up && !self.was_stopped;
                (self.was_stopped, self.is_back) = (true, false);
                is_news.then_some(WorkloadEvent::SynapseStopped)
            }
            Synapse::Up { pods } => {
                let is_news = self.was_stopped;
                self.is_back |= is_news;
                (self.was_stopped, self.was_up) = (false, true);
                is_news.then_some(WorkloadEvent::SynapseIsBack(pods))
            }
            Synapse::Stopping { .. } | Synapse::Partly { .. } => {
                self.was_up = true;
                None
            }
            Synapse::Starting { .. } => None,
        }
    }

    fn jobs(&self) -> impl Iterator<Item = (&str, Job)> {
        self.known.iter().filter_map(|((_, name), workload)| match workload {
            Workload::Job(job) => Some((name.as_str(), *job)),
            _ => None,
        })
    }

    fn pods(&self) -> impl Iterator<Item = (&str, &Pod)> {
        self.known.iter().filter_map(|((_, name), workload)| match workload {
            Workload::Pod(pod) => Some((name.as_str(), pod)),
            _ => None,
        })
    }

    fn note_jobs(&mut self, happened: &mut Vec<WorkloadEvent>) {
        let mut begun = std::mem::take(&mut self.begun);
        for (name, job) in self.jobs() {
            let name = name.to_owned();
            match job {
                Job::Waiting | Job::Running => drop(begun.insert(name)),
                // A job that ended before the watch started is an old one.
                Job::Complete if begun.remove(&name) => happened.push(WorkloadEvent::JobComplete(name)),
                Job::Failed if begun.remove(&name) => happened.push(WorkloadEvent::JobFailed(name)),
                Job::Complete | Job::Failed => {}
            }
        }
        self.begun = begun;
    }

    fn note_stuck(&mut self, happened: &mut Vec<WorkloadEvent>) {
        let mut told = std::mem::take(&mut self.told);
        for (pod, (reason, message)) in self.pods().filter_map(|(name, pod)| Some((name, pod.stuck.clone()?))) {
            let pod = pod.to_owned();
            if told.len() < MOST_STUCK && told.insert((pod.clone(), reason.clone())) {
                happened.push(WorkloadEvent::PodStuck { pod, reason, message });
            }
        }
        self.told = told;
    }

    fn words(&self, synapse: Option<Synapse>) -> Option<String> {
        let job = self.jobs().find(|(_, job)| *job == Job::Running).map(|(name, _)| job_words(name));
        let staying: Vec<&Pod> = self.pods().map(|(_, pod)| pod).filter(|pod| !pod.of_job && !pod.over).collect();
        let (ready, of) = (staying.iter().filter(|pod| pod.ready).count(), staying.len());
        let mas = staying.iter().any(|pod| pod.of_mas && !pod.ready).then(|| "MAS starting".to_owned());
        let synapse = synapse.and_then(|synapse| match synapse {
            Synapse::Stopping { left, of } => Some(format!("Synapse stopping, {left} of {of} pods left")),
            Synapse::Stopped => Some("Synapse stopped".to_owned()),
            Synapse::Starting { ready, of } => Some(format!("Synapse starting, {ready} of {of} pods ready")),
            Synapse::Partly { ready, of } => Some(format!("Synapse: {ready} of {of} pods ready")),
            Synapse::Up { .. } => (self.is_back && job.is_none() && ready == of).then(|| "Synapse is back".to_owned()),
        });
        let quiet = synapse.is_none() && mas.is_none();
        let rest = (quiet && ready < of).then(|| format!("{ready} of {of} pods ready"));
        let parts: Vec<String> = [synapse, mas, job, rest].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// With its name, for `kubectl logs job/NAME`.
fn job_words(name: &str) -> String {
    let migrates = name.contains("syn2mas") || name.contains("migrat");
    if migrates { format!("migration job running ({name})") } else { format!("job {name} running") }
}
