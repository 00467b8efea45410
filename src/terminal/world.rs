//! The world outside: streams, keyboard, environment, window, clock. Real, or captured for a test.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, tz::TimeZone};

use super::prompt::Answer;
use super::screen::Screen;
use super::style::Look;

/// One of the two streams that the program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Data.
    Out,
    /// Everything else.
    Err,
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// Nowhere.
    Never,
}

/// What the program is connected to. Cheap to clone; clones share the streams. Holds no process-wide state, so a process
/// can use one after the other.
#[derive(Clone)]
pub struct Terminal(Arc<World>);

struct World {
    screen: Mutex<Screen>,
    stdin_tty: bool,
    stdout_tty: bool,
    stderr_tty: bool,
    /// `None`: the window is asked each time, since it may change while the program waits.
    columns: Option<usize>,
    /// `None`: the process's environment.
    environment: Option<BTreeMap<String, String>>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    zone: TimeZone,
    keyboard: Keyboard,
}

/// Where answers come from.
pub(super) enum Keyboard {
    Real,
    Script(Mutex<VecDeque<Answer>>),
}

/// Columns when neither the window nor `COLUMNS` says.
const DEFAULT_COLUMNS: usize = 100;
/// A window narrower than this is treated as this wide: wrapping further only makes it harder to read.
const LEAST_COLUMNS: usize = 20;

impl Terminal {
    /// The process's own streams, environment, clock and time zone.
    pub fn real() -> Self {
        let (stdout_tty, stderr_tty) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self(Arc::new(World {
            screen: Mutex::new(Screen::new(Box::new(io::stdout()), Box::new(io::stderr()), stdout_tty && stderr_tty)),
            stdin_tty: io::stdin().is_terminal(),
            stdout_tty,
            stderr_tty,
            columns: None,
            environment: None,
            clock: Arc::new(Timestamp::now),
            zone: TimeZone::system(),
            keyboard: Keyboard::Real,
        }))
    }

    /// A terminal that exists in memory only, and what will have been written to it.
    pub fn captured(setting: Setting) -> (Self, Captured) {
        let captured = Captured::default();
        let out: Box<dyn Write + Send> =
            if setting.reader_gone { Box::new(Gone) } else { Box::new(Pen(captured.out.clone())) };
        let screen = Screen::new(out, Box::new(Pen(captured.err.clone())), setting.stdout_tty && setting.stderr_tty);
        let terminal = Self(Arc::new(World {
            screen: Mutex::new(screen),
            stdin_tty: setting.stdin_tty,
            stdout_tty: setting.stdout_tty,
            stderr_tty: setting.stderr_tty,
            columns: Some(setting.columns),
            environment: Some(setting.environment),
            clock: setting.clock,
            zone: setting.zone,
            keyboard: Keyboard::Script(Mutex::new(setting.answers)),
        }));
        (terminal, captured)
    }

    /// An environment variable. One that is not valid Unicode counts as absent.
    pub fn env(&self, name: &str) -> Option<String> {
        match &self.0.environment {
            Some(fixed) => fixed.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }

    /// Whether that stream is a terminal.
    pub fn is_tty(&self, stream: Stream) -> bool {
        match stream {
            Stream::Out => self.0.stdout_tty,
            Stream::Err => self.0.stderr_tty,
        }
    }

    /// Whether a person is there to answer: stdin, where answers come from, and stderr, where questions appear.
    pub fn can_ask(&self) -> bool {
        self.0.stdin_tty && self.0.stderr_tty
    }

    /// Whether a line on stderr can be redrawn in place.
    pub fn can_redraw(&self) -> bool {
        self.0.stderr_tty && !self.is_dumb()
    }

    /// Columns to lay text out in: `COLUMNS`, else the window's, else 100.
    pub fn columns(&self) -> usize {
        let asked = self.env("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        let window = || match self.0.columns {
            Some(columns) => Some(columns),
            None => [console::Term::stdout(), console::Term::stderr()]
                .iter()
                .find_map(|term| term.size_checked().map(|(_, columns)| usize::from(columns))),
        };
        asked.or_else(window).unwrap_or(DEFAULT_COLUMNS).max(LEAST_COLUMNS)
    }

    /// How text for `stream` is to look. Each stream is decided by itself: data may be piped while a person reads stderr.
    ///
    /// Colours, first match decides: the choice; `NO_COLOR` not empty (no-color.org); `CLICOLOR_FORCE` neither empty nor
    /// `0` (bixense.com/clicolors); no terminal, or one that is `dumb`. Text is wrapped on a terminal only.
    pub fn look(&self, stream: Stream, choice: ColorChoice) -> Look {
        let tty = self.is_tty(stream);
        let set = |name: &str| self.env(name).filter(|value| !value.is_empty());
        let coloured = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR").is_some() => false,
            ColorChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => tty && !self.is_dumb(),
        };
        Look { coloured, unicode: self.speaks_unicode(), columns: tty.then(|| self.columns()) }
    }

