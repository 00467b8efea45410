//! The terminal: streams, keyboard, environment, window and clock, real or of a test.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use clap::ValueEnum;
use indicatif::MultiProgress;
use jiff::{Timestamp, tz::TimeZone};

use super::screen::{self, Screen};
use super::style::RenderOptions;
use super::unanswered::PromptError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// The streams, environment and clock. Cheap to clone; clones share the streams. Has no process-wide state.
#[derive(Clone)]
pub struct Terminal(pub(super) Arc<Connected>);

pub(super) struct Connected {
    pub(super) screen: Arc<Mutex<Screen>>,
    pub(super) live: MultiProgress,
    pub(super) stdin_tty: bool,
    pub(super) stdout_tty: bool,
    pub(super) stderr_tty: bool,
    /// `None` reads the size of the window each time, because it may change.
    pub(super) columns: Option<usize>,
    pub(super) environment: Option<BTreeMap<String, String>>,
    pub(super) clock: Clock,
    pub(super) zone: TimeZone,
    /// Answers prompts in tests; gets the shown prompt and whether the answer is hidden.
    pub(super) script: Option<Script>,
    /// Ends the open prompt like Ctrl-C.
    pub(super) stop_asking: AtomicBool,
}

pub(super) type Script = Box<dyn Fn(&str, bool) -> Result<String, PromptError> + Send + Sync>;
pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) const DEFAULT_COLUMNS: usize = 100;
/// The smallest width for wrapping; narrower text is hard to read.
const LEAST_COLUMNS: usize = 20;

impl Terminal {
    pub fn real() -> Self {
        let screen = Arc::new(Mutex::new(Screen::new(Box::new(io::stdout()), Box::new(io::stderr()))));
        Self(Arc::new(Connected {
            live: screen::live_lines(Arc::clone(&screen)),
            screen,
            stdin_tty: io::stdin().is_terminal(),
            stdout_tty: io::stdout().is_terminal(),
            stderr_tty: io::stderr().is_terminal(),
            columns: None,
            environment: None,
            clock: Arc::new(Timestamp::now),
            zone: TimeZone::system(),
            script: None,
            stop_asking: AtomicBool::default(),
        }))
    }

    /// An environment variable; `None` if it is not valid Unicode.
    pub fn env(&self, name: &str) -> Option<String> {
        match &self.0.environment {
            Some(fixed) => fixed.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }

    /// Ends the open prompt and every later one like Ctrl-C, after a signal.
    pub fn stop_asking(&self) {
        self.0.stop_asking.store(true, Ordering::Relaxed);
    }

    /// Waits until no prompt is open, at most for `limit`.
    pub async fn wait_for_question(&self, limit: Duration) {
        let answered = async {
            while self.screen().held {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(limit, answered).await;
    }

    pub fn is_tty(&self, stream: Stream) -> bool {
        match stream {
            Stream::Out => self.0.stdout_tty,
            Stream::Err => self.0.stderr_tty,
        }
    }

    /// Whether prompts work: stdin and stderr are a terminal.
    pub fn can_ask(&self) -> bool {
        self.0.stdin_tty && self.0.stderr_tty
    }

    pub fn can_redraw(&self) -> bool {
        self.0.stderr_tty && !self.is_dumb()
    }

    /// The width for text: `COLUMNS`, else that of the window, else 100.
    pub fn columns(&self) -> usize {
        let configured = self.env("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        let width = |term: &console::Term| term.size_checked().map(|(_, columns)| usize::from(columns));
        let window = || [console::Term::stdout(), console::Term::stderr()].iter().find_map(width);
        configured.or(self.0.columns).or_else(window).unwrap_or(DEFAULT_COLUMNS).max(LEAST_COLUMNS)
    }

    /// The options for a stream. Only text on a terminal is wrapped.
    ///
    /// Colours, first match decides: the choice; `NO_COLOR` not empty (no-color.org); `CLICOLOR_FORCE` neither empty nor
    /// `0`, then `CLICOLOR` that is `0` (bixense.com/clicolors); no terminal, or a `dumb` one.
    pub fn render_options(&self, stream: Stream, choice: ColorChoice) -> RenderOptions {
        let tty = self.is_tty(stream);
        let set = |name: &str| self.env(name).filter(|value| !value.is_empty());
        let coloured = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR").is_some() => false,
            ColorChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => tty && !self.is_dumb() && set("CLICOLOR").is_none_or(|value| value != "0"),
        };
        RenderOptions { coloured, unicode: self.speaks_unicode(), columns: tty.then(|| self.columns()) }
    }

    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    pub fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    /// Writes data, above the live lines if they are on the same terminal.
    pub(super) fn write_out(&self, text: &str) -> io::Result<()> {
        let write = || self.screen().write_out(text);
        if self.0.stdout_tty && self.0.stderr_tty { self.above(write) } else { write() }
    }

    pub fn write_err(&self, text: &str) {
        self.above(|| self.screen().write_err(text));
    }

    /// Hides the live lines during a prompt, or shows them again.
    pub(super) fn hold(&self, held: bool) {
        self.0.live.suspend(|| self.screen().held = held);
    }

    fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        // Not under indicatif's lock during a prompt: it may last, and nothing is drawn.
        if self.screen().held { write() } else { self.0.live.suspend(write) }
    }

    /// Locks the streams. Must not be held during calls of indicatif.
    pub(super) fn screen(&self) -> MutexGuard<'_, Screen> {
        screen::lock(&self.0.screen)
    }

    /// Whether `TERM` is `dumb` or absent (except on Windows), so that no escape sequence is safe.
    fn is_dumb(&self) -> bool {
        self.env("TERM").map_or(!cfg!(windows), |term| term.is_empty() || term == "dumb")
    }

    /// Whether the locale uses UTF-8. The first of the three variables that is not empty decides (POSIX).
    fn speaks_unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.env(name).filter(|v| !v.is_empty()));
        locale.map_or(cfg!(windows), |locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
    }
}

#[cfg(test)]
mod tests;
