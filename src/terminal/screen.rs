//! Both streams behind one lock, with the one line that is redrawn in place.
//!
//! Whatever is printed while that line stands takes it away, prints, and puts it back in a single write, so a table or a
//! warning never runs into a spinner.

use std::io::{self, Write};

/// To the line's start, and clear to its end (ECMA-48 EL).
const ERASE: &str = "\r\u{1b}[K";

pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// Both streams are terminals, in all likelihood the same one.
    shared: bool,
    live: Option<String>,
    /// A question is being asked: the live line waits.
    held: bool,
    /// The reader of stdout has gone (`| head`).
    closed: bool,
}

impl Screen {
    pub(super) fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, shared: bool) -> Self {
        Self { out, err, shared, live: None, held: false, closed: false }
    }

    /// Writes data. That the reader has gone is no error: it has what it wanted, and the rest is dropped.
    pub(super) fn write_out(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let redraw = self.shared && self.visible().is_some();
        if redraw {
            self.raw_err(ERASE);
        }
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        if redraw {
            let live = self.visible().unwrap_or_default().to_owned();
            self.raw_err(&live);
        }
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes to stderr. When that fails there is nobody left to tell.
    pub(super) fn write_err(&mut self, text: &str) {
        let whole = match self.visible() {
            Some(live) => format!("{ERASE}{text}{live}"),
            None => text.to_owned(),
        };
        self.raw_err(&whole);
    }

    /// Puts `line` (one line, narrower than the window) in place of the present live line, or takes that away.
    pub(super) fn set_live(&mut self, line: Option<String>) {
        if self.live == line {
            return;
        }
        let stood = self.visible().is_some();
        self.live = line;
        let frame = match self.visible() {
            // The new text first and the rest of the old after it: clearing first would flicker.
            Some(words) => format!("\r{words}\u{1b}[K"),
            None if stood => ERASE.to_owned(),
            None => return,
        };
        self.raw_err(&frame);
    }

    /// Writes `text` in place of the live line, which ends with that: a stage that is over.
    pub(super) fn replace_live(&mut self, text: &str) {
        let erase = if self.visible().is_some() { ERASE } else { "" };
        self.live = None;
        self.raw_err(&format!("{erase}{text}"));
    }

    /// Takes the live line off the screen while a question is asked, or puts it back.
    pub(super) fn hold(&mut self, held: bool) {
        if held && self.visible().is_some() {
            self.raw_err(ERASE);
        }
        self.held = held;
        if let Some(live) = self.visible().map(str::to_owned) {
            self.raw_err(&live);
        }
    }

    /// Whether a question is being asked.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    fn visible(&self) -> Option<&str> {
        if self.held { None } else { self.live.as_deref() }
    }

    fn raw_err(&mut self, text: &str) {
        // The only other place to complain to would be stdout, which belongs to the data.
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Both streams on one sheet, as on one terminal.
    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<String>>);

    impl Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push_str(&String::from_utf8_lossy(bytes).replace('\u{1b}', "^"));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn screen(shared: bool) -> (Screen, Sheet) {
        let sheet = Sheet::default();
        (Screen::new(Box::new(sheet.clone()), Box::new(sheet.clone()), shared), sheet)
    }

    fn written(sheet: &Sheet) -> String {
        std::mem::take(&mut *sheet.0.lock().unwrap())
    }

    #[test]
    fn data_on_the_same_terminal_stand_above_the_live_line() {
        let (mut screen, sheet) = screen(true);
        screen.set_live(Some("live".to_owned()));
        written(&sheet);
        screen.write_out("NAME\n").unwrap();
        assert_eq!(written(&sheet), "\r^[KNAME\nlive");
    }

    #[test]
    fn piped_data_leave_the_live_line_alone() {
        let (mut screen, sheet) = screen(false);
        screen.set_live(Some("live".to_owned()));
        written(&sheet);
        screen.write_out("NAME\n").unwrap();
        assert_eq!(written(&sheet), "NAME\n");
    }

    #[test]
    fn nothing_is_drawn_over_a_question() {
        let (mut screen, sheet) = screen(true);
        screen.set_live(Some("one".to_owned()));
        written(&sheet);
        screen.hold(true);
        assert_eq!(written(&sheet), "\r^[K");
        screen.set_live(Some("two".to_owned()));
        screen.write_err("Go on? ");
        assert_eq!(written(&sheet), "Go on? ");
        screen.hold(false);
        assert_eq!(written(&sheet), "two");
    }

    #[test]
    fn what_did_not_change_is_not_drawn_again() {
        let (mut screen, sheet) = screen(true);
        screen.set_live(Some("one".to_owned()));
        written(&sheet);
        screen.set_live(Some("one".to_owned()));
        assert_eq!(written(&sheet), "");
        screen.set_live(None);
        assert_eq!(written(&sheet), "\r^[K");
    }
}
