//! What has been seen so far, and what that means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::Kind;
use super::object::{self, Job, Pod, StatefulSet};
use super::synapse::{Set, Synapse, number, synapse_pods};

/// Something that happened and stays true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// All of Synapse's pods are gone.
    SynapseStopped,
    /// Synapse was stopped and is there again.
    SynapseIsBack {
        pods: u32,
    },
    /// A Job has done its work.
    JobEnded {
        name: String,
    },
    JobFailed {
        name: String,
    },
    Trouble {
        pod: String,
        reason: String,
        message: String,
    },
}

impl Happened {
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::JobFailed { .. } | Self::Trouble { .. })
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SynapseStopped => f.write_str("Synapse is stopped"),
            Self::SynapseIsBack { pods } => write!(f, "Synapse is back: {pods} of {pods} pods ready"),
            Self::JobEnded { name } => write!(f, "job {name} is complete"),
            Self::JobFailed { name } => write!(f, "job {name} has failed"),
            Self::Trouble { pod, reason, message } if message.is_empty() => write!(f, "pod {pod}: {reason}"),
            Self::Trouble { pod, reason, message } => write!(f, "pod {pod}: {reason}: {message}"),
        }
    }
}

/// What there is to say after a look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// What happened since the last look, in order.
    pub happened: Vec<Happened>,
    /// What is going on: `Synapse stopped, migration job running`. `None` when nothing out of the ordinary is seen.
    pub now: Option<String>,
}

/// Collects what the watches tell of one deployment's workloads.
///
/// Feed it with [`Observer::seen`] and [`Observer::gone`], and [`look`](Observer::look) once a burst of news is over: in
/// the middle of one, half of Synapse may be known and half not.
#[derive(Debug)]
pub struct Observer {
    deployment: String,
    sets: BTreeMap<String, Set>,
    jobs: BTreeMap<String, Job>,
    pods: BTreeMap<String, Pod>,
    /// Known from before an interruption, and not seen since.
    stale: BTreeSet<(Kind, String)>,
    /// The most of Synapse's pods that were seen at once.
    peak: u32,
    was_up: bool,
    was_stopped: bool,
    is_back: bool,
    /// Jobs that were seen before their end.
    begun: BTreeSet<String>,
    told: BTreeSet<(String, String)>,
}

/// A pod's trouble is told no more than so many times in all: one cause often hits every pod.
const TROUBLES: usize = 5;

