//! A simulated API object, the ansible-operator that reconciles it, and its history.

use serde_json::{Value, json};

use super::status::{MasActive, Status};

/// The relevant part of `spec.components.matrixAuthenticationService`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mas {
    pub(crate) active: Option<bool>,
    pub(crate) settings: u8,
}

/// `spec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) mas: Option<Mas>,
    pub(crate) unrelated: u8,
}

impl Spec {
    pub(crate) fn active(self) -> Option<bool> {
        self.mas.and_then(|mas| mas.active)
    }

    /// Everything except `active`.
    pub(crate) fn settings(self) -> (Option<u8>, u8) {
        (self.mas.map(|mas| mas.settings), self.unrelated)
    }

    fn to_json(self) -> Value {
        let mut components = json!({ "synapse": { "config": { "unrelated": self.unrelated } } });
        if let Some(mas) = self.mas {
            let mut config = json!({ "settings": mas.settings });
            if let Some(active) = mas.active {
                config["active"] = json!(active);
            }
            components["matrixAuthenticationService"]["config"] = config;
        }
        let mut spec = json!({});
        spec["components"] = components;
        spec
    }
}

/// How a reconcile ended, and at which tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Good {
        at: usize,
    },
    Failed {
        at: usize,
        message: String,
        completion: String,
    },
    /// Killed, ended by `requeue_after`, or the write of its end failed.
    Unreported,
}

/// One execution of the playbook: the truth, whatever the status shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) uid: usize,
    /// The tick of its start.
    pub(crate) started: usize,
    /// The reconciled object, as compare-and-set marked it running.
    pub(crate) spec: Spec,
    pub(crate) end: Option<End>,
}

/// One entry of the watch history: the object after a change.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) tick: usize,
    pub(crate) uid: usize,
    pub(crate) version: u64,
    pub(crate) generation: i64,
    pub(crate) spec: Spec,
    pub(crate) status: Status,
    /// Whether this is the object's deletion.
    pub(crate) deleted: bool,
    /// The entry in which `Running` was last set to `Running`.
    pub(crate) streak: Option<usize>,
    /// The reconcile that set `mas_active`.
    pub(crate) mas_by: Option<usize>,
    /// The reconcile that the current failure or, without one, the current success describes.
    pub(crate) told: Option<usize>,
}

/// The complete simulated state.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Counts every action, so that moments between two entries are identified too.
    pub(crate) tick: usize,
    clock_ms: u64,
    /// Variation of this world: rotates the list of conditions and adds unknown ones.
    noise: usize,
    pub(crate) now: Snapshot,
    pub(crate) exists: bool,
    pub(crate) history: Vec<Snapshot>,
    pub(crate) runs: Vec<Run>,
    /// The reconcile in progress.
    pub(crate) current: Option<usize>,
    /// A reconcile whose operator has ended while its playbook continues: the playbook still writes its own fields, but
    /// the end is never written. This happens if a leader loses its lease and another one starts.
    pub(crate) orphan: Option<usize>,
    pub(crate) alive: bool,
}

