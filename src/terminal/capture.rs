//! An in-memory terminal for tests.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{Timestamp, tz::TimeZone};

use super::screen::{self, Screen};
use super::script::{ScriptedAnswer, script};
use super::tty::{Clock, Connected, DEFAULT_COLUMNS, Terminal};

#[derive(Clone)]
pub struct Setting {
    pub(super) stdin_tty: bool,
    pub(super) stdout_tty: bool,
    pub(super) stderr_tty: bool,
    pub(super) columns: usize,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) clock: Clock,
    pub(super) zone: TimeZone,
    pub(super) answers: VecDeque<ScriptedAnswer>,
    pub(super) stdout_fails: Option<io::ErrorKind>,
}

impl Setting {
    /// No stream is a terminal, as in a script. UTF-8, UTC, and a clock that is stopped at 2026-11-23 10:41:07.
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
            stdout_fails: None,
        }
    }

    /// All streams are a terminal with colours; otherwise like [`Setting::piped`].
    pub fn terminal(columns: usize) -> Self {
        let mut setting = Self { stdin_tty: true, stdout_tty: true, stderr_tty: true, columns, ..Self::piped() };
        setting.environment.insert("TERM".to_owned(), "xterm-256color".to_owned());
        setting
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    #[must_use]
    pub fn stdout_piped(mut self) -> Self {
        self.stdout_tty = false;
        self
    }

    #[must_use]
    pub fn stdin_piped(mut self) -> Self {
        self.stdin_tty = false;
        self
    }

    #[must_use]
    pub fn stderr_piped(mut self) -> Self {
        self.stderr_tty = false;
        self
    }

    /// The answers, one per prompt. After the last one the input ends.
    #[must_use]
    pub fn answers(mut self, answers: impl IntoIterator<Item = ScriptedAnswer>) -> Self {
        self.answers.extend(answers);
        self
    }

    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    #[must_use]
    pub fn zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// The reader of stdout has exited (`| head`).
    #[must_use]
    pub fn reader_gone(mut self) -> Self {
        self.stdout_fails = Some(io::ErrorKind::BrokenPipe);
        self
    }

    #[must_use]
    pub fn disk_full(mut self) -> Self {
        self.stdout_fails = Some(io::ErrorKind::StorageFull);
        self
    }
}

/// The output of a captured terminal. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    pub fn stdout(&self) -> String {
        Self::text(&self.out)
    }

    /// The stderr so far, with the echoed answers.
    pub fn stderr(&self) -> String {
        Self::text(&self.err)
    }

    pub(super) fn writers(
        &self,
        stdout_fails: Option<io::ErrorKind>,
    ) -> (Box<dyn Write + Send>, Box<dyn Write + Send>) {
        let out: Box<dyn Write + Send> = match stdout_fails {
            Some(kind) => Box::new(Broken(kind)),
            None => Box::new(Buffer(self.out.clone())),
        };
        (out, Box::new(Buffer(self.err.clone())))
    }

    fn text(bytes: &Mutex<Vec<u8>>) -> String {
        String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

impl Terminal {
    /// An in-memory terminal and its output.
    pub fn captured(setting: Setting) -> (Self, Captured) {
        let captured = Captured::default();
        let (out, err) = captured.writers(setting.stdout_fails);
        let screen = Arc::new(Mutex::new(Screen::new(out, err)));
        let terminal = Self(Arc::new(Connected {
            live: screen::live_lines(Arc::clone(&screen)),
            script: Some(script(setting.answers, Arc::clone(&screen))),
            screen,
            stdin_tty: setting.stdin_tty,
            stdout_tty: setting.stdout_tty,
            stderr_tty: setting.stderr_tty,
            columns: Some(setting.columns),
            environment: Some(setting.environment),
            clock: setting.clock,
            zone: setting.zone,
            stop_asking: AtomicBool::default(),
        }));
        (terminal, captured)
    }
}
