//! The progress of a migration as workloads show it: Synapse's StatefulSets scaling down and up, Jobs, and Pods.
//!
//! Pure: takes objects, returns progress texts. No verdict depends on it, and without permission to read these objects
//! there is only less to show. Names and labels are those of the ESS Classic operator (StatefulSets `NAME-synapse-…`,
//! labels `k8s.element.io/owner-name` and `app.kubernetes.io/instance`); other workloads are ignored.

mod times;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use times::Times;
use times::is_synapse;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// Synapse's processes.
    StatefulSet,
    /// The migration.
    Job,
    Pod,
}

#[derive(Debug, Clone)]
enum Workload {
    Synapse(StatefulSet),
    Job(Job),
    Pod(Pod),
}

#[derive(Debug, Clone, Copy)]
struct StatefulSet {
    wanted: u32,
    /// `status.replicas`: pods that exist, including those that are terminating.
    there: u32,
    ready: u32,
    peak: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Waiting,
    Running,
    Complete,
    Failed,
}

#[derive(Debug, Clone)]
struct Pod {
    of_job: bool,
    of_mas: bool,
    ready: bool,
    stuck: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadEvent {
    pub failed: bool,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadUpdate {
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
    namespace: String,
    known: BTreeMap<(WorkloadKind, String), Workload>,
    /// Known from before an interruption of the watch, and not seen since.
    stale: BTreeSet<(WorkloadKind, String)>,
    was_up: bool,
    was_stopped: bool,
    is_back: bool,
    /// Jobs that were seen before they ended.
    begun: BTreeSet<String>,
}

impl Observer {
    pub fn new(deployment: &str, namespace: &str) -> Self {
        Self { deployment: deployment.to_owned(), namespace: namespace.to_owned(), ..Self::default() }
    }

    pub fn seen(&mut self, kind: WorkloadKind, object: &Value) {
        let key = (kind, name(object).to_owned());
        self.stale.remove(&key);
        let Some(mut now) = read(kind, object, &self.deployment) else {
            self.known.remove(&key);
            return;
        };
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
        let synapse = self.note_synapse(&mut happened);
        self.note_jobs(&mut happened);
        WorkloadUpdate { happened, now: self.words(synapse) }
    }

    /// Updates the state of all of Synapse's StatefulSets together. Returns what to show; `None` if all pods are ready.
    fn note_synapse(&mut self, happened: &mut Vec<WorkloadEvent>) -> Option<String> {
        let of_synapse = |workload| if let &Workload::Synapse(set) = workload { Some(set) } else { None };
        let sets: Vec<StatefulSet> = self.known.values().filter_map(of_synapse).collect();
        if sets.is_empty() {
            self.is_back = false;
            return None;
        }
        let mut event = |text: String| happened.push(WorkloadEvent { failed: false, text });
        let sum = |count: fn(&StatefulSet) -> u32| sets.iter().map(count).sum::<u32>();
        let (wanted, there, ready) = (sum(|set| set.wanted), sum(|set| set.there), sum(|set| set.ready));
        // Processes may be scaled down and up one after another.
        let shrinks = sets.iter().any(|set| set.wanted == 0 && set.peak > 0);
        let of = sum(|set| if set.wanted == 0 { set.peak } else { set.wanted });
        if wanted == 0 && there == 0 {
            if self.was_up && !self.was_stopped {
                event("Synapse is stopped".to_owned());
            }
            (self.was_stopped, self.is_back) = (true, false);
            return Some("Synapse stopped".to_owned());
        }
        if wanted == 0 || shrinks && !self.was_stopped {
            self.was_up = true;
            return Some(format!("Synapse stopping, {there} of {} pods left", sum(|set| set.peak)));
        }
        if ready >= of {
            if self.was_stopped {
                event(format!("Synapse is back: {of} of {of} pods ready"));
            }
            self.is_back |= self.was_stopped;
            (self.was_stopped, self.was_up) = (false, true);
            return None;
        }
        if self.was_stopped {
            return Some(format!("Synapse starting, {ready} of {of} pods ready"));
        }
        self.was_up = true;
        Some(format!("Synapse: {ready} of {of} pods ready"))
    }

    fn note_jobs(&mut self, happened: &mut Vec<WorkloadEvent>) {
        for ((_, name), workload) in &self.known {
            let Workload::Job(job) = workload else { continue };
            if matches!(job, Job::Waiting | Job::Running) {
                self.begun.insert(name.clone());
            } else if self.begun.remove(name) {
                // A job that ended before the watch started is an old one.
                let (failed, namespace) = (*job == Job::Failed, &self.namespace);
                let cause = format!("has failed; for the cause, run `kubectl logs job/{name} -n {namespace}`");
                let what = if failed { &cause } else { "is complete" };
                happened.push(WorkloadEvent { failed, text: format!("job {name} {what}") });
            }
        }
    }

    fn words(&self, synapse: Option<String>) -> Option<String> {
        let pods = || {
            self.known.iter().filter_map(
                |((_, name), workload)| {
                    if let Workload::Pod(pod) = workload { Some((name, pod)) } else { None }
                },
            )
        };
        let running = self.known.iter().find(|(_, workload)| matches!(workload, Workload::Job(Job::Running)));
        let job = running.map(|((_, name), _)| job_words(name));
        let staying: Vec<&Pod> = pods().map(|(_, pod)| pod).filter(|pod| !pod.of_job).collect();
        let (ready, of) = (staying.iter().filter(|pod| pod.ready).count(), staying.len());
        let mas = staying.iter().any(|pod| pod.of_mas && !pod.ready).then(|| "MAS starting".to_owned());
        let back = self.is_back && job.is_none() && ready == of;
        let synapse = synapse.or_else(|| back.then(|| "Synapse is back".to_owned()));
        let rest = (synapse.is_none() && mas.is_none() && ready < of).then(|| format!("{ready} of {of} pods ready"));
        let stuck = pods().find_map(|(name, pod)| Some(format!("pod {name}: {}", pod.stuck.as_ref()?)));
        let parts: Vec<String> = [synapse, mas, job, rest, stuck].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// With its name, for `kubectl logs job/NAME`.
fn job_words(name: &str) -> String {
    let migrates = name.contains("syn2mas") || name.contains("migrat");
    if migrates { format!("migration job running ({name})") } else { format!("job {name} running") }
}

/// `None` for objects that don't belong to the deployment or say nothing about the migration: StatefulSets other than
/// Synapse's, Jobs of a `CronJob`, and Pods that are terminating or have completed.
fn read(kind: WorkloadKind, object: &Value, deployment: &str) -> Option<Workload> {
    if !belongs(object, deployment) {
        return None;
    }
    let status = &object["status"];
    let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
    match kind {
        WorkloadKind::StatefulSet => is_synapse(name(object), deployment).then(|| {
            let wanted = count(&object["spec"]["replicas"]).unwrap_or(1);
            let there = count(&status["replicas"]).unwrap_or(0);
            let ready = count(&status["readyReplicas"]).unwrap_or(0);
            Workload::Synapse(StatefulSet { wanted, there, ready, peak: there.max(wanted) })
        }),
        WorkloadKind::Job if owner_kind(object) == Some("CronJob") => None,
        WorkloadKind::Job => Some(Workload::Job(if condition(object, "Complete") {
            Job::Complete
        } else if condition(object, "Failed") {
            Job::Failed
        } else if count(&status["active"]).unwrap_or(0) > 0 {
            Job::Running
        } else {
            Job::Waiting
        })),
        WorkloadKind::Pod => {
            let leaving = object["metadata"]["deletionTimestamp"].is_string();
            let component = name(object).strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-'));
            let is_mas = |component| ["matrix-authentication-service", "mas"].iter().any(|mas| begins(component, mas));
            (!leaving && !matches!(status["phase"].as_str(), Some("Succeeded" | "Failed"))).then(|| {
                Workload::Pod(Pod {
                    of_job: owner_kind(object) == Some("Job"),
                    of_mas: component.is_some_and(is_mas),
                    ready: condition(object, "Ready"),
                    stuck: stuck(status),
                })
            })
        }
    }
}

/// Whether an object belongs to the deployment: by the operator's label, else by the instance label, else by its name.
fn belongs(object: &Value, deployment: &str) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    match (label("k8s.element.io/owner-name"), label("app.kubernetes.io/instance")) {
        (Some(owner), _) => owner == deployment,
        (None, instance) => begins(instance.unwrap_or(name(object)), deployment),
    }
}

/// Whether a name is `start`, or begins with `start` and a hyphen.
fn begins(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

fn owner_kind(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)?["kind"].as_str()
}

fn condition(object: &Value, kind: &str) -> bool {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.any(|one| one["type"] == kind && one["status"] == "True")
}

/// The reason of a container that can't start; `CrashLoopBackOff`, `ImagePullBackOff` and the like.
fn stuck(status: &Value) -> Option<String> {
    let containers =
        ["initContainerStatuses", "containerStatuses"].into_iter().filter_map(|key| status[key].as_array());
    let mut reasons = containers.flatten().filter_map(|container| container["state"]["waiting"]["reason"].as_str());
    reasons
        .find(|reason| reason.contains("BackOff") || reason.contains("Err") || reason.starts_with("Invalid"))
        .map(str::to_owned)
}
