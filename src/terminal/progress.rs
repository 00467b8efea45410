//! Progress of a wait: finished stages, the awaited event, the elapsed time and the time-out.
//!
//! A terminal shows finished stages and a live line. A pipe gets a line per change and a heartbeat. `-q` prints nothing.

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
const BEAT: Duration = Duration::from_secs(1);

/// Progress of a command. Dropping it (also in a cancelled future or a panic) erases the live line and keeps finished stages.
pub struct Progress {
    shared: Arc<Shared>,
    /// Prints heartbeats until the sender is dropped.
    heart: Option<(Sender<()>, JoinHandle<()>)>,
}

struct Shared {
    ui: Ui,
    /// No timer: a test draws each frame.
    by_hand: bool,
    stages: Arc<Mutex<Stages>>,
    /// Locked until everything is written, to keep the order of lines. indicatif reads the stages when it draws, so their lock
    /// is not held meanwhile.
    output: Mutex<Output>,
}

#[derive(Default)]
struct Output {
    line: Option<LiveLine>,
    ended: bool,
}

/// The spinner. The last frame is for the end.
const FRAMES: [&str; 11] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "];
const ASCII_FRAMES: [&str; 5] = ["|", "/", "-", "\\", " "];

impl Ui {
    pub fn progress(&self) -> Progress {
        let shared = Arc::new(Shared::new(self, false));
        let beats = lock(&shared.stages).mode == Mode::Lines;
        let heart = beats.then(mpsc::channel).and_then(|(stop, stopped)| {
            let shared = shared.clone();
            let beat = move || {
                while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    shared.update(Stages::tick);
                }
            };
            // Without a thread only the heartbeats are missing.
            Some((stop, thread::Builder::new().name("progress".to_owned()).spawn(beat).ok()?))
        });
        Progress { shared, heart }
    }
}

impl Progress {
    pub fn done(&self, text: impl Into<Line>) {
        self.shared.update(|stages, now, options| stages.finish(now, Symbol::Done, &text.into(), options));
    }

    pub fn failed(&self, text: impl Into<Line>) {
        self.shared.update(|stages, now, options| stages.finish(now, Symbol::Failed, &text.into(), options));
    }

    /// Prints an event. The awaited event stays.
    pub fn note(&self, text: impl Into<Line>) {
        self.shared.update(|stages, now, options| stages.line(now, Symbol::Note, &text.into(), options));
    }

    /// Sets the awaited event. The same value again prints nothing.
    pub fn waiting(&self, waiting: Waiting) {
        self.shared.update(|stages, now, options| stages.wait(now, waiting, options));
    }

    /// Resets the time without updates, which is shown after half a minute.
    pub fn updated(&self) {
        self.shared.update(|stages, now, _| stages.updated(now));
    }

    pub fn details(&self) -> ProgressDetails {
        ProgressDetails { shared: self.shared.clone() }
    }
}

/// Adds details to a progress. Ignored after the progress has ended.
#[derive(Clone)]
pub struct ProgressDetails {
    shared: Arc<Shared>,
}

impl ProgressDetails {
    /// Prints events with their symbols, and sets the current state.
    pub fn update(&self, happened: &[(Symbol, Line)], now: Option<String>) {
        self.shared.update(|stages, at, options| stages.observe(at, happened, now, options));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let mut output = lock(&self.shared.output);
        output.ended = true;
        let line = output.line.take();
        drop(output);
        drop(line);
        if let Some((stop, thread)) = self.heart.take() {
            drop(stop);
            // The thread only prints, so a panic in it doesn't matter.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn new(ui: &Ui, by_hand: bool) -> Self {
        let mode = match ui.verbosity {
            Verbosity::Quiet => Mode::Silent,
            _ if ui.terminal.can_redraw() => Mode::Live,
            _ => Mode::Lines,
        };
        let stages = Arc::new(Mutex::new(Stages::new(mode, ui.terminal.zone().clone())));
        Self { ui: ui.clone(), by_hand, stages, output: Mutex::default() }
    }

    fn update(&self, change: impl FnOnce(&mut Stages, Timestamp, RenderOptions) -> String) {
        let mut output = lock(&self.output);
        if output.ended {
            return;
        }
        let terminal = &self.ui.terminal;
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
            let text = lock(&stages).live(ui.terminal.now(), ui.render_options(Stream::Err));
            // Writing into a string can't fail.
            let _ = frame.write_str(&text.unwrap_or_default());
        };
        let frames: &[&str] = if options.unicode { &FRAMES } else { &ASCII_FRAMES };
        let frames: Vec<String> = frames.iter().map(|frame| Style::Code.paint(frame, options.coloured)).collect();
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        let style = ProgressStyle::with_template("  {spinner}{words}").expect("a template");
        let line = self.ui.terminal.live_line(style.tick_strings(&frames).with_key("words", words));
        if !self.by_hand {
            line.bar.enable_steady_tick(REDRAW);
        }
        line
    }
}

#[cfg(test)]
mod tests;