/// The date and time at this number of milliseconds after the start of the world, without fraction and zone.
fn time_of_day(ms: u64) -> String {
    let seconds = ms / 1000;
    format!(
        "2026-11-{:02}T{:02}:{:02}:{:02}",
        1 + seconds / 86400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

impl World {
    /// A newly created object; its creation is the first entry.
    pub(crate) fn new(spec: Spec, noise: usize) -> Self {
        let now = Snapshot {
            tick: 0,
            uid: 0,
            // A number with more digits sorts after one with fewer, unlike text.
            version: 94,
            generation: 1,
            spec,
            status: Status::empty(),
            deleted: false,
            streak: None,
            mas_by: None,
            told: None,
        };
        let history = vec![now.clone()];
        Self {
            tick: 0,
            clock_ms: 0,
            noise,
            now,
            exists: true,
            history,
            runs: Vec::new(),
            current: None,
            orphan: None,
            alive: true,
        }
    }

    /// Advances the time.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.tick += 1;
        self.clock_ms += ms;
    }

    /// `lastTransitionTime` of the current time, in whole seconds.
    fn stamp(&self) -> String {
        time_of_day(self.clock_ms) + "Z"
    }

    /// A new `ansibleResult`. Each completion is unique, and trailing zeros are dropped as in the real one.
    fn result(&self) -> Value {
        let micros = format!("{:03}{:03}", self.clock_ms % 1000, self.tick % 1000);
        let completion = format!("{}.{}+00:00", time_of_day(self.clock_ms), micros.trim_end_matches('0'));
        json!({ "changed": 1, "completion": completion, "failures": 0, "ok": 3, "skipped": 4 })
    }

    fn log(&mut self) {
        self.now.tick = self.tick;
        // Other objects use resource versions too.
        self.now.version += 1 + (self.clock_ms + self.now.version) % 3;
        self.history.push(self.now.clone());
    }

    /// Changes the spec as another client. A change without effect produces no event.
    pub(crate) fn write_spec(&mut self, spec: Spec) {
        if self.exists && spec != self.now.spec {
            self.now.spec = spec;
            self.now.generation += 1;
            self.log();
        }
    }

    /// Changes an annotation: an event without a new generation.
    pub(crate) fn annotate(&mut self) {
        if self.exists {
            self.log();
        }
    }

    /// Deletes the object; the operator's reconcile has no effect any more.
    pub(crate) fn delete(&mut self) {
        if self.exists {
            self.lose_run();
            self.exists = false;
            self.now.deleted = true;
            self.log();
        }
    }

    /// Creates another object with the same name.
    pub(crate) fn recreate(&mut self) {
        if !self.exists {
            self.exists = true;
            self.now.deleted = false;
            self.now.uid += 1;
            self.now.generation = 1;
            self.now.status = Status::empty();
            (self.now.streak, self.now.mas_by, self.now.told) = (None, None, None);
            self.log();
        }
    }

    /// Writes the status; a write without effect produces no event.
    fn write_status(&mut self, change: impl FnOnce(&mut Status, &str)) {
        let before = self.now.status.clone();
        let stamp = self.stamp();
        change(&mut self.now.status, &stamp);
        if self.now.status == before {
            return;
        }
        if !before.shows_running() && self.now.status.shows_running() {
            self.now.streak = Some(self.history.len());
        }
        self.log();
    }

    /// The operator reads the object and marks it running by compare-and-set; it reconciles this version.
    pub(crate) fn start(&mut self) {
        if !(self.alive && self.exists && self.current.is_none()) {
            return;
        }
        self.current = Some(self.runs.len());
        self.runs.push(Run { uid: self.now.uid, started: self.tick, spec: self.now.spec, end: None });
        self.write_status(Status::mark_running);
    }

    /// The playbook reports its result for MAS.
    pub(crate) fn report_mas(&mut self, as_text: bool, absent_if_not: bool) {
        if let Some(current) = self.current {
            self.report(current, as_text, absent_if_not);
        }
    }

    /// The same by the playbook of a reconcile that its operator has lost, regardless of others.
    pub(crate) fn report_orphan(&mut self, as_text: bool) {
        if let Some(orphan) = self.orphan.filter(|orphan| self.exists && self.runs[*orphan].uid == self.now.uid) {
            self.report(orphan, as_text, false);
        }
    }

    fn report(&mut self, run: usize, as_text: bool, absent_if_not: bool) {
        let active = self.runs[run].spec.active() == Some(true);
        let value = match (active, as_text) {
            (false, _) if absent_if_not => MasActive::Absent,
            (active, true) => MasActive::Text(active),
            (active, false) => MasActive::Bool(active),
        };
        self.now.mas_by = Some(run);
        self.write_status(|status, _| status.mas_active = value);
    }

    fn end(&mut self, run: usize, end: End) {
        self.runs[run].end = Some(end);
        self.current = None;
    }

    /// The reconcile succeeds.
    pub(crate) fn end_well(&mut self) {
        let Some(current) = self.current else { return };
        self.end(current, End::Good { at: self.tick });
        self.now.told = Some(current);
        let result = self.result();
        self.write_status(|status, now| status.mark_done(&result, now));
    }

    /// The reconcile fails.
    pub(crate) fn fail(&mut self, message: &str) {
        let Some(current) = self.current else { return };
        let result = self.result();
        let completion = result["completion"].as_str().expect("just made").to_owned();
        self.end(current, End::Failed { at: self.tick, message: message.to_owned(), completion });
        self.now.told = Some(current);
        self.write_status(|status, now| status.mark_failed(message, &result, now));
    }

    /// The reconcile ends without an end in the status: `requeue_after`, a lost status write, or a killed operator.
    pub(crate) fn lose_run(&mut self) {
        if let Some(current) = self.current {
            self.end(current, End::Unreported);
        }
    }

    /// An internal error of the operator, during a reconcile or not.
    pub(crate) fn hiccup(&mut self, message: &str) {
        if self.alive && self.exists {
            self.lose_run();
            self.now.told = None;
            self.write_status(|status, now| status.mark_error(message, now));
        }
    }

    /// The operator is killed; the status stays unchanged.
    pub(crate) fn kill(&mut self) {
        self.orphan = self.current.or(self.orphan);
        self.lose_run();
        self.alive = false;
    }

    /// The operator restarts, silently or with an internal error about the lost reconcile.
    pub(crate) fn revive(&mut self, hiccup: bool) {
        if !self.alive {
            self.alive = true;
            if hiccup && self.now.status.shows_running() {
                self.hiccup("Failed to get ansible-runner stdout");
            }
        }
    }

    /// Sets `Available`, as a playbook or another client does.
    pub(crate) fn set_available(&mut self, status: Option<&str>) {
        if self.exists {
            self.write_status(|all, now| all.set_custom("Available", status, now));
        }
    }

    /// An entry as the API server sends it.
    pub(crate) fn json(&self, entry: &Snapshot) -> Value {
        let rotation = if self.noise & 1 == 0 { 0 } else { self.noise + entry.tick };
        let mut status = entry.status.to_json(rotation);
        if self.noise & 2 != 0 {
            let conditions = status["conditions"].as_array_mut().expect("a list");
            conditions.insert(0, json!({ "type": "Successful/Web", "status": "False", "reason": "Running" }));
            conditions.push(json!({ "type": "Paused", "status": "True", "reason": "Running" }));
        }
        if self.noise & 4 != 0 {
            status["dependentCRs"] = json!({ "synapses": ["a"] });
        }
        let mut metadata = json!({
            "name": "first-element-deployment", "namespace": "element-onprem", "uid": format!("uid-{}", entry.uid),
            "resourceVersion": entry.version.to_string(), "generation": entry.generation,
        });
        if self.noise & 8 != 0 {
            metadata["annotations"] = json!({ "note": entry.tick.to_string() });
        }
        let mut object = json!({ "apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment" });
        object["metadata"] = metadata;
        object["spec"] = entry.spec.to_json();
        object["status"] = status;
        object
    }
}