impl Observer {
    pub fn new(deployment: &str) -> Self {
        Self {
            deployment: deployment.to_owned(),
            sets: BTreeMap::new(),
            jobs: BTreeMap::new(),
            pods: BTreeMap::new(),
            stale: BTreeSet::new(),
            peak: 0,
            was_up: false,
            was_stopped: false,
            is_back: false,
            begun: BTreeSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// An object is there, or is there in another form.
    pub fn seen(&mut self, kind: Kind, object: &Value) {
        let name = object::name(object).to_owned();
        self.stale.remove(&(kind, name.clone()));
        if !object::belongs(object, &self.deployment) {
            return;
        }
        match kind {
            Kind::StatefulSet if object::is_synapse(&name, &self.deployment) => {
                let now = StatefulSet::read(object);
                let set = self.sets.entry(name).or_insert(Set { now, peak: 0 });
                set.now = now;
                set.peak = set.peak.max(now.there).max(now.wanted);
            }
            Kind::StatefulSet => {}
            Kind::Job => {
                if let Some(job) = Job::read(object) {
                    self.jobs.insert(name, job);
                }
            }
            Kind::Pod => {
                self.pods.insert(name, Pod::read(object, &self.deployment));
            }
        }
    }

    pub fn gone(&mut self, kind: Kind, object: &Value) {
        self.drop_known(kind, object::name(object));
    }

    /// Something of this kind may have been missed: what is not seen again before the next look counts as gone.
    pub fn doubt(&mut self, kind: Kind) {
        let names: Vec<&String> = match kind {
            Kind::StatefulSet => self.sets.keys().collect(),
            Kind::Job => self.jobs.keys().collect(),
            Kind::Pod => self.pods.keys().collect(),
        };
        self.stale.extend(names.into_iter().map(|name| (kind, name.clone())));
    }

    /// How many objects of this kind are known.
    pub fn known(&self, kind: Kind) -> usize {
        match kind {
            Kind::StatefulSet => self.sets.len(),
            Kind::Job => self.jobs.len(),
            Kind::Pod => self.pods.len(),
        }
    }

    /// What there is to say now.
    pub fn look(&mut self) -> Sight {
        for (kind, name) in std::mem::take(&mut self.stale) {
            self.drop_known(kind, &name);
        }
        self.peak = self.peak.max(number(synapse_pods(&self.pods, &self.deployment).count()));
        let mut happened = Vec::new();
        let synapse = self.synapse(&mut happened);
        self.ended_jobs(&mut happened);
        self.troubles(&mut happened);
        Sight { happened, now: self.words(synapse) }
    }

    fn drop_known(&mut self, kind: Kind, name: &str) {
        match kind {
            Kind::StatefulSet => drop(self.sets.remove(name)),
            Kind::Job => drop(self.jobs.remove(name)),
            Kind::Pod => drop(self.pods.remove(name)),
        }
    }

    /// Where Synapse stands, and whether that is news.
    fn synapse(&mut self, happened: &mut Vec<Happened>) -> Synapse {
        let of_sets = Synapse::of_sets(&self.sets, self.was_stopped);
        let synapse = match of_sets {
            Synapse::Unseen => Synapse::of_pods(&self.pods, &self.deployment, self.peak, self.was_stopped),
            seen => seen,
        };
        match synapse {
            Synapse::Stopped => {
                if self.was_up && !self.was_stopped {
                    happened.push(Happened::SynapseStopped);
                }
                self.was_stopped = true;
                self.is_back = false;
            }
            Synapse::Up { pods } => {
                if self.was_stopped {
                    self.is_back = true;
                    happened.push(Happened::SynapseIsBack { pods });
                }
                self.was_stopped = false;
                self.was_up = true;
            }
            Synapse::Stopping { .. } | Synapse::Partly { .. } => self.was_up = true,
            Synapse::Unseen | Synapse::Starting { .. } => {}
        }
        synapse
    }

    fn ended_jobs(&mut self, happened: &mut Vec<Happened>) {
        for (name, job) in &self.jobs {
            match job {
                Job::Waiting | Job::Running => {
                    self.begun.insert(name.clone());
                }
                // One that had ended before anybody looked is an old one.
                Job::Ended if self.begun.remove(name) => happened.push(Happened::JobEnded { name: name.clone() }),
                Job::Failed if self.begun.remove(name) => happened.push(Happened::JobFailed { name: name.clone() }),
                Job::Ended | Job::Failed => {}
            }
        }
    }

    fn troubles(&mut self, happened: &mut Vec<Happened>) {
        for (name, pod) in &self.pods {
            let Some(trouble) = &pod.trouble else { continue };
            if self.told.len() < TROUBLES && self.told.insert((name.clone(), trouble.reason.clone())) {
                let (pod, reason, message) = (name.clone(), trouble.reason.clone(), trouble.message.clone());
                happened.push(Happened::Trouble { pod, reason, message });
            }
        }
    }

    fn words(&self, synapse: Synapse) -> Option<String> {
        let job = self.jobs.iter().find(|(_, job)| **job == Job::Running).map(|(name, _)| job_words(name));
        let staying = || self.pods.values().filter(|pod| pod.job().is_none() && !pod.over && !pod.leaving);
        let count = |pods: &mut dyn Iterator<Item = &Pod>| number(pods.count());
        let (ready, of) = (count(&mut staying().filter(|pod| pod.ready)), count(&mut staying()));
        let mas = staying().any(|pod| pod.mas && !pod.ready).then(|| "MAS starting".to_owned());
        let rest = || (ready < of).then(|| format!("{ready} of {of} pods ready"));
        let synapse = match synapse {
            Synapse::Stopping { left, of } => Some(format!("Synapse stopping, {left} of {of} pods left")),
            Synapse::Stopped => Some("Synapse stopped".to_owned()),
            Synapse::Starting { ready, of } => Some(format!("Synapse starting, {ready} of {of} pods ready")),
            Synapse::Partly { ready, of } => Some(format!("Synapse: {ready} of {of} pods ready")),
            Synapse::Up { .. } if self.is_back && job.is_none() && ready == of => Some("Synapse is back".to_owned()),
            Synapse::Up { .. } | Synapse::Unseen => None,
        };
        let quiet = synapse.is_none() && mas.is_none();
        let parts: Vec<String> = [synapse, mas, job].into_iter().flatten().chain(quiet.then(rest).flatten()).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// By its name, so that `kubectl logs job/NAME` can follow.
fn job_words(name: &str) -> String {
    let migrates = name.contains("syn2mas") || name.contains("migrat");
    if migrates { format!("migration job running ({name})") } else { format!("job {name} running") }
}
