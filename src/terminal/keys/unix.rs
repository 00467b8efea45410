//! Raw mode and keys on a Unix terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Key;
use super::decode::{Bytes, Decoder};

/// The terminal as it was, put back when this is dropped: also on a panic.
pub(super) struct Raw {
    before: Termios,
    decoder: Decoder<Stdin>,
}

/// How long bytes of one key, or of one paste, may be apart. Nobody types that fast.
const TOGETHER: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

/// How often a question looks whether it is still wanted.
const A_WHILE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

impl Raw {
    /// No echo, no lines, no signals from keys; what was typed before is dropped. Output stays as it was.
    pub(super) fn enter(over: Arc<AtomicBool>) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
        Ok(Self { before, decoder: Decoder::new(Stdin { over }) })
    }

    /// Waits for a key. A terminal that went away is an `UnexpectedEof`.
    pub(super) fn key(&mut self) -> io::Result<Key> {
        self.decoder.key()
    }

    /// Whether more than line ends waits behind the line end that was just read; takes it all away.
    pub(super) fn more_lines() -> io::Result<bool> {
        let mut more = false;
        let mut bytes = Zeroizing::new([0; 1024]);
        while waits(&TOGETHER)? {
            let read = retry_on_intr(|| rustix::io::read(io::stdin(), &mut bytes[..]))?;
            if read == 0 {
                break;
            }
            more |= bytes[..read].iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        }
        Ok(more)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Drain, not flush: what is typed already is for whoever reads next. Nobody could be told of a failure.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// The process's own input. Not by way of std's, which would read ahead and keep what the next question has to drop.
struct Stdin {
    /// Somebody outside wants the question to end: an `Interrupted` error then.
    over: Arc<AtomicBool>,
}

impl Bytes for Stdin {
    fn next(&mut self) -> io::Result<u8> {
        while !waits(&A_WHILE)? {
            if self.over.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        let mut byte = Zeroizing::new([0]);
        match retry_on_intr(|| rustix::io::read(io::stdin(), &mut byte[..])) {
            Ok(1) => Ok(byte[0]),
            // Linux says EIO once the other side of the terminal is closed.
            Ok(_) | Err(rustix::io::Errno::IO) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn waits(&self) -> io::Result<bool> {
        waits(&TOGETHER)
    }
}

/// Whether something can be read within that time.
fn waits(limit: &Timespec) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut wait = [PollFd::new(&stdin, PollFlags::IN)];
    retry_on_intr(|| poll(&mut wait, Some(limit)))?;
    // A terminal that went away is "readable" too: the read then says so.
    Ok(!wait[0].revents().is_empty())
}
