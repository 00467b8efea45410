//! Prints data to stdout and everything else to stderr.

use std::error::Error;

use serde::Serialize;

use super::data::{self, OutputError, OutputFormat};
use super::diff::{self, FieldChange};
use super::style::{Line, RenderOptions, Style};
use super::table::Table;
use super::text;
use super::tty::{ColorChoice, Stream, Terminal};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: warnings and errors only.
    Quiet,
    #[default]
    Normal,
    /// The number of `-v` flags.
    Verbose(u8),
}

/// A next step: text and commands to copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Next {
    text: Line,
    commands: Vec<String>,
    /// A command of this program that lacks the name and the flags of this call.
    short: Option<String>,
}

impl Next {
    pub fn new(text: impl Into<Line>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// Adds a command of this program, such as `status`, that [`Self::complete`] completes.
    pub fn short_command(mut self, command: impl Into<String>) -> Self {
        self.short = Some(command.into());
        self
    }

    pub fn complete(mut self, whole: impl Fn(&str) -> String) -> Self {
        self.commands.extend(self.short.take().map(|command| whole(&command)));
        self
    }
}

#[derive(Clone)]
pub struct Ui {
    pub terminal: Terminal,
    color: ColorChoice,
    pub verbosity: Verbosity,
}

impl Ui {
    pub fn new(terminal: Terminal, color: ColorChoice, verbosity: Verbosity) -> Self {
        Self { terminal, color, verbosity }
    }

    pub fn render_options(&self, stream: Stream) -> RenderOptions {
        self.terminal.render_options(stream, self.color)
    }

    /// Prints a status line to stderr, not with `-q`. Wraps it on a terminal under its indentation.
    pub fn status(&self, line: impl Into<Line>) {
        if self.verbosity > Verbosity::Quiet {
            self.say(line);
        }
    }

    /// Prints a warning to stderr, also with `-q`.
    pub fn warning(&self, line: impl Into<Line>) {
        self.say(Line::new().styled(Style::Warn, "warning: ").line(line));
    }

    pub fn next(&self, next: &Next) {
        if self.verbosity > Verbosity::Quiet {
            self.say_next(next);
        }
    }

    /// Prints an error, its causes unless the text repeats, and the next steps, also with `-q`. Every error ends here.
    pub fn error(&self, error: &dyn Error, next: &[Next]) {
        let mut printed = error.to_string();
        self.say(Line::new().styled(Style::Bad, "error: ").text(&printed));
        for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
            let text = cause.to_string();
            if !text.is_empty() && !printed.contains(&text) {
                self.say(Line::new().text("  ").styled(Style::Dim, "because ").text(&text));
                printed = text;
            }
        }
        for next in next {
            self.say_next(next);
        }
    }

    /// Prints a line of data to stdout without wrapping.
    pub fn print(&self, line: impl Into<Line>) -> Result<(), OutputError> {
        let text = line.into().render(self.render_options(Stream::Out));
        self.raw_out(&format!("{text}\n"))
    }

    /// Prints a paragraph to stdout, wrapped on a terminal under its indentation.
    pub fn page(&self, line: impl Into<Line>) -> Result<(), OutputError> {
        let options = self.render_options(Stream::Out);
        self.raw_out(&format!("{}\n", indented(&line.into().render(options), options.columns)))
    }

    /// Like [`Ui::page`], with continuation lines indented by `under`.
    pub fn page_under(&self, line: impl Into<Line>, under: usize) -> Result<(), OutputError> {
        let options = self.render_options(Stream::Out);
        self.raw_out(&format!("{}\n", text::wrap(&line.into().render(options), options.columns, under)))
    }

    /// Prints a table; `wide` adds the columns of `-o wide`. An empty table prints its headers.
    pub fn table(&self, table: &Table, wide: bool) -> Result<(), OutputError> {
        let mut lines = table.render(self.render_options(Stream::Out), wide).join("\n");
        lines.push('\n');
        self.raw_out(&lines)
    }

    pub fn data<T: Serialize>(&self, format: OutputFormat, value: &T) -> Result<(), OutputError> {
        self.raw_out(&data::render(format, value)?)
    }

    pub fn changes(&self, changes: &[FieldChange]) {
        for line in diff::lines(changes) {
            self.verbatim(&line);
        }
    }

    /// Prints a line to stderr without wrapping, for text that is copied or aligned; also with `-q`.
    pub fn verbatim(&self, line: &Line) {
        let text = line.render(self.render_options(Stream::Err));
        self.terminal.write_err(&format!("{text}\n"));
    }

    /// Prints a paragraph to stderr with continuation lines indented by `under`, also with `-q`.
    pub fn say_under(&self, line: impl Into<Line>, under: usize) {
        let options = self.render_options(Stream::Err);
        let text = text::wrap(&line.into().render(options), options.columns, under);
        self.terminal.write_err(&format!("{text}\n"));
    }

    fn say_next(&self, next: &Next) {
        self.say(next.text.clone());
        let short = next.short.as_ref().map(|command| format!("kubectl ess-mas {command}"));
        for command in next.commands.iter().chain(&short) {
            self.verbatim(&Line::new().text("  ").styled(Style::Code, command));
        }
    }

    fn say(&self, line: impl Into<Line>) {
        let options = self.render_options(Stream::Err);
        let text = line.into().render(options);
        self.terminal.write_err(&format!("{}\n", indented(&text, options.columns)));
    }

    pub fn raw_out(&self, text: &str) -> Result<(), OutputError> {
        Ok(self.terminal.write_out(text)?)
    }
}

/// Wraps each line under its leading spaces, which must be unstyled.
fn indented(text: &str, columns: Option<usize>) -> String {
    let margin = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let wrapped = text.split('\n').map(|line| text::wrap(line, columns, margin(line)));
    wrapped.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
