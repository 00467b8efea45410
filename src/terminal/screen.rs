//! Both streams behind one lock, and the live lines that indicatif redraws.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

/// Moves to the start of the line and clears it (ECMA-48 EL).
pub(super) const ERASE: &str = "\r\u{1b}[K";

pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// A prompt is open: live lines are not drawn.
    pub(super) held: bool,
    pub(super) live: usize,
    /// The reader of stdout has exited (`| head`).
    pub(super) closed: bool,
}

impl Screen {
    pub(super) fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { out, err, held: false, live: 0, closed: false }
    }

    /// Writes data. After the reader has exited, discards it without an error.
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

    /// Writes to stderr. Ignores errors, which can't be reported.
    pub(super) fn write_err(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

pub(super) fn live_lines(screen: Arc<Mutex<Screen>>) -> MultiProgress {
    let pen = Box::new(FrameWriter { screen, frame: Mutex::default() });
    let lines = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(pen));
    // Overwrite instead of clearing first, which would flicker.
    lines.set_move_cursor(true);
    lines
}

/// Draws a frame in one write. Never hides the cursor, so that it can't stay hidden after a crash.
#[derive(Debug)]
struct FrameWriter {
    screen: Arc<Mutex<Screen>>,
    frame: Mutex<Frame>,
}

#[derive(Debug, Default)]
struct Frame {
    text: String,
    /// The next text starts a new row.
    full: bool,
}

impl FrameWriter {
    fn add(&self, text: &str) {
        lock(&self.frame).text.push_str(text);
    }

    fn steps(&self, count: usize, direction: char) {
        if count > 0 {
            self.add(&format!("\u{1b}[{count}{direction}"));
        }
    }
}

impl TermLike for FrameWriter {
    /// Larger than any text; callers cut text to the window.
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

    /// indicatif pads a line to the width of the window to start a new row. The padding would wrap in a smaller window.
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

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screen")
    }
}

/// Locks also after a panic in another thread.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