    /// Now, by this terminal's clock.
    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// The zone for times of day.
    pub fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    pub(super) fn keyboard(&self) -> &Keyboard {
        &self.0.keyboard
    }

    /// The streams. A thread that panicked while it printed does not silence the others.
    pub(super) fn screen(&self) -> MutexGuard<'_, Screen> {
        self.0.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `TERM` is `dumb`, or (but on Windows, which sets none) absent: no escape sequence is safe.
    fn is_dumb(&self) -> bool {
        self.env("TERM").map_or(!cfg!(windows), |term| term.is_empty() || term == "dumb")
    }

    /// POSIX: the first of the three that is set and not empty decides the character set.
    fn speaks_unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.env(name).filter(|v| !v.is_empty()));
        locale.map_or(cfg!(windows), |locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
    }
}

/// How a captured terminal is to be.
#[derive(Clone)]
pub struct Setting {
    stdin_tty: bool,
    stdout_tty: bool,
    stderr_tty: bool,
    columns: usize,
    environment: BTreeMap<String, String>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    zone: TimeZone,
    answers: VecDeque<Answer>,
    reader_gone: bool,
}

impl Setting {
    /// Nothing is a terminal: a script, a CI job. UTF-8, UTC, and a clock that stands at 2026-11-23 10:41:07.
    pub fn piped() -> Self {
        let start = Timestamp::from_second(1_795_430_467).unwrap_or_default();
        Self {
            stdin_tty: false,
            stdout_tty: false,
            stderr_tty: false,
            columns: DEFAULT_COLUMNS,
            environment: [("LANG".to_owned(), "C.UTF-8".to_owned())].into(),
            clock: Arc::new(move || start),
            zone: TimeZone::UTC,
            answers: VecDeque::new(),
            reader_gone: false,
        }
    }

    /// A person before a terminal of so many columns, with colours; otherwise as [`Setting::piped`].
    pub fn terminal(columns: usize) -> Self {
        let mut setting = Self { stdin_tty: true, stdout_tty: true, stderr_tty: true, columns, ..Self::piped() };
        setting.environment.insert("TERM".to_owned(), "xterm-256color".to_owned());
        setting
    }

    /// Sets an environment variable. Nothing of the process's own environment is seen.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Pipes stdout away from the terminal.
    #[must_use]
    pub fn stdout_piped(mut self) -> Self {
        self.stdout_tty = false;
        self
    }

    /// Takes the terminal away from stdin.
    #[must_use]
    pub fn stdin_piped(mut self) -> Self {
        self.stdin_tty = false;
        self
    }

    /// Takes the terminal away from stderr.
    #[must_use]
    pub fn stderr_piped(mut self) -> Self {
        self.stderr_tty = false;
        self
    }

    /// What the person will type, one answer per question asked. When they run out, input ends.
    #[must_use]
    pub fn answers(mut self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.answers.extend(answers);
        self
    }

