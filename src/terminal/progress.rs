//! Minutes of waiting, told: what is over, what is awaited, since when, until when at the latest.
//!
//! On a terminal finished stages stay and one line below them lives. In a pipe each change is a line, and a heartbeat says
//! that the waiting goes on. With `-q` there is nothing. The cursor is never hidden, so no way of dying can lose it.

mod board;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;

use super::style::{Line, Symbol};
use super::ui::{Ui, Verbosity};
use super::world::Stream;
use board::{Board, Manner};

/// What is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stage, as a participle or noun: `rehearsing`.
    pub what: String,
    /// What can be seen of it: `MAS pod running, migration job 1 of 1 running`.
    pub detail: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When the waiting ends at the latest.
    pub ends_at: Option<Timestamp>,
    /// When something was last heard of it; said once that is half a minute ago.
    pub heard: Option<Timestamp>,
}

impl Waiting {
    /// Awaits `what` since `since`, for as long as it takes.
    pub fn new(what: impl Into<String>, since: Timestamp) -> Self {
        Self { what: what.into(), detail: None, since, ends_at: None, heard: None }
    }

    /// Says what can be seen of it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when the waiting ends.
    #[must_use]
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }

    /// Says when something was last heard.
    #[must_use]
    pub fn heard(mut self, at: Timestamp) -> Self {
        self.heard = Some(at);
        self
    }
}

/// How often something happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two frames of the live line.
    pub redraw: Duration,
    /// In a pipe, between the last line and one that says that the waiting goes on.
    pub heartbeat: Duration,
    /// Nothing happens by itself: whoever holds the progress calls [`Progress::tick`].
    pub by_hand: bool,
}

impl Default for Pace {
    /// Ten frames a second, a heartbeat every 30 seconds.
    fn default() -> Self {
        Self { redraw: Duration::from_millis(100), heartbeat: Duration::from_secs(30), by_hand: false }
    }
}

/// Progress under way. Dropping it (also by a cancelled future or a panic) takes the live line away and leaves what is over.
pub struct Progress {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    ui: Ui,
    board: Mutex<Board>,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Ui {
    /// Begins to tell of progress, at the usual pace.
    pub fn progress(&self) -> Progress {
        self.progress_at(Pace::default())
    }

    /// Begins to tell of progress.
    pub fn progress_at(&self, pace: Pace) -> Progress {
        let manner = match self.verbosity() {
            Verbosity::Quiet => Manner::Silent,
            _ if self.terminal().can_redraw() => Manner::Live,
            _ => Manner::Lines { heartbeat: pace.heartbeat },
        };
        let board = Mutex::new(Board::new(manner, self.terminal().zone().clone()));
        let shared = Arc::new(Shared { ui: self.clone(), board, ended: Mutex::new(false), end: Condvar::new() });
        let every = match manner {
            Manner::Live => Some(pace.redraw),
            // Often enough that a heartbeat is not late by much.
            Manner::Lines { heartbeat } => Some(heartbeat.min(Duration::from_secs(1))),
            Manner::Silent => None,
        };
        let ticker = every.filter(|_| !pace.by_hand).and_then(|every| {
            let shared = shared.clone();
            // Without a thread the line stands still and every change is still told.
            thread::Builder::new().name("progress".to_owned()).spawn(move || shared.run(every)).ok()
        });
        Progress { shared, ticker }
    }
}

impl Progress {
    /// A stage is over. What was awaited no longer is.
    pub fn done(&self, text: impl Into<Line>) {
        self.shared.over(Symbol::Done, &text.into());
    }

    /// A stage went wrong. What was awaited no longer is.
    pub fn failed(&self, text: impl Into<Line>) {
        self.shared.over(Symbol::Failed, &text.into());
    }

    /// Something happened meanwhile; what is awaited still is.
    pub fn note(&self, text: impl Into<Line>) {
        self.shared.tell(|board, now, look| board.note(now, &text.into(), look));
    }

    /// What is awaited now, in place of what was before. Calling it again with the same says nothing new.
    pub fn waiting(&self, waiting: Waiting) {
        self.shared.tell(|board, now, look| board.wait(now, waiting, look));
    }

    /// There was a sign of life of what is awaited.
    pub fn heard(&self) {
        self.shared.tell(|board, now, _| {
            board.heard(now);
            String::new()
        });
    }

    /// A second voice, for another task.
    pub fn onlooker(&self) -> Onlooker {
        Onlooker { shared: self.shared.clone() }
    }

    /// Draws the next frame, or tells that the waiting goes on when that is due.
    pub fn tick(&self) {
        self.shared.tick();
    }
}

/// Tells what else can be seen while something is awaited. What it says after the progress has ended is dropped.
#[derive(Clone)]
pub struct Onlooker {
    shared: Arc<Shared>,
}

impl Onlooker {
    /// What has happened, each with its sign, and what is going on now, in place of what was before.
    pub fn sees(&self, happened: &[(Symbol, Line)], now: Option<String>) {
        let ended = lock(&self.shared.ended);
        if !*ended {
            self.shared.tell(|board, at, look| board.see(at, happened, now, look));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *lock(&self.shared.ended) = true;
        self.shared.end.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // It only prints; if it panicked, there is nothing to be done about it here.
            let _ = ticker.join();
        }
        self.shared.ui.terminal().screen().set_live(None);
    }
}

impl Shared {
    fn over(&self, symbol: Symbol, text: &Line) {
        self.tell(|board, now, look| board.over(now, symbol, text, look));
    }

    fn tick(&self) {
        self.tell(Board::tick);
    }

    fn tell(&self, change: impl FnOnce(&mut Board, Timestamp, super::style::Look) -> String) {
        let terminal = self.ui.terminal();
        let (now, look) = (terminal.now(), self.ui.look(Stream::Err));
        // Held until all is written, so that lines appear in the order in which things happened.
        let mut board = lock(&self.board);
        let text = change(&mut board, now, look);
        let live = board.live(now, look);
        let mut screen = terminal.screen();
        if live.is_none() {
            screen.replace_live(&text);
        } else {
            if !text.is_empty() {
                screen.write_err(&text);
            }
            screen.set_live(live);
        }
    }

    fn run(&self, every: Duration) {
        let mut ended = lock(&self.ended);
        while !*ended {
            ended = self.end.wait_timeout(ended, every).unwrap_or_else(PoisonError::into_inner).0;
            if !*ended {
                self.tick();
            }
        }
    }
}

/// A thread that panicked while it drew leaves a board that can still be drawn.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
