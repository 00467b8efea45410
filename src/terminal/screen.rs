//! Both streams behind one lock, and the lines below them that indicatif redraws in place.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

/// To the line's start, and clear to its end (ECMA-48 EL).
pub(super) const ERASE: &str = "\r\u{1b}[K";

pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// A question is being asked: live lines wait.
    pub(super) held: bool,
    pub(super) live: usize,
    /// The reader of stdout has gone (`| head`).
    pub(super) closed: bool,
}

impl Screen {
    pub(super) fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { out, err, held: false, live: 0, closed: false }
    }

    /// Writes data. That the reader has gone is no error: it has what it wanted, and the rest is dropped.
    pub(super) fn write_out(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    /// Writes to stderr. When that fails there is nobody left to tell: stdout belongs to the data.
    pub(super) fn write_err(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

pub(super) fn live_lines(screen: Arc<Mutex<Screen>>) -> MultiProgress {
    let pen = Box::new(Pen { screen, frame: Mutex::default() });
    let lines = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(pen));
    // The new text over the old: clearing first would flicker.
    lines.set_move_cursor(true);
    lines
}

/// Draws a frame in one write. The cursor is never hidden, so no way of dying can lose it.
struct Pen {
    screen: Arc<Mutex<Screen>>,
    frame: Mutex<Frame>,
}

#[derive(Default)]
struct Frame {
    text: String,
    /// What is written next begins a row.
    full: bool,
}

impl Pen {
    fn add(&self, text: &str) {
        lock(&self.frame).text.push_str(text);
    }

    fn steps(&self, count: usize, direction: char) {
        if count > 0 {
            self.add(&format!("\u{1b}[{count}{direction}"));
        }
    }
}

impl TermLike for Pen {
    /// Beyond any text: it is cut to the window by whoever makes it.
    fn width(&self) -> u16 {
        1000
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.steps(count, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.steps(count, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.steps(count, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.steps(count, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        lock(&self.frame).full = true;
        Ok(())
    }

    /// indicatif fills a line up to the window's edge with spaces, and goes on in the next row by that. When the window
    /// shrinks they would wrap.
    fn write_str(&self, text: &str) -> io::Result<()> {
        let filler = text.trim_matches(' ').is_empty();
        let full = std::mem::replace(&mut lock(&self.frame).full, filler);
        if full {
            self.add("\r\n");
        }
        self.add(if filler { "\u{1b}[K" } else { text });
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add(ERASE);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let frame = std::mem::take(&mut *lock(&self.frame)).text;
        let mut screen = lock(&self.screen);
        if !screen.held && !frame.is_empty() {
            screen.write_err(&frame);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Pen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pen")
    }
}

/// A thread that panicked while it printed does not silence the others.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
