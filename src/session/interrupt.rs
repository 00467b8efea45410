//! Handles SIGINT, SIGTERM, and the SIGHUP of a closed terminal. The first signal prints what the cluster is doing; the
//! second one exits at once.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio::sync::watch;

use crate::terminal::{Line, Next, Ui};

#[derive(Debug, Clone)]
pub enum InterruptState {
    /// Nothing has been written: the program can exit.
    NothingWritten,
    /// A write is in progress; its outcome is determined before the program exits.
    Writing,
    /// The command is about to end and only records or prints the result.
    Ending { done: &'static str },
    /// The command waits and ends itself. `doing`: what the cluster does without it, as the end of a sentence.
    Following { doing: String, come_back: String },
}

/// Handles signals from the start of the program. Cheap to clone.
#[derive(Clone)]
pub struct Interrupt {
    state: Arc<watch::Sender<State>>,
    ui: Ui,
}

/// Under one lock, so that each interrupt is reported exactly once.
struct State {
    current: InterruptState,
    /// The one before the write.
    earlier: InterruptState,
    /// The last one in which the interrupt was reported; `None` without an interrupt.
    raised: Option<InterruptState>,
}

impl Interrupt {
    /// Starts to handle signals. Must be called inside a runtime.
    pub fn listen(ui: &Ui) -> Self {
        let nothing = InterruptState::NothingWritten;
        let state = State { current: nothing.clone(), earlier: nothing, raised: None };
        let interrupt = Self { state: Arc::new(watch::Sender::new(state)), ui: ui.clone() };
        // Registered here because the task may start after the first signal. Without a terminal SIGHUP keeps its
        // disposition: `nohup` means to ignore it.
        let signals = signals(ui.terminal.can_ask());
        tokio::spawn(interrupt.clone().handle(signals));
        interrupt
    }

    /// Sets what an interrupt means from now on. Reports an interrupt that came during the write.
    pub fn set(&self, current: InterruptState) {
        self.state.send_modify(|state| {
            let in_write = matches!(state.raised, Some(InterruptState::Writing));
            if in_write && matches!(current, InterruptState::Following { .. }) {
                tell(&current, &self.ui);
                state.raised = Some(current.clone());
            }
            state.current = current;
        });
    }

    pub fn begin_write(&self) {
        self.state.send_modify(|state| state.earlier = std::mem::replace(&mut state.current, InterruptState::Writing));
    }

    /// Nothing was written: an interrupt means what it meant before.
    pub fn end_write(&self) {
        let earlier = self.state.borrow().earlier.clone();
        self.set(earlier);
    }

    pub fn raised(&self) -> bool {
        self.state.borrow().raised.is_some()
    }

    pub async fn wait(&self) {
        // The sender outlives this call, so the channel can't close.
        let _ = self.state.subscribe().wait_for(|state| state.raised.is_some()).await;
    }

    /// Waits for an interrupt that came while nothing was written. The code that writes or follows handles other ones itself.
    pub async fn wait_while_nothing_written(&self) {
        self.wait().await;
        let nothing = {
            let state = self.state.borrow();
            matches!(
                (&state.raised, &state.current),
                (Some(InterruptState::NothingWritten), InterruptState::NothingWritten)
            )
        };
        if !nothing {
            std::future::pending::<()>().await;
        }
    }

    async fn handle(self, mut signals: BoxStream<'static, ()>) {
        signals.next().await;
        self.state.send_modify(|state| {
            state.raised = Some(state.current.clone());
            tell(&state.current, &self.ui);
        });
        self.ui.terminal.stop_asking();
        signals.next().await;
        // An open prompt restores the terminal first.
        self.ui.terminal.wait_for_question(Duration::from_millis(500)).await;
        std::process::exit(i32::from(crate::error::Exit::Interrupted.code()));
    }
}

fn tell(current: &InterruptState, ui: &Ui) {
    match current {
        InterruptState::NothingWritten => ui.warning("interrupted; nothing was changed"),
        InterruptState::Writing => {
            ui.warning("interrupted during a write; determining its outcome. Press Ctrl-C again to exit at once");
        }
        InterruptState::Ending { done } => {
            ui.warning(format!("interrupted; {done}. Press Ctrl-C again to exit at once"));
        }
        InterruptState::Following { doing, come_back } => {
            ui.warning(Line::new().text("interrupted; ").text(doing));
            ui.next(&Next::new("To resume:").command(come_back));
        }
    }
}

/// One item for each signal from now on. Without a signal to listen to, it waits for ever.
#[cfg(unix)]
fn signals(on_terminal: bool) -> BoxStream<'static, ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let hang_up = on_terminal.then(SignalKind::hangup);
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()].into_iter().chain(hang_up);
    let next = async |mut signal: tokio::signal::unix::Signal| signal.recv().await.map(|()| ((), signal));
    let each = kinds.filter_map(|kind| signal(kind).ok()).map(|signal| stream::unfold(signal, next).boxed());
    stream::select_all(each).chain(stream::pending()).boxed()
}

#[cfg(not(unix))]
fn signals(_: bool) -> BoxStream<'static, ()> {
    stream::repeat(()).then(|()| async { drop(tokio::signal::ctrl_c().await) }).boxed()
}
