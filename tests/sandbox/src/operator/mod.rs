//! A stand-in for ESS Classic's updater: reconciles `ElementDeployment`s as ansible-operator does, without Ansible.
//!
//! The order and times of reconciles and writes follow recordings of a real ansible-operator, which
//! `tests/e2e/sandbox/recordings.rs` replays. The result of a reconcile is scripted.

mod behaviour;
mod condition;
mod controller;
mod playbook;
mod queue;
mod run;
mod status;
mod workloads;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use self::behaviour::{Available, Behaviour, Outcome, Script};
use self::playbook::Kind;

/// Namespace and name.
type Key = (String, String);

/// The source of the operator's times.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The namespaces that an operator watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Namespace(String),
}

/// A running operator, in the runtime in which it was started. Stops when dropped.
pub struct Operator {
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

impl Operator {
    /// Starts an operator. Like a real one, it first reconciles all existing objects.
    pub fn start(client: kube::Client, scope: Scope, behaviour: Behaviour) -> Self {
        Self::with_clock(client, scope, behaviour, Arc::new(Timestamp::now))
    }

    /// The same with another clock, for tests of times.
    pub fn with_clock(client: kube::Client, scope: Scope, behaviour: Behaviour, clock: Clock) -> Self {
        let state = State { behaviour, ..State::default() };
        let shared =
            Arc::new(Shared { client, scope, clock, state: Mutex::new(state), under_way: watch::Sender::new(0) });
        let mut operator = Self { shared, task: None };
        operator.resume();
        operator
    }

    /// Changes the behaviour of new reconciles. Scripts start again.
    pub fn set(&self, behaviour: Behaviour) {
        let mut state = self.shared.state();
        state.behaviour = behaviour;
        state.counts.clear();
        state.switched_on.clear();
        state.epoch += 1;
    }

    /// Stops the operator at once. A reconcile in progress writes nothing more, and after [`Self::resume`] its object first gets a
    /// `Failure` without a result, as recorded.
    pub async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
        let mut state = self.shared.state();
        for (key, _) in std::mem::take(&mut state.running) {
            state.memory.entry(key).or_default().interrupted = true;
        }
        drop(state);
        self.shared.under_way.send_replace(0);
    }

    /// Waits for a reconcile in progress, then stops the operator.
    pub async fn kill_in_mid_run(&mut self) {
        self.wait_for_run().await;
        self.stop().await;
    }

    /// Waits until a reconcile has written its start.
    pub async fn wait_for_run(&self) {
        // The sender is in `self`, so this ends only with a reconcile.
        let _ = self.shared.under_way.subscribe().wait_for(|count| *count > 0).await;
    }

    /// Waits until no reconcile is in progress. A retry or a queued one may start right after.
    pub async fn wait_for_end(&self) {
        let _ = self.shared.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Waits until there was no reconcile for this time, so that queued ones and quick retries are done.
    pub async fn wait_for_rest(&self, length: Duration) {
        let mut under_way = self.shared.under_way.subscribe();
        let _ = under_way.wait_for(|count| *count == 0).await;
        while timeout(length, under_way.wait_for(|count| *count > 0)).await.is_ok() {
            let _ = under_way.wait_for(|count| *count == 0).await;
        }
    }

    /// Deletes the workloads of a deployment.
    pub async fn delete_workloads(&self, namespace: &str, name: &str) -> crate::Result<()> {
        let key = (namespace.to_owned(), name.to_owned());
        Ok(workloads::Workloads::new(self.shared.client.clone(), &key).delete_all().await?)
    }

    /// Starts again after [`Self::stop`]: without earlier pauses, and reconciles all existing objects.
    pub fn resume(&mut self) {
        if self.task.is_none() {
            self.task = Some(tokio::spawn(controller::control(Arc::clone(&self.shared))));
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The state that reconciles share, and that survives a restart of the operator.
struct Shared {
    client: kube::Client,
    scope: Scope,
    clock: Clock,
    state: Mutex<State>,
    under_way: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    behaviour: Behaviour,
    memory: HashMap<Key, Memory>,
    /// The reconciles in progress, and whether their start was written.
    running: HashMap<Key, bool>,
    /// The number of used outcomes of a script for an object since the behaviour was set.
    counts: HashMap<(Key, Kind), usize>,
    /// The objects whose migration was tried since the last other reconcile.
    switched_on: HashSet<Key>,
    /// The number of changes of the behaviour.
    epoch: u64,
}

#[derive(Default)]
struct Memory {
    /// Whether the last dry run passed; `None` before the first one.
    dry_run_passed: Option<bool>,
    /// Whether the operator stopped during a reconcile.
    interrupted: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn behaviour(&self) -> Behaviour {
        self.state().behaviour.clone()
    }

    /// Records the start of a reconcile; returns whether the last one of this object was interrupted.
    fn begin(&self, key: &Key) -> bool {
        let mut state = self.state();
        state.running.insert(key.clone(), false);
        std::mem::take(&mut state.memory.entry(key.clone()).or_default().interrupted)
    }

    /// Records that a reconcile has written its start.
    fn marked(&self, key: &Key) {
        self.count(|running| {
            running.insert(key.clone(), true);
        });
    }

    fn end(&self, key: &Key) {
        self.count(|running| {
            running.remove(key);
        });
    }

    fn count(&self, change: impl FnOnce(&mut HashMap<Key, bool>)) {
        let mut state = self.state();
        change(&mut state.running);
        self.under_way.send_replace(state.running.values().filter(|marked| **marked).count());
    }

    fn dry_run_passed(&self, key: &Key) -> Option<bool> {
        self.state().memory.get(key).and_then(|one| one.dry_run_passed)
    }

    fn set_dry_run_passed(&self, key: &Key, passed: bool) {
        self.state().memory.entry(key.clone()).or_default().dry_run_passed = Some(passed);
    }

    /// The next outcome of a reconcile of this kind.
    fn orders(&self, key: &Key, kind: Kind) -> Orders {
        let state = self.state();
        let run = state.counts.get(&(key.clone(), kind)).copied().unwrap_or_default();
        let script = match kind {
            Kind::Plain => &state.behaviour.plain,
            Kind::DryRun => &state.behaviour.dry_run,
            Kind::Activation => &state.behaviour.activation,
        };
        Orders { outcome: script.outcome(run), behaviour: state.behaviour.clone(), epoch: state.epoch }
    }

    /// Records that a script's outcome was used, unless the script has been replaced.
    fn used(&self, key: &Key, kind: Kind, orders: &Orders) {
        let mut state = self.state();
        if state.epoch == orders.epoch {
            if state.behaviour.activation.by_switch {
                if kind == Kind::Activation {
                    state.switched_on.insert(key.clone());
                    return;
                } else if state.switched_on.remove(key) {
                    *state.counts.entry((key.clone(), Kind::Activation)).or_default() += 1;
                }
            }
            *state.counts.entry((key.clone(), kind)).or_default() += 1;
        }
    }
}

/// The behaviour at the start of a reconcile.
struct Orders {
    behaviour: Behaviour,
    outcome: Outcome,
    epoch: u64,
}
