//! Styles and symbols of text. Colours add no information to the words.

use super::text;

/// The meaning of text. Its look depends on the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    #[default]
    Plain,
    /// Less important: times, units, unchanged values.
    Dim,
    /// Success; in a diff, an addition.
    Good,
    Warn,
    /// Failure; in a diff, a removal.
    Bad,
    Heading,
    Code,
}

impl Style {
    /// The SGR parameters (ECMA-48). Only basic colours, which follow the theme of the terminal.
    pub(super) fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Heading => "1",
            Self::Code => "36",
        }
    }

    /// Adds the escape sequences to each line of `text` if `coloured`.
    pub fn paint(self, text: &str, coloured: bool) -> String {
        if !coloured || self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let painted: Vec<String> = text
            .split('\n')
            .map(|line| if line.is_empty() { String::new() } else { format!("\u{1b}[{}m{line}\u{1b}[0m", self.sgr()) })
            .collect();
        painted.join("\n")
    }
}

/// Symbols at the start of lines, with replacements for locales without UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    Done,
    Failed,
    Current,
    Attention,
    Note,
    Ellipsis,
}

impl Symbol {
    /// The text of the symbol. All but the ellipsis are one column wide.
    pub fn glyph(self, unicode: bool) -> &'static str {
        match (self, unicode) {
            (Self::Done, true) => "✔",
            // Not `+`, which marks additions in a diff.
            (Self::Done, false) => "*",
            (Self::Failed, true) => "✘",
            (Self::Failed, false) => "x",
            (Self::Current, true) => "▶",
            (Self::Current, false) => ">",
            (Self::Attention, _) => "!",
            (Self::Note, true) => "·",
            (Self::Note, false) => "-",
            (Self::Ellipsis, true) => "…",
            (Self::Ellipsis, false) => "...",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Done => Style::Good,
            Self::Failed => Style::Bad,
            Self::Current => Style::Heading,
            Self::Attention => Style::Warn,
            Self::Note | Self::Ellipsis => Style::Dim,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    pub coloured: bool,
    pub unicode: bool,
    /// Columns to wrap at; `None` disables wrapping.
    pub columns: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    Text(Style, String),
    Symbol(Symbol),
}

/// A line or paragraph of styled text. Removes control characters from added text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Span>);

impl Line {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.styled(Style::Plain, text)
    }

    #[must_use]
    pub fn styled(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.0.push(Span::Text(style, text::harmless(text.as_ref())));
        self
    }

    #[must_use]
    pub fn symbol(mut self, symbol: Symbol) -> Self {
        self.0.push(Span::Symbol(symbol));
        self
    }

    #[must_use]
    pub fn line(mut self, other: impl Into<Line>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// Renders the text without a trailing newline and without wrapping.
    pub fn render(&self, options: RenderOptions) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Text(style, text) if !options.unicode => style.paint(&in_ascii(text), options.coloured),
                Span::Text(style, text) => style.paint(text, options.coloured),
                Span::Symbol(symbol) => symbol.style().paint(symbol.glyph(options.unicode), options.coloured),
            })
            .collect()
    }

    pub fn plain(&self, unicode: bool) -> String {
        self.render(RenderOptions { coloured: false, unicode, columns: None })
    }
}

/// Replaces the non-ASCII characters of our sentences. Letters of names and foreign text stay.
pub(super) fn in_ascii(text: &str) -> String {
    text.replace('…', Symbol::Ellipsis.glyph(false)).replace('§', "section ")
}

impl<T: AsRef<str>> From<T> for Line {
    fn from(text: T) -> Self {
        Self::new().text(text)
    }
}

#[cfg(test)]
mod tests;
