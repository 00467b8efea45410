//! Questions. Asked only where a person can answer; an answer that is not one is asked for again with the reason.
//!
//! All of them block the calling thread: in asynchronous code they belong into a blocking section.

use std::io;

use zeroize::Zeroizing;

use super::keys::{self, Refusal, Typed};
use super::style::{Line, Style};
use super::ui::Ui;
use super::world::Stream;

/// A question that got no answer. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Stdin or stderr is no terminal. The caller names the flag that answers the question (exit code 2).
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// Ctrl-C (exit code 130). The terminal is as it was before.
    #[error("interrupted")]
    Interrupted,
    /// Ctrl-D, or the terminal went away, where "no" would be no answer.
    #[error("the question was left unanswered")]
    Ended,
    /// The terminal could not be read.
    #[error("could not read from the terminal")]
    Read(#[source] io::Error),
}

/// What a scripted person does at a question (see [`Setting::answers`](super::Setting::answers)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Types (or pastes) this and presses Enter.
    Line(String),
    /// Presses Ctrl-C.
    CtrlC,
    /// Presses Ctrl-D.
    CtrlD,
}

impl From<&str> for Answer {
    fn from(line: &str) -> Self {
        Self::Line(line.to_owned())
    }
}

/// After so many answers that were none, a typed name counts as "no".
const TRIES: usize = 3;

impl Ui {
    /// Asks for a yes; Enter, Ctrl-D and anything but `y` or `yes` is a no.
    pub fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        match self.ask(question, "[y/N]", false)? {
            Reply::Line(line) => Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")),
            Reply::Refused(_) | Reply::Ended => Ok(false),
        }
    }

    /// Asks for text until `read` makes something of it; its `Err` is the reason that the person is shown. Enter alone
    /// gives `default` to `read`. Spaces around the answer are dropped.
    pub fn text<T>(
        &self,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, PromptError> {
        let hint = default.map(|default| format!("[{default}]")).unwrap_or_default();
        loop {
            match self.ask(question, &hint, false)? {
                Reply::Ended => return Err(PromptError::Ended),
                Reply::Refused(refusal) => self.reason(&refused(refusal)),
                Reply::Line(line) => {
                    let answer = line.trim();
                    let answer = if answer.is_empty() { default.unwrap_or_default() } else { answer };
                    match read(answer) {
                        Ok(value) => return Ok(value),
                        Err(reason) => self.reason(&reason),
                    }
                }
            }
        }
    }

    /// Asks for a secret, once, without showing what is typed. Nothing is trimmed, since a password may end in a space;
    /// an empty answer and one with a line end inside are asked for again.
    pub fn password(&self, question: &str) -> Result<Zeroizing<String>, PromptError> {
        loop {
            match self.ask(question, "(not shown)", true)? {
                Reply::Ended => return Err(PromptError::Ended),
                Reply::Refused(refusal) => self.reason(&refused(refusal)),
                Reply::Line(line) if line.is_empty() => self.reason("Nothing was typed. Ctrl-C stops here."),
                Reply::Line(line) => return Ok(line),
            }
        }
    }

    /// Asks for `name` to be typed, letter by letter as it is. Enter alone, Ctrl-D and three wrong answers are a no.
    pub fn typed(&self, question: &str, name: &str) -> Result<bool, PromptError> {
        for _ in 0..TRIES {
            match self.ask(question, "", false)? {
                Reply::Ended => return Ok(false),
                Reply::Line(line) if line.trim() == name => return Ok(true),
                Reply::Line(line) if line.trim().is_empty() => return Ok(false),
                Reply::Line(_) | Reply::Refused(_) => {
                    self.reason(&format!("That is not {name}. Type it exactly, or press Enter to stop."));
                }
            }
        }
        Ok(false)
    }

    /// Asks for one of several, by number or by name (what stands before a colon), and gives its place in `options`. Enter
    /// alone takes `default`.
    pub fn choose(&self, question: &str, options: &[&str], default: Option<usize>) -> Result<usize, PromptError> {
        if !self.terminal().can_ask() {
            return Err(PromptError::NoTerminal);
        }
        for (place, option) in options.iter().enumerate() {
            let number = format!("  {:>2}  ", place + 1);
            self.verbatim(&Line::new().styled(Style::Dim, number).text(option));
        }
        let default = default.filter(|&place| place < options.len()).map(|place| (place + 1).to_string());
        self.text(question, default.as_deref(), |answer| {
            let by_name = options.iter().position(|option| option.split(':').next() == Some(answer));
            let by_number = || answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            by_name
                .or_else(by_number)
                .filter(|&place| place < options.len())
                .ok_or_else(|| format!("Answer with a number from 1 to {}.", options.len()))
        })
    }

    /// One try at a question. The live line waits meanwhile.
    fn ask(&self, question: &str, hint: &str, hidden: bool) -> Result<Reply, PromptError> {
        if !self.terminal().can_ask() {
            return Err(PromptError::NoTerminal);
        }
        let mut prompt = Line::new().styled(Style::Heading, question).text(" ");
        if !hint.is_empty() {
            prompt = prompt.styled(Style::Dim, hint).text(" ");
        }
        self.terminal().screen().hold(true);
        let typed = keys::read_line(self.terminal(), &prompt.render(self.look(Stream::Err)), hidden);
        self.terminal().screen().hold(false);
        match typed.map_err(PromptError::Read)? {
            Typed::Line(line) => Ok(Reply::Line(line)),
            Typed::Refused(refusal) => Ok(Reply::Refused(refusal)),
            Typed::End => Ok(Reply::Ended),
            Typed::Interrupted => Err(PromptError::Interrupted),
        }
    }

    /// Why an answer was none. Also with `-q`: whoever is asked must know.
    fn reason(&self, reason: &str) {
        self.verbatim(&Line::new().text("  ").styled(Style::Warn, reason));
    }
}

enum Reply {
    Line(Zeroizing<String>),
    Refused(Refusal),
    Ended,
}

/// Why a line was not taken, for the person who typed it.
fn refused(refusal: Refusal) -> String {
    let why = match refusal {
        Refusal::Lines => "That was more than one line.".to_owned(),
        Refusal::Length => format!("That was longer than {} bytes.", keys::ROOM),
        Refusal::Unreadable => "That held a tab, a control character, or bytes that are not UTF-8.".to_owned(),
    };
    format!("{why} Nothing of it was kept.")
}

#[cfg(test)]
mod tests;
