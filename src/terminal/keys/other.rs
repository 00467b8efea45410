//! Keys where there is no Unix terminal. The console is put into raw mode key by key there, and never echoes between.

use std::io;

use super::Key;

/// Nothing has to be put back.
pub(super) struct Raw;

impl Raw {
    pub(super) fn enter(_: std::sync::Arc<std::sync::atomic::AtomicBool>) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn key(&mut self) -> io::Result<Key> {
        Ok(match console::Term::stderr().read_key_raw()? {
            console::Key::Char(c) => Key::of(c),
            console::Key::Enter => Key::Enter,
            console::Key::Backspace => Key::Backspace,
            console::Key::CtrlC => Key::Interrupt,
            console::Key::Unknown => Key::Unreadable,
            _ => Key::Other,
        })
    }

    /// Cannot be told there: the rest of what was pasted comes to the next question.
    pub(super) fn more_lines() -> io::Result<bool> {
        Ok(false)
    }
}
