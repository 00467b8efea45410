//! What the stand-in operator is told to do, as values.

use std::time::Duration;

/// How the operator behaves from the next run on. What a run does is settled when it starts, as with the real one,
/// which hands the object to Ansible at that moment.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// How long after a change the operator first shows a sign: milliseconds when idle, minutes when busy.
    pub reaction: Duration,
    /// How long a run works before it writes the custom part of the status, or fails.
    pub run: Duration,
    /// How long after that it ends; `mas_active` is already what it will be, and the run may still fail.
    pub settle: Duration,
    /// Runs that migrate nothing: without MAS, with MAS active already, or switching back.
    pub plain: Script,
    /// Runs with `active: false` that rehearse the migration.
    pub dry_run: Script,
    /// Runs that migrate.
    pub activation: Script,
    /// What the playbook says of the custom condition.
    pub available: Available,
    /// Whether runs also make, scale and remove the workloads that a person would see.
    pub workloads: bool,
}

impl Default for Behaviour {
    /// All goes well, in a quarter of a second.
    fn default() -> Self {
        Self {
            reaction: Duration::ZERO,
            run: Duration::from_millis(200),
            settle: Duration::from_millis(50),
            plain: Script::always(Outcome::Succeed),
            dry_run: Script::always(Outcome::Succeed),
            activation: Script::always(Outcome::Succeed),
            available: Available::True,
            workloads: false,
        }
    }
}

impl Behaviour {
    /// Runs take this long, most of it before the custom part of the status is written.
    #[must_use]
    pub fn lasting(self, run: Duration) -> Self {
        Self { run: run * 4 / 5, settle: run / 5, ..self }
    }

    /// The first sign of the operator comes this much later.
    #[must_use]
    pub fn reacting_after(self, reaction: Duration) -> Self {
        Self { reaction, ..self }
    }

    /// What rehearsals do.
    #[must_use]
    pub fn dry_run(self, script: impl Into<Script>) -> Self {
        Self { dry_run: script.into(), ..self }
    }

    /// What migrations do.
    #[must_use]
    pub fn activation(self, script: impl Into<Script>) -> Self {
        Self { activation: script.into(), ..self }
    }

    /// What all other runs do.
    #[must_use]
    pub fn plain(self, script: impl Into<Script>) -> Self {
        Self { plain: script.into(), ..self }
    }

    /// Runs make, scale and remove StatefulSets, Jobs and Pods as they go.
    #[must_use]
    pub fn with_workloads(self) -> Self {
        Self { workloads: true, ..self }
    }

    /// What `Available` says.
    #[must_use]
    pub fn available(self, available: Available) -> Self {
        Self { available, ..self }
    }
}

/// The outcomes of successive runs of one kind on one object, counted from the moment the behaviour was set. The last
/// one goes on for ever.
#[derive(Clone, Debug)]
pub struct Script {
    outcomes: Vec<Outcome>,
    /// For activations: the outcome stays the same until somebody switches back, however often the operator tries.
    pub(crate) by_switch: bool,
}

impl Script {
    /// Every run ends like this.
    pub fn always(outcome: Outcome) -> Self {
        Self::times(1, &outcome)
    }

    /// This many runs end like that, and then …
    pub fn times(count: usize, outcome: &Outcome) -> Self {
        Self { outcomes: vec![outcome.clone(); count], by_switch: false }
    }

    /// … this one, and all that follow unless something is added.
    #[must_use]
    pub fn then(mut self, outcome: Outcome) -> Self {
        self.outcomes.push(outcome);
        self
    }

    /// Counts activations instead of runs: all runs between switching on and switching back end alike.
    #[must_use]
    pub fn by_switch(self) -> Self {
        Self { by_switch: true, ..self }
    }

    pub(crate) fn outcome(&self, run: usize) -> Outcome {
        self.outcomes.get(run).or(self.outcomes.last()).cloned().unwrap_or(Outcome::Succeed)
    }
}

impl From<Outcome> for Script {
    fn from(outcome: Outcome) -> Self {
        Self::always(outcome)
    }
}

/// How one run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Succeed,
    /// A task fails with this message; the operator tries again by itself, after pauses that double each time.
    Fail(String),
    /// A task with `no_log` fails: the message is `unknown playbook failure`.
    FailCensored,
    /// A task fails after the custom part of the status was written, so `mas_active` says what the spec says.
    FailLate(String),
    /// The run goes on until the operator is stopped.
    Hang,
    /// Ansible ends without a result: a `Failure` without `ansibleResult`, and another try.
    BreakDown,
    /// The playbook asks to be called again (`requeue_after`): the run ends without any mark, and the status stays at
    /// Running until a later run ends.
    Requeue(Duration),
}

impl Outcome {
    /// [`Outcome::Fail`] with a message.
    pub fn fail(message: impl Into<String>) -> Self {
        Self::Fail(message.into())
    }
}

/// The custom condition `Available`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Available {
    /// All components are.
    True,
    /// Some component is not.
    False,
    /// The playbook of this release does not set the condition. One that is there already stays.
    Absent,
}
