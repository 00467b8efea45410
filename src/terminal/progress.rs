//! Minutes of waiting, told: what is over, what is awaited, since when, until when at the latest.
//!
//! On a terminal finished stages stay and one line below them lives. In a pipe each change is a line, and a heartbeat says
//! that the waiting goes on. With `-q` there is nothing.

mod board;

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressState, ProgressStyle};
use jiff::Timestamp;

use super::screen::{LiveLine, lock};
use super::style::{Line, Look, Style, Symbol};
use super::ui::{Ui, Verbosity};
use super::world::Stream;
use board::{Board, Manner};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stage, as a participle or noun: `rehearsing`.
    pub what: String,
    /// What can be seen of it: `MAS pod running, migration job 1 of 1 running`.
    pub detail: Option<String>,
    pub since: Timestamp,
    pub ends_at: Option<Timestamp>,
}

impl Waiting {
    pub fn new(what: impl Into<String>, since: Timestamp) -> Self {
        Self { what: what.into(), detail: None, since, ends_at: None }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub redraw: Duration,
    /// In a pipe, between the last line and one that says that the waiting goes on.
    pub heartbeat: Duration,
    /// Nothing happens by itself: whoever holds the progress calls [`Progress::tick`].
    pub by_hand: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { redraw: Duration::from_millis(100), heartbeat: Duration::from_secs(30), by_hand: false }
    }
}

/// Progress under way. Dropping it (also by a cancelled future or a panic) takes the live line away and leaves what is over.
pub struct Progress {
    shared: Arc<Shared>,
    /// Tells heartbeats until the sender is dropped.
    heart: Option<(Sender<()>, JoinHandle<()>)>,
}

struct Shared {
    ui: Ui,
    pace: Pace,
    board: Arc<Mutex<Board>>,
    /// Held until all is written, so that lines appear in the order in which things happened. indicatif asks the board
    /// when it draws, so the board's own lock is not held meanwhile.
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    line: Option<LiveLine>,
    ended: bool,
}

/// A turning sign: in every terminal font that has braille, and everywhere. The last one is for the end.
const FRAMES: [&str; 11] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "];
const ASCII_FRAMES: [&str; 5] = ["|", "/", "-", "\\", " "];

impl Ui {
    pub fn progress(&self) -> Progress {
        self.progress_at(Pace::default())
    }

    pub fn progress_at(&self, pace: Pace) -> Progress {
        let manner = match self.verbosity() {
            Verbosity::Quiet => Manner::Silent,
            _ if self.terminal().can_redraw() => Manner::Live,
            _ => Manner::Lines { heartbeat: pace.heartbeat },
        };
        let board = Arc::new(Mutex::new(Board::new(manner, self.terminal().zone().clone())));
        let shared = Arc::new(Shared { ui: self.clone(), pace, board, told: Mutex::default() });
        let beats = matches!(manner, Manner::Lines { .. }) && !pace.by_hand;
        let heart = beats.then(mpsc::channel).and_then(|(stop, stopped)| {
            let shared = shared.clone();
            // Often enough that a heartbeat is not late by much.
            let every = pace.heartbeat.min(Duration::from_secs(1));
            let beat = move || {
                while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    shared.tell(Board::tick);
                }
            };
            // Without a thread every change is still told.
            Some((stop, thread::Builder::new().name("progress".to_owned()).spawn(beat).ok()?))
        });
        Progress { shared, heart }
    }
}

impl Progress {
    /// A stage is over. What was awaited no longer is.
    pub fn done(&self, text: impl Into<Line>) {
        self.shared.tell(|board, now, look| board.over(now, Symbol::Done, &text.into(), look));
    }

    pub fn failed(&self, text: impl Into<Line>) {
        self.shared.tell(|board, now, look| board.over(now, Symbol::Failed, &text.into(), look));
    }

    /// Something happened meanwhile; what is awaited still is.
    pub fn note(&self, text: impl Into<Line>) {
        self.shared.tell(|board, now, look| board.note(now, &text.into(), look));
    }

    /// What is awaited now, in place of what was before. Calling it again with the same says nothing new.
    pub fn waiting(&self, waiting: Waiting) {
        self.shared.tell(|board, now, look| board.wait(now, waiting, look));
    }

    /// Something was heard of what is awaited; silence is said after half a minute.
    pub fn heard(&self) {
        self.shared.tell(|board, now, _| {
            board.heard(now);
            String::new()
        });
    }

    pub fn onlooker(&self) -> Onlooker {
        Onlooker { shared: self.shared.clone() }
    }

    /// Draws the next frame, or tells that the waiting goes on when that is due.
    pub fn tick(&self) {
        if let Some(line) = &lock(&self.shared.told).line {
            return line.bar.tick();
        }
        self.shared.tell(Board::tick);
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
        self.shared.tell(|board, at, look| board.see(at, happened, now, look));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let line = {
            let mut told = lock(&self.shared.told);
            told.ended = true;
            told.line.take()
        };
        drop(line);
        if let Some((stop, thread)) = self.heart.take() {
            drop(stop);
            // It only prints; if it panicked, there is nothing to be done about it here.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn tell(&self, change: impl FnOnce(&mut Board, Timestamp, Look) -> String) {
        let mut told = lock(&self.told);
        if told.ended {
            return;
        }
        let terminal = self.ui.terminal();
        let (now, look) = (terminal.now(), self.ui.look(Stream::Err));
        let (text, live) = {
            let mut board = lock(&self.board);
            (change(&mut board, now, look), board.is_live())
        };
        if !live {
            told.line = None;
        }
        if !text.is_empty() {
            terminal.write_err(&text);
        }
        if live {
            told.line.get_or_insert_with(|| self.live_line(look)).bar.force_draw();
        }
    }

    fn live_line(&self, look: Look) -> LiveLine {
        let (ui, board) = (self.ui.clone(), self.board.clone());
        let words = move |_: &ProgressState, frame: &mut dyn fmt::Write| {
            let text = lock(&board).live(ui.terminal().now(), ui.look(Stream::Err));
            // Writing into a string cannot fail.
            let _ = frame.write_str(&text.unwrap_or_default());
        };
        let frames: &[&str] = if look.unicode { &FRAMES } else { &ASCII_FRAMES };
        let frames: Vec<String> = frames.iter().map(|frame| Style::Code.paint(frame, look.coloured)).collect();
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        let style = ProgressStyle::with_template("  {spinner}{words}").expect("a template");
        let line = self.ui.terminal().live_line(style.tick_strings(&frames).with_key("words", words));
        if !self.pace.by_hand {
            line.bar.enable_steady_tick(self.pace.redraw);
        }
        line
    }
}

#[cfg(test)]
mod tests;
