//! Reads one line from the keyboard, key by key.
//!
//! Why not a prompt library: reading their sources, hidden input is read in line mode with signals on, so Ctrl-C ends the
//! process while the terminal still hides what is typed; other questions raise SIGINT with the cursor hidden; a signal that
//! the program handles (a child that ended, a resized window) passes for Ctrl-C; and Ctrl-D is ignored. Here the terminal is
//! put into raw mode for the whole question, Ctrl-C is a key like any other, nothing is ever hidden that would have to be
//! shown again, and a guard puts the terminal back whatever happens.

#[cfg(unix)]
mod decode;
#[cfg_attr(unix, path = "keys/unix.rs")]
#[cfg_attr(not(unix), path = "keys/other.rs")]
mod raw;

use std::io;

use zeroize::Zeroizing;

use super::prompt::Answer;
use super::text;
use super::world::{Keyboard, Terminal};
use raw::Raw;

/// What came from the keyboard.
pub(super) enum Typed {
    /// One line, without its end.
    Line(Zeroizing<String>),
    /// A line that cannot be taken as it was meant. None of it is kept.
    Refused(Refusal),
    /// Ctrl-D on an empty line, or the terminal went away.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// Why a line is refused rather than taken in part: a password that silently lost a character locks people out later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than one line at once: something was pasted.
    Lines,
    /// More than [`ROOM`] bytes.
    Length,
    /// Bytes that are no UTF-8, or a control character.
    Unreadable,
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
                Some(Answer::Line(line)) if line.contains('\n') => Typed::Refused(Refusal::Lines),
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
    spoilt: Option<Refusal>,
}

/// Bytes of room for what is typed: a line that outgrew it would be copied, and the copy left behind in memory.
pub(super) const ROOM: usize = 8192;

impl<'a> Editor<'a> {
    fn new(terminal: &'a Terminal, prompt: &'a str, hidden: bool) -> Self {
        Self { terminal, prompt, hidden, line: Zeroizing::new(String::with_capacity(ROOM)), spoilt: None }
    }

    fn read(mut self) -> io::Result<Typed> {
        let mut raw = Raw::enter(self.terminal.asking_is_over())?;
        self.show(self.prompt);
        let typed = self.keys(&mut raw);
        self.show(if matches!(typed, Ok(Typed::Interrupted)) { "^C\n" } else { "\n" });
        typed
    }

    fn keys(&mut self, raw: &mut Raw) -> io::Result<Typed> {
        loop {
            let key = match raw.key() {
                Ok(key) => key,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Typed::End),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Typed::Interrupted),
                Err(error) => return Err(error),
            };
            match key {
                Key::Interrupt => return Ok(Typed::Interrupted),
                Key::End if self.line.is_empty() => return Ok(Typed::End),
                Key::Enter if Raw::more_lines()? => return Ok(Typed::Refused(Refusal::Lines)),
                Key::Enter => {
                    let line = std::mem::take(&mut self.line);
                    return Ok(self.spoilt.map_or(Typed::Line(line), Typed::Refused));
                }
                Key::Backspace => self.keep(|line| line.char_indices().next_back().map_or(0, |(at, _)| at)),
                Key::EraseLine => self.keep(|_| 0),
                Key::EraseWord => self.keep(|line| line.trim_end().rfind(' ').map_or(0, |at| at + 1)),
                Key::Char(c) if self.line.len() + c.len_utf8() > ROOM => self.spoilt = Some(Refusal::Length),
                Key::Char(c) => {
                    self.line.push(c);
                    if !self.hidden {
                        self.show(c.encode_utf8(&mut [0; 4]));
                    }
                }
                Key::Unreadable => self.spoilt = Some(Refusal::Unreadable),
                // No part of an answer, as can be seen where it is shown. Where it is not, it may have been part of what was
                // pasted.
                Key::End | Key::Other if self.hidden => self.spoilt = Some(Refusal::Unreadable),
                Key::End | Key::Other => {}
            }
        }
    }

    /// Cuts the line after as many bytes as `end` says and draws it anew, over as many rows as it has taken.
    fn keep(&mut self, end: impl Fn(&str) -> usize) {
        let end = end(&self.line);
        if end == 0 {
            self.spoilt = None;
        }
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

/// One press of a key, as far as a line of text cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Char(char),
    Enter,
    Backspace,
    /// Ctrl-U: the line goes.
    EraseLine,
    /// Ctrl-W: the last word goes.
    EraseWord,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
    /// Arrows, tabs, other control keys.
    Other,
    /// Bytes that are no UTF-8.
    Unreadable,
}

impl Key {
    /// What a character that is no letter stands for; terminals send the same ones everywhere.
    fn of(c: char) -> Self {
        match c {
            '\r' | '\n' => Self::Enter,
            '\u{8}' | '\u{7f}' => Self::Backspace,
            '\u{3}' => Self::Interrupt,
            '\u{4}' => Self::End,
            '\u{15}' => Self::EraseLine,
            '\u{17}' => Self::EraseWord,
            c if c.is_control() => Self::Other,
            c => Self::Char(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, rows};

    #[test]
    fn keys_are_what_shells_take_them_for() {
        let keys = "\r\n\u{7f}\u{8}\u{3}\u{4}\u{15}\u{17}\t\u{1}é".chars().map(Key::of).collect::<Vec<_>>();
        let start = [Key::Enter, Key::Enter, Key::Backspace, Key::Backspace, Key::Interrupt, Key::End];
        let end = [Key::EraseLine, Key::EraseWord, Key::Other, Key::Other, Key::Char('é')];
        assert_eq!(keys, [&start[..], &end[..]].concat());
    }

    #[test]
    fn rows_are_counted_as_a_terminal_breaks_them() {
        assert_eq!(rows("", 10), 0);
        assert_eq!(rows("0123456789", 10), 0);
        assert_eq!(rows("0123456789a", 10), 1);
        assert_eq!(rows("012345678日", 10), 1);
        assert_eq!(rows("\u{1b}[1m0123456789\u{1b}[0m", 10), 0);
    }
}
