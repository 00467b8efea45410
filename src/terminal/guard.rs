//! Makes dialoguer's prompts safe to interrupt.
//!
//! The problems of dialoguer 0.12 and console 0.16: a signal during a password prompt leaves the echo off. Other keys are read
//! in raw mode, where Ctrl-C raises SIGINT, every handled signal counts as Ctrl-C, and Ctrl-D is ignored. The cursor is hidden
//! until an answer. Keys are always read from file descriptor 0, so they can't be filtered.
//!
//! Therefore file descriptor 0 is a pseudo-terminal during a prompt, and dialoguer has its own thread. Keys are forwarded
//! from the real terminal, which only this file changes and restores. A prompt without an answer closes the pseudo-terminal,
//! which ends dialoguer's thread.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use console::Term;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, FdFlags, fcntl_setfd, read, retry_on_intr};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::screen::{Screen, lock};
use super::tty::Terminal;
use super::unanswered::{LINES, PromptError};

/// The longest pause between bytes of one paste; typing is slower.
const TOGETHER: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
/// How often to check for an answer or an interrupt.
const INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
/// The longest line in bytes. The kernel silently drops bytes of a password after 4095.
const ROOM: usize = 4000;
const TOO_LONG: &str = "The answer is longer than 4000 bytes.";
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const BACKSPACE: u8 = 0x7f;

/// Asks `question` and discards earlier input. `hidden` means that it is a [`dialoguer::Password`].
pub(super) fn ask<T: Send>(
    terminal: &Terminal,
    hidden: bool,
    question: impl FnOnce(&Term) -> dialoguer::Result<T> + Send,
) -> Result<T, PromptError> {
    let (keyboard, keys_into) = Keyboard::take(hidden)?;
    let term = Term::read_write_pair(io::stdin(), ScreenWriter(terminal.0.screen.clone()));
    thread::scope(|scope| {
        let asking = thread::Builder::new().name("question".to_owned()).spawn_scoped(scope, || question(&term))?;
        let over = || terminal.0.stop_asking.load(Ordering::Relaxed);
        keyboard.pass_on(keys_into, hidden, || asking.is_finished(), over)?;
        let answer = asking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        answer.map_err(|dialoguer::Error::IO(error)| error.into())
    })
}

/// The real terminal; dropping it restores the terminal, also on a panic.
struct Keyboard {
    real: OwnedFd,
    before: Termios,
    inner: OwnedFd,
}

impl Keyboard {
    /// Returns the file to write keys into as the second value.
    fn take(hidden: bool) -> io::Result<(Self, File)> {
        let real = io::stdin().as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&real)?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        #[cfg(not(target_vendor = "apple"))]
        let flags = flags | OpenptFlags::CLOEXEC;
        let outer = openpt(flags)?;
        // macOS has no flag for it.
        fcntl_setfd(&outer, FdFlags::CLOEXEC)?;
        grantpt(&outer)?;
        unlockpt(&outer)?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let inner = rustix::fs::open(ptsname(&outer, Vec::new())?, flags, Mode::empty())?;
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        // The kernel edits a password; the other keys are read in raw mode.
        let mut idle = if hidden { before.clone() } else { raw.clone() };
        idle.local_modes.insert(until_read(hidden));
        tcsetattr(&inner, OptionalActions::Now, &idle)?;
        tcsetattr(&real, OptionalActions::Flush, &raw)?;
        let keyboard = Self { real, before, inner };
        rustix::stdio::dup2_stdin(&keyboard.inner)?;
        Ok((keyboard, outer.into()))
    }

    fn pass_on(
        &self,
        mut into: File,
        hidden: bool,
        answered: impl Fn() -> bool,
        over: impl Fn() -> bool,
    ) -> Result<(), PromptError> {
        let mut typed = 0;
        while !answered() {
            // Dialoguer drops earlier keys. If the pseudo-terminal closed earlier, console would read the real one instead.
            if tcgetattr(&self.inner)?.local_modes.contains(until_read(hidden)) {
                thread::sleep(Duration::from_millis(1));
                continue;
            }
            if over() {
                return Err(PromptError::Interrupted);
            }
            let keys = self.keys(&INTERVAL)?;
            let mut passed = Zeroizing::new(Vec::with_capacity(keys.len() + ROOM));
            for (place, &key) in keys.iter().enumerate() {
                match key {
                    CTRL_C => return Err(PromptError::Interrupted),
                    CTRL_D => return Err(PromptError::Ended),
                    b'\r' | b'\n' if typed > ROOM => return Err(PromptError::Refused(TOO_LONG)),
                    b'\r' | b'\n' if self.more_lines(&keys[place..])? => return Err(LINES),
                    CTRL_U if !hidden => passed.extend(std::iter::repeat_n(BACKSPACE, typed)),
                    _ if typed > ROOM => {}
                    _ => passed.push(key),
                }
                typed = if matches!(key, CTRL_U | b'\r' | b'\n') { 0 } else { typed + 1 };
            }
            into.write_all(&passed)?;
        }
        Ok(())
    }

    /// Whether text follows a newline. Discards it.
    fn more_lines(&self, keys: &[u8]) -> Result<bool, PromptError> {
        let more = |keys: &[u8]| keys.iter().any(|key| !matches!(key, b'\r' | b'\n'));
        let mut found = more(keys);
        loop {
            let keys = self.keys(&TOGETHER)?;
            if keys.is_empty() {
                return Ok(found);
            }
            found |= more(&keys);
        }
    }

    /// The keys that are typed within this time.
    fn keys(&self, within: &Timespec) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        let mut keys = Zeroizing::new(vec![0; 1024]);
        let mut wait = [PollFd::new(&self.real, PollFlags::IN)];
        let length = match retry_on_intr(|| poll(&mut wait, Some(within)))? {
            0 => 0,
            // A closed terminal is readable; Linux returns EIO.
            _ => match retry_on_intr(|| read(&self.real, &mut keys[..])) {
                Ok(0) | Err(Errno::IO) => return Err(PromptError::Interrupted),
                length => length?,
            },
        };
        keys.truncate(length);
        Ok(keys)
    }
}

/// A mode that console switches off while it reads. `ECHONL` has no other effect in raw mode.
fn until_read(hidden: bool) -> LocalModes {
    if hidden { LocalModes::ECHO } else { LocalModes::ECHONL }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        // Drain, not flush: typed keys are for the next reader. Errors can't be reported.
        let _ = rustix::stdio::dup2_stdin(&self.real);
        let _ = tcsetattr(&self.real, OptionalActions::Drain, &self.before);
    }
}

/// Dialoguer's output, through the screen. Never hides the cursor, so that it can't stay hidden after a crash.
#[derive(Clone, Debug)]
struct ScreenWriter(Arc<Mutex<Screen>>);

impl Write for ScreenWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).replace("\u{1b}[?25l", "").replace("\u{1b}[?25h", "");
        lock(&self.0).write_err(&text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRawFd for ScreenWriter {
    fn as_raw_fd(&self) -> RawFd {
        io::stderr().as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
