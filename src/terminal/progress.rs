//! Minutes of waiting, told: what is over, what is awaited, since when, until when it is waited for.
//!
//! On a terminal finished stages stay and one line below them lives. In a pipe each change is a line, and a heartbeat says
//! that the waiting goes on. With `-q` there is nothing.

mod stages;

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressState, ProgressStyle};
use jiff::Timestamp;

use super::live_line::LiveLine;
use super::screen::lock;
use super::style::{Line, RenderOptions, Style, Symbol};
use super::tty::Stream;
use super::ui::{Ui, Verbosity};
use stages::{Mode, Stages};

pub use stages::Waiting;

const REDRAW: Duration = Duration::from_millis(100);
/// Often enough that a heartbeat is not late by much.
const BEAT: Duration = Duration::from_secs(1);

/// Progress under way. Dropping it (also by a cancelled future or a panic) takes the live line away and leaves what is over.
pub struct Progress {
    shared: Arc<Shared>,
    /// Tells heartbeats until the sender is dropped.
    heart: Option<(Sender<()>, JoinHandle<()>)>,
}

struct Shared {
    ui: Ui,
    /// Nothing happens by itself: a test calls [`Progress::tick`].
    by_hand: bool,
    stages: Arc<Mutex<Stages>>,
    /// Held until all is written, so that lines appear in the order in which things happened. indicatif asks for the stages
    /// when it draws, so their own lock is not held meanwhile.
    output: Mutex<Output>,
}

#[derive(Default)]
struct Output {
    line: Option<LiveLine>,
    ended: bool,
}

/// A turning sign: in every terminal font that has braille, and everywhere. The last one is for the end.
const FRAMES: [&str; 11] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "];
const ASCII_FRAMES: [&str; 5] = ["|", "/", "-", "\\", " "];

impl Ui {
    pub fn progress(&self) -> Progress {
        let shared = Arc::new(Shared::new(self, false));
        let beats = lock(&shared.stages).mode() == Mode::Lines;
        let heart = beats.then(mpsc::channel).and_then(|(stop, stopped)| {
            let shared = shared.clone();
            let beat = move || {
                while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    shared.tell(Stages::tick);
                }
            };
            // Without a thread every change is still told.
            Some((stop, thread::Builder::new().name("progress".to_owned()).spawn(beat).ok()?))
        });
        Progress { shared, heart }
    }

    #[cfg(test)]
    pub(super) fn progress_by_hand(&self) -> Progress {
        Progress { shared: Arc::new(Shared::new(self, true)), heart: None }
    }
}

impl Progress {
    pub fn done(&self, text: impl Into<Line>) {
        self.shared.tell(|stages, now, options| stages.over(now, Symbol::Done, &text.into(), options));
    }

    pub fn failed(&self, text: impl Into<Line>) {
        self.shared.tell(|stages, now, options| stages.over(now, Symbol::Failed, &text.into(), options));
    }

    /// Something happened meanwhile; what is awaited still is.
    pub fn note(&self, text: impl Into<Line>) {
        self.shared.tell(|stages, now, options| stages.line(now, Symbol::Note, &text.into(), options));
    }

    /// What is awaited now, in place of what was before. Calling it again with the same says nothing new.
    pub fn waiting(&self, waiting: Waiting) {
        self.shared.tell(|stages, now, options| stages.wait(now, waiting, options));
    }

    /// Something was heard of what is awaited; silence is said after half a minute.
    pub fn heard(&self) {
        self.shared.tell(|stages, now, _| stages.heard(now));
    }

    pub fn details(&self) -> ProgressDetails {
        ProgressDetails { shared: self.shared.clone() }
    }

    /// Draws the next frame, or tells that the waiting goes on when that is due.
    #[cfg(test)]
    fn tick(&self) {
        if let Some(line) = &lock(&self.shared.output).line {
            return line.bar.tick();
        }
        self.shared.tell(Stages::tick);
    }
}

/// Tells what else can be seen while something is awaited. What it says after the progress has ended is dropped.
#[derive(Clone)]
pub struct ProgressDetails {
    shared: Arc<Shared>,
}

impl ProgressDetails {
    /// What has happened, each with its sign, and what is going on now, in place of what was before.
    pub fn update(&self, happened: &[(Symbol, Line)], now: Option<String>) {
        self.shared.tell(|stages, at, options| stages.see(at, happened, now, options));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let line = {
            let mut output = lock(&self.shared.output);
            output.ended = true;
            output.line.take()
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
    fn new(ui: &Ui, by_hand: bool) -> Self {
        let mode = match ui.verbosity() {
            Verbosity::Quiet => Mode::Silent,
            _ if ui.terminal().can_redraw() => Mode::Live,
            _ => Mode::Lines,
        };
        let stages = Arc::new(Mutex::new(Stages::new(mode, ui.terminal().zone().clone())));
        Self { ui: ui.clone(), by_hand, stages, output: Mutex::default() }
    }

    fn tell(&self, change: impl FnOnce(&mut Stages, Timestamp, RenderOptions) -> String) {
        let mut output = lock(&self.output);
        if output.ended {
            return;
        }
        let terminal = self.ui.terminal();
        let (now, options) = (terminal.now(), self.ui.render_options(Stream::Err));
        let (text, live) = {
            let mut stages = lock(&self.stages);
            (change(&mut stages, now, options), stages.is_live())
        };
        if !live {
            output.line = None;
        }
        if !text.is_empty() {
            terminal.write_err(&text);
        }
        if live {
            output.line.get_or_insert_with(|| self.live_line(options)).bar.force_draw();
        }
    }

    fn live_line(&self, options: RenderOptions) -> LiveLine {
        let (ui, stages) = (self.ui.clone(), self.stages.clone());
        let words = move |_: &ProgressState, frame: &mut dyn fmt::Write| {
            let text = lock(&stages).live(ui.terminal().now(), ui.render_options(Stream::Err));
            // Writing into a string cannot fail.
            let _ = frame.write_str(&text.unwrap_or_default());
        };
        let frames: &[&str] = if options.unicode { &FRAMES } else { &ASCII_FRAMES };
        let frames: Vec<String> = frames.iter().map(|frame| Style::Code.paint(frame, options.coloured)).collect();
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        let style = ProgressStyle::with_template("  {spinner}{words}").expect("a template");
        let line = self.ui.terminal().live_line(style.tick_strings(&frames).with_key("words", words));
        if !self.by_hand {
            line.bar.enable_steady_tick(REDRAW);
        }
        line
    }
}

#[cfg(test)]
mod tests;
