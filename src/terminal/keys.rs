//! Reads one line from the keyboard, key by key.
//!
//! Why not a prompt library: reading their sources, hidden input is read in line mode with signals on, so Ctrl-C ends the
//! process while the terminal still hides what is typed; other questions raise SIGINT with the cursor hidden; and Ctrl-D is
//! ignored. Here the terminal is put into raw mode for the whole question, Ctrl-C is a key like any other, nothing is ever
//! hidden that would have to be shown again, and a guard puts the terminal back whatever happens.

use std::io;

use console::{Key, Term};
use zeroize::Zeroizing;

use super::prompt::Answer;
use super::text;
use super::world::{Keyboard, Terminal};

/// What came from the keyboard.
pub(super) enum Typed {
    /// One line, without its end.
    Line(Zeroizing<String>),
    /// More than one line at once: something was pasted. None of it is kept.
    Pasted,
    /// Ctrl-D on an empty line, or the terminal went away.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// Shows `prompt` and reads a line. What was typed before the prompt was there is dropped: it answers no question.
pub(super) fn read_line(terminal: &Terminal, prompt: &str, hidden: bool) -> io::Result<Typed> {
    match terminal.keyboard() {
        Keyboard::Real => Editor::new(terminal, prompt, hidden).read(),
        Keyboard::Script(answers) => {
            let answer = answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_front();
            let echo = match &answer {
                Some(Answer::Line(line)) if !hidden => line.as_str(),
                Some(Answer::CtrlC) => "^C",
                _ => "",
            };
            terminal.screen().write_err(&format!("{prompt}{echo}\n"));
            Ok(match answer {
                Some(Answer::Line(line)) if line.contains('\n') => Typed::Pasted,
                Some(Answer::Line(line)) => Typed::Line(Zeroizing::new(line)),
                Some(Answer::CtrlC) => Typed::Interrupted,
                Some(Answer::CtrlD) | None => Typed::End,
            })
        }
    }
}

struct Editor<'a> {
    terminal: &'a Terminal,
    prompt: &'a str,
    hidden: bool,
    line: Zeroizing<String>,
}

/// Room for what is typed: a line that outgrew it would be copied, and the copy left behind in memory.
const ROOM: usize = 8192;

impl<'a> Editor<'a> {
    fn new(terminal: &'a Terminal, prompt: &'a str, hidden: bool) -> Self {
        Self { terminal, prompt, hidden, line: Zeroizing::new(String::with_capacity(ROOM)) }
    }

    fn read(mut self) -> io::Result<Typed> {
        let _raw = raw::Raw::enter()?;
        self.show(self.prompt);
        let typed = self.keys();
        self.show(if matches!(typed, Ok(Typed::Interrupted)) { "^C\n" } else { "\n" });
        typed
    }

    fn keys(&mut self) -> io::Result<Typed> {
        loop {
            let key = match Term::stderr().read_key_raw() {
                Ok(key) => key,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Typed::End),
                // Some systems hand Ctrl-C over as an interrupted read.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Typed::Interrupted),
                Err(error) => return Err(error),
            };
            match key {
                Key::CtrlC | Key::Char('\u{3}') => return Ok(Typed::Interrupted),
                Key::Char('\u{4}') if self.line.is_empty() => return Ok(Typed::End),
                Key::Enter if raw::more_lines()? => return Ok(Typed::Pasted),
                Key::Enter => return Ok(Typed::Line(std::mem::take(&mut self.line))),
                Key::Backspace => self.keep(|line| line.char_indices().next_back().map_or(0, |(at, _)| at)),
                // As in a shell: Ctrl-U takes the line, Ctrl-W the last word.
                Key::Char('\u{15}') => self.keep(|_| 0),
                Key::Char('\u{17}') => self.keep(|line| line.trim_end().rfind(' ').map_or(0, |at| at + 1)),
                Key::Char(c) if !c.is_control() && self.line.len() + c.len_utf8() <= ROOM => {
                    self.line.push(c);
                    if !self.hidden {
                        self.show(c.encode_utf8(&mut [0; 4]));
                    }
                }
                _ => {}
            }
        }
    }

    /// Cuts the line after as many bytes as `end` says and draws it anew, over as many rows as it has taken.
    fn keep(&mut self, end: impl Fn(&str) -> usize) {
        let end = end(&self.line);
        let rows = self.rows();
        self.line.truncate(end);
        if self.hidden {
            return;
        }
        let up = if rows > 0 { format!("\u{1b}[{rows}A") } else { String::new() };
        // Up to the question's row, to its start, clear to the screen's end.
        self.show(&format!("{up}\r\u{1b}[J{}{}", self.prompt, self.line.as_str()));
    }

    /// Rows between the question's start and the cursor.
    fn rows(&self) -> usize {
        rows(&format!("{}{}", self.prompt, self.line.as_str()), self.terminal.columns())
    }

    fn show(&self, text: &str) {
        self.terminal.screen().write_err(text);
    }
}

/// Rows that a terminal breaks `text` into, less one. A wide character that does not fit at a row's end moves on whole.
fn rows(text: &str, columns: usize) -> usize {
    let (mut rows, mut used) = (0, 0);
    for c in console::strip_ansi_codes(text).chars() {
        let wide = text::width(c.encode_utf8(&mut [0; 4]));
        if used + wide > columns {
            rows += 1;
            used = 0;
        }
        used += wide;
    }
    rows
}

#[cfg(unix)]
mod raw {
    use std::io;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    /// The terminal as it was, put back when this is dropped: also on a panic.
    pub(super) struct Raw(Termios);

    impl Raw {
        /// No echo, no lines, no signals from keys; what was typed before is dropped. Output stays as it was.
        pub(super) fn enter() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut raw = before.clone();
            raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
            tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
            Ok(Self(before))
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            // Drain, not flush: what is typed already is for whoever reads next. Nobody could be told of a failure.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
        }
    }

    /// How long after a line's end more input counts as part of the same paste. Nobody types that fast.
    const PASTE: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

    /// Whether more than line ends waits behind the line end that was just read; takes it all away.
    pub(super) fn more_lines() -> io::Result<bool> {
        let stdin = io::stdin();
        let mut more = false;
        let mut bytes = Zeroizing::new([0; 1024]);
        while poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&PASTE))? > 0 {
            let read = rustix::io::read(&stdin, &mut bytes[..])?;
            if read == 0 {
                break;
            }
            more |= bytes[..read].iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        }
        Ok(more)
    }
}

#[cfg(not(unix))]
mod raw {
    use std::io;

    /// The console is put into raw mode key by key there, and never echoes between.
    pub(super) struct Raw;

    impl Raw {
        pub(super) fn enter() -> io::Result<Self> {
            Ok(Self)
        }
    }

    /// Cannot be told there; the rest of a paste answers the next question's validation.
    pub(super) fn more_lines() -> io::Result<bool> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn rows_are_counted_as_a_terminal_breaks_them() {
        assert_eq!(rows("", 10), 0);
        assert_eq!(rows("0123456789", 10), 0);
        assert_eq!(rows("0123456789a", 10), 1);
        assert_eq!(rows("012345678日", 10), 1);
        assert_eq!(rows("\u{1b}[1m0123456789\u{1b}[0m", 10), 0);
    }
}