    /// The clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The time zone.
    #[must_use]
    pub fn zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Whoever read stdout has left (`| head`).
    #[must_use]
    pub fn reader_gone(mut self) -> Self {
        self.reader_gone = true;
        self
    }
}

/// What was written to a captured terminal. Cheap to clone; clones see the same.
#[derive(Clone, Default)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    /// Everything on stdout so far.
    pub fn stdout(&self) -> String {
        Self::text(&self.out)
    }

    /// Everything on stderr so far, with what a person typed where it was asked.
    pub fn stderr(&self) -> String {
        Self::text(&self.err)
    }

    fn text(bytes: &Mutex<Vec<u8>>) -> String {
        String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// Writes into memory.
struct Pen(Arc<Mutex<Vec<u8>>>);

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe without a reader.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(setting: Setting, stream: Stream, choice: ColorChoice) -> Look {
        Terminal::captured(setting).0.look(stream, choice)
    }

    #[test]
    fn colour_follows_choice_then_environment_then_terminal() {
        let coloured = |setting: Setting, choice| look(setting, Stream::Err, choice).coloured;
        use ColorChoice::{Always, Auto, Never};
        let tty = || Setting::terminal(80);
        assert!(coloured(tty(), Auto));
        assert!(!coloured(tty(), Never));
        assert!(!coloured(Setting::piped(), Auto));
        assert!(coloured(Setting::piped().env("NO_COLOR", "1"), Always));
        assert!(!coloured(tty().env("NO_COLOR", "1"), Auto));
        assert!(coloured(tty().env("NO_COLOR", ""), Auto));
        assert!(coloured(Setting::piped().env("CLICOLOR_FORCE", "1"), Auto));
        assert!(!coloured(Setting::piped().env("CLICOLOR_FORCE", "0"), Auto));
        assert!(!coloured(tty().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"), Auto));
        assert!(!coloured(tty().env("TERM", "dumb"), Auto));
        assert!(!coloured(tty().env("TERM", ""), Auto));
    }

    #[test]
    fn each_stream_is_decided_by_itself() {
        let setting = Setting::terminal(80).stdout_piped();
        assert!(!look(setting.clone(), Stream::Out, ColorChoice::Auto).coloured);
        assert_eq!(look(setting.clone(), Stream::Out, ColorChoice::Auto).columns, None);
        assert!(look(setting.clone(), Stream::Err, ColorChoice::Auto).coloured);
        assert_eq!(look(setting, Stream::Err, ColorChoice::Auto).columns, Some(80));
    }

    #[test]
    fn the_locale_decides_the_signs() {
        let unicode = |setting: Setting| look(setting, Stream::Out, ColorChoice::Auto).unicode;
        assert!(unicode(Setting::piped()));
        assert!(unicode(Setting::piped().env("LANG", "de_DE.utf8")));
        assert!(!unicode(Setting::piped().env("LANG", "C")));
        assert!(!unicode(Setting::piped().env("LC_ALL", "POSIX")));
        assert!(unicode(Setting::piped().env("LC_ALL", "").env("LC_CTYPE", "en_GB.UTF-8").env("LANG", "C")));
    }

    #[test]
    fn columns_may_be_said() {
        let columns = |setting| Terminal::captured(setting).0.columns();
        assert_eq!(columns(Setting::terminal(120)), 120);
        assert_eq!(columns(Setting::terminal(120).env("COLUMNS", "60")), 60);
        assert_eq!(columns(Setting::terminal(120).env("COLUMNS", "none")), 120);
        assert_eq!(columns(Setting::terminal(3)), LEAST_COLUMNS);
    }

    #[test]
    fn a_dumb_terminal_is_asked_on_but_never_redrawn() {
        let (terminal, _) = Terminal::captured(Setting::terminal(80).env("TERM", "dumb"));
        assert!(terminal.can_ask());
        assert!(!terminal.can_redraw());
        assert!(!Terminal::captured(Setting::terminal(80).stdin_piped()).0.can_ask());
        assert!(!Terminal::captured(Setting::terminal(80).stderr_piped()).0.can_ask());
    }
}
