//! The scripted behaviour of the stand-in operator.

use std::time::Duration;

/// The behaviour from the next reconcile on. It is fixed at the start of a reconcile, when the real operator passes the object to
/// Ansible.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The time from a change to the start of its reconcile: milliseconds when idle, minutes when busy.
    pub reaction: Duration,
    /// The time until a reconcile writes the custom part of the status, or fails.
    pub run: Duration,
    /// The time from then to its end: `mas_active` has its new value, and the reconcile may still fail.
    pub settle: Duration,
    /// Reconciles without dry run or migration: without MAS, with MAS active, or back to `active: false`.
    pub plain: Script,
    /// Reconciles with `active: false`, a dry run.
    pub dry_run: Script,
    /// Reconciles that migrate.
    pub activation: Script,
    /// The custom condition.
    pub available: Available,
    /// Whether reconciles also create, scale and delete workloads.
    pub workloads: bool,
}

impl Default for Behaviour {
    /// Every reconcile succeeds within a quarter of a second.
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
    /// Sets the duration of reconciles; most of it is before the custom part of the status is written.
    #[must_use]
    pub fn lasting(self, run: Duration) -> Self {
        Self { run: run * 4 / 5, settle: run / 5, ..self }
    }

    /// Delays the start of reconciles.
    #[must_use]
    pub fn reacting_after(self, reaction: Duration) -> Self {
        Self { reaction, ..self }
    }

    /// Sets the outcomes of dry runs.
    #[must_use]
    pub fn dry_run(self, script: impl Into<Script>) -> Self {
        Self { dry_run: script.into(), ..self }
    }

    /// Sets the outcomes of migrations.
    #[must_use]
    pub fn activation(self, script: impl Into<Script>) -> Self {
        Self { activation: script.into(), ..self }
    }

    /// Sets the outcomes of all other reconciles.
    #[must_use]
    pub fn plain(self, script: impl Into<Script>) -> Self {
        Self { plain: script.into(), ..self }
    }

    /// Reconciles create, scale and delete StatefulSets, Jobs and Pods.
    #[must_use]
    pub fn with_workloads(self) -> Self {
        Self { workloads: true, ..self }
    }

    /// Sets the condition `Available`.
    #[must_use]
    pub fn available(self, available: Available) -> Self {
        Self { available, ..self }
    }
}

/// The outcomes of consecutive reconciles of one kind for one object, since the behaviour was set. The last one repeats.
#[derive(Clone, Debug)]
pub struct Script {
    outcomes: Vec<Outcome>,
    /// For activations: the outcome of retries stays the same until `active` is false.
    pub(crate) by_switch: bool,
}

impl Script {
    /// One outcome for all reconciles.
    pub fn always(outcome: Outcome) -> Self {
        Self::times(1, &outcome)
    }

    /// This outcome for this number of reconciles, then …
    pub fn times(count: usize, outcome: &Outcome) -> Self {
        Self { outcomes: vec![outcome.clone(); count], by_switch: false }
    }

    /// … this one, and all that follow unless something is added.
    #[must_use]
    pub fn then(mut self, outcome: Outcome) -> Self {
        self.outcomes.push(outcome);
        self
    }

    /// Counts activations instead of reconciles: all retries until `active` is false have the same outcome.
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

/// The outcome of a reconcile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeed,
    /// A task fails with this message; the operator retries with doubling pauses.
    Fail(String),
    /// A task with `no_log` fails: the message is `unknown playbook failure`.
    FailCensored,
    /// A task fails after the custom part of the status was written, so `mas_active` has the value of the spec.
    FailLate(String),
    /// The reconcile does not end until the operator is stopped.
    Hang,
    /// Ansible ends without a result: a `Failure` without `ansibleResult`, and a retry.
    BreakDown,
    /// The playbook requests another call (`requeue_after`): the reconcile ends without a write, and the status stays at Running
    /// until a later one ends.
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
    True,
    False,
    /// The playbook does not set the condition; an existing one stays.
    Absent,
}
