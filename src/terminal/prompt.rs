//! Prompts with dialoguer. An invalid answer is asked for again with the reason.
//!
//! They block the calling thread; asynchronous code must call them in a blocking section.

use std::fmt;

use console::Term;
use dialoguer::theme::Theme;
use dialoguer::{Confirm, Input, Password, Select};
use zeroize::Zeroizing;

use super::guard;
use super::style::{Line, RenderOptions, Style};
use super::text;
use super::tty::Stream;
use super::ui::Ui;
use super::unanswered::UNREADABLE;

pub use super::unanswered::PromptError;

/// The result of a prompt for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    Right,
    /// Enter alone, or Ctrl-D.
    Nothing,
    /// Too many wrong answers.
    Wrong,
}

/// The number of attempts for a name or a password.
const TRIES: usize = 3;

impl Ui {
    /// Asks for confirmation. Enter, Ctrl-D and every answer other than `y` and `yes` mean no.
    pub fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        let ask = |term: &Term, look: &Look<'_>, question: &str| {
            let confirm = Confirm::with_theme(look).with_prompt(question);
            confirm.default(false).wait_for_newline(true).interact_on(term)
        };
        let read = |line: String| matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        loop {
            match self.ask(question, "[y/N]", false, ask, read) {
                Err(PromptError::Ended) => return Ok(false),
                Ok(None) => {}
                answer => return Ok(answer?.unwrap_or(false)),
            }
        }
    }

    /// Asks for text until `read` accepts the trimmed answer; its `Err` is printed as the reason. Enter passes `default` to
    /// `read`.
    pub fn text<T>(
        &self,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, PromptError> {
        loop {
            let Some(line) = self.line(question, default)? else { continue };
            let answer = line.trim();
            match read(if answer.is_empty() { default.unwrap_or_default() } else { answer }) {
                Ok(value) => return Ok(value),
                Err(reason) => self.reason(&reason),
            }
        }
    }

    /// Asks for a secret without echo. Doesn't trim it, because a password may end with a space. Refuses empty and multi-line
    /// answers.
    pub fn password(&self, question: &str) -> Result<Zeroizing<String>, PromptError> {
        for _ in 0..TRIES {
            let ask = |term: &Term, look: &Look<'_>, question: &str| {
                let password = Password::with_theme(look).with_prompt(question).allow_empty_password(true);
                password.interact_on(term).map(Zeroizing::new)
            };
            match self.ask(question, "(not shown)", true, ask, Zeroizing::new)? {
                Some(typed) if typed.is_empty() => self.reason("The answer is empty. Press Ctrl-C to stop."),
                Some(typed) if typed.chars().any(char::is_control) => self.reason(&UNREADABLE.to_string()),
                Some(typed) => return Ok(typed),
                None => {}
            }
        }
        Err(PromptError::Ended)
    }

    /// Asks for `name` to be typed exactly.
    pub fn typed(&self, question: &str, name: &str) -> Result<Typed, PromptError> {
        for _ in 0..TRIES {
            match self.line(question, None) {
                Ok(Some(line)) if line.trim() == name => return Ok(Typed::Right),
                Ok(Some(line)) if line.trim().is_empty() => return Ok(Typed::Nothing),
                Ok(Some(_)) => self.reason(&format!("This is not {name}. Type it exactly, or press Enter to stop.")),
                // The reason has been printed.
                Ok(None) => {}
                Err(PromptError::Ended) => return Ok(Typed::Nothing),
                Err(error) => return Err(error),
            }
        }
        Ok(Typed::Wrong)
    }

    /// Asks for one of `options` with arrow keys and Enter, and returns its index. None is marked at first.
    pub fn choose(&self, question: &str, options: &[&str]) -> Result<usize, PromptError> {
        loop {
            let ask = |term: &Term, look: &Look<'_>, question: &str| {
                Select::with_theme(look).with_prompt(question).items(options).interact_on(term).map(Some)
            };
            let read = |line: String| {
                let by_name = options.iter().position(|option| option.split(':').next() == Some(line.as_str()));
                by_name.or_else(|| line.parse::<usize>().ok()?.checked_sub(1))
            };
            let place = self.ask(question, "(arrow keys, then Enter)", false, ask, read)?.flatten();
            if let Some(place) = place.filter(|&place| place < options.len()) {
                return Ok(place);
            }
        }
    }

    /// Asks once for a line of text; `None` after an invalid answer.
    fn line(&self, question: &str, default: Option<&str>) -> Result<Option<String>, PromptError> {
        let ask = |term: &Term, look: &Look<'_>, question: &str| {
            let input = Input::<String>::with_theme(look).with_prompt(question).allow_empty(true);
            let input = default.into_iter().fold(input, |input, default| input.default(default.to_owned()));
            input.interact_text_on(term)
        };
        let hint = default.map(|default| format!("[{default}]")).unwrap_or_default();
        self.ask(question, &hint, false, ask, |line| line)
    }

    /// Asks once, and hides the live line meanwhile; `None` after an invalid answer.
    ///
    /// `ask` calls dialoguer; `read` converts a scripted answer.
    fn ask<T: Send>(
        &self,
        question: &str,
        hint: &str,
        hidden: bool,
        ask: impl FnOnce(&Term, &Look<'_>, &str) -> dialoguer::Result<T> + Send,
        read: impl FnOnce(String) -> T,
    ) -> Result<Option<T>, PromptError> {
        let terminal = &self.terminal;
        if !terminal.can_ask() {
            return Err(PromptError::NoTerminal);
        }
        let look = Look { options: self.render_options(Stream::Err), hint };
        let question = self.last_line(question, hint);
        terminal.hold(true);
        let answer = match &terminal.0.script {
            Some(script) => script(&look.question(&question, hint, ""), hidden).map(read),
            None => guard::ask(terminal, hidden, |term| ask(term, &look, &question)).inspect_err(|unanswered| {
                let end = if matches!(unanswered, PromptError::Interrupted) { "^C\n" } else { "\n" };
                terminal.screen().write_err(end);
            }),
        };
        terminal.hold(false);
        match answer {
            Err(refused @ PromptError::Refused(_)) => {
                self.reason(&refused.to_string());
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// Prints why an answer is invalid, also with `-q`.
    fn reason(&self, reason: &str) {
        self.say_under(Line::new().text("  ").styled(Style::Warn, reason), 2);
    }

    /// Wraps a question that doesn't fit next to its hint. Prints all lines but the last one and returns it, because dialoguer
    /// measures the prompt line.
    fn last_line(&self, question: &str, hint: &str) -> String {
        let room = self.terminal.columns().saturating_sub(text::width(hint) + 4).max(20);
        let lines = text::wrap(question, Some(room), 0);
        let Some((before, last)) = lines.rsplit_once('\n') else {
            return question.to_owned();
        };
        self.verbatim(&Line::new().styled(Style::Heading, before));
        last.to_owned()
    }
}

/// How a prompt looks; `hint` says which answers it takes.
struct Look<'a> {
    options: RenderOptions,
    hint: &'a str,
}

impl Look<'_> {
    fn question(&self, question: &str, hint: &str, answer: &str) -> String {
        let mut line = Line::new().styled(Style::Heading, question).text(" ");
        if !hint.is_empty() {
            line = line.styled(Style::Dim, hint).text(" ");
        }
        line.text(answer).render(self.options)
    }
}

impl Theme for Look<'_> {
    fn format_prompt(&self, f: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        f.write_str(&self.question(prompt, self.hint, ""))
    }

    fn format_confirm_prompt(&self, f: &mut dyn fmt::Write, prompt: &str, _: Option<bool>) -> fmt::Result {
        self.format_prompt(f, prompt)
    }

    fn format_confirm_prompt_selection(&self, f: &mut dyn fmt::Write, prompt: &str, sel: Option<bool>) -> fmt::Result {
        f.write_str(&self.question(prompt, self.hint, if sel == Some(true) { "y" } else { "n" }))
    }

    fn format_input_prompt(&self, f: &mut dyn fmt::Write, prompt: &str, _: Option<&str>) -> fmt::Result {
        self.format_prompt(f, prompt)
    }

    fn format_input_prompt_selection(&self, f: &mut dyn fmt::Write, prompt: &str, sel: &str) -> fmt::Result {
        f.write_str(&self.question(prompt, "", sel))
    }

    fn format_select_prompt_item(&self, f: &mut dyn fmt::Write, text: &str, active: bool) -> fmt::Result {
        let item = Line::new().text(if active { "> " } else { "  " });
        f.write_str(&item.styled(if active { Style::Heading } else { Style::Plain }, text).render(self.options))
    }
}

#[cfg(test)]
mod tests;
