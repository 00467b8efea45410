//! SIGINT, SIGTERM, and the SIGHUP of a terminal that goes away. The first one is answered at once with what the cluster is doing; the second one ends the program.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::terminal::{Line, Next, Ui};

/// What an interruption means at the moment.
#[derive(Debug, Clone)]
pub enum InterruptState {
    /// Nothing has been written: the program can just end.
    NothingWritten,
    /// A write is on its way; its outcome is looked after before the program ends.
    Writing,
    /// The end is reached and only has to be noted or shown; a matter of moments.
    Ending { done: &'static str },
    /// The cluster works on what was written.
    Following { doing: String, come_back: String },
}

/// Listens to signals from the start of the program on. Cheap to clone.
#[derive(Clone)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    notify: Notify,
    ui: Ui,
}

/// Under one lock, so that every interruption is told exactly once with what it means.
struct State {
    current: InterruptState,
    raised: bool,
}

impl Interrupt {
    /// Begins to listen. Must be called inside a runtime.
    pub fn listen(ui: &Ui) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { current: InterruptState::NothingWritten, raised: false }),
            notify: Notify::new(),
            ui: ui.clone(),
        });
        // Here and not in the task, which may begin later than the first signal comes. Whoever has no terminal loses none:
        // `nohup` means that a SIGHUP is to be ignored.
        let signals = Signals::new(ui.terminal().can_ask());
        tokio::spawn(watch(Arc::clone(&shared), signals));
        Self { shared }
    }

    /// Says what an interruption means from now on. One that came during the write is told here what became of it.
    pub fn set(&self, current: InterruptState) {
        let mut state = self.shared.state();
        if state.raised && matches!(current, InterruptState::Following { .. }) {
            tell(&current, &self.shared.ui);
        }
        state.current = current;
    }

    pub fn raised(&self) -> bool {
        self.shared.state().raised
    }

    pub async fn wait(&self) {
        loop {
            let notified = self.shared.notify.notified();
            if self.raised() {
                return;
            }
            notified.await;
        }
    }

    /// Waits for one at a moment when the program may simply end.
    pub async fn wait_while_nothing_written(&self) {
        self.wait().await;
        let nothing = matches!(self.shared.state().current, InterruptState::NothingWritten);
        if !nothing {
            // Whoever writes or follows ends the program in its own way.
            std::future::pending::<()>().await;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(shared: Arc<Shared>, mut signals: Signals) {
    signals.next().await;
    {
        let mut state = shared.state();
        state.raised = true;
        tell(&state.current, &shared.ui);
    }
    shared.notify.notify_waiters();
    shared.ui.terminal().stop_asking();
    signals.next().await;
    // The person does not want to wait for a tidy end; but a question that is open has the terminal in its hands.
    shared.ui.terminal().wait_for_question(Duration::from_millis(500)).await;
    std::process::exit(i32::from(crate::error::Exit::Interrupted.code()));
}

fn tell(current: &InterruptState, ui: &Ui) {
    match current {
        InterruptState::NothingWritten => ui.warning("interrupted; nothing was changed"),
        InterruptState::Writing => ui.warning(
            "interrupted while a change is being written; finding out what became of it. Ctrl-C again ends at once",
        ),
        InterruptState::Ending { done } => ui.warning(format!("interrupted; {done}. Ctrl-C again ends at once")),
        InterruptState::Following { doing, come_back } => {
            ui.warning(Line::new().text("interrupted; ").text(doing));
            ui.next(&Next::new("To come back to it:").command(come_back));
        }
    }
}

#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new(on_terminal: bool) -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = on_terminal.then(SignalKind::hangup);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()].into_iter().chain(hang_up);
        Self(kinds.filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        futures::future::select_all(self.0.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new(_: bool) -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
