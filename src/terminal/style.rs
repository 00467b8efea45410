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

/// Symbols at the start of lines, one column wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    Done,
    Failed,
    Current,
    Attention,
    Note,
}

impl Symbol {
    fn glyph(self) -> (Style, &'static str) {
        match self {
            Self::Done => (Style::Good, "✔"),
            Self::Failed => (Style::Bad, "✘"),
            Self::Current => (Style::Heading, "▶"),
            Self::Attention => (Style::Warn, "!"),
            Self::Note => (Style::Dim, "·"),
        }
    }
}

/// Our characters and their replacements in locales without UTF-8. A tick is not `+`, which marks additions in a diff. Letters
/// of names and foreign text stay.
const IN_ASCII: [(&str, &str); 6] = [("✔", "*"), ("✘", "x"), ("▶", ">"), ("·", "-"), ("…", "..."), ("§", "section ")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    pub coloured: bool,
    pub unicode: bool,
    /// Columns to wrap at; `None` disables wrapping.
    pub columns: Option<usize>,
}

impl RenderOptions {
    /// The text in the characters of the locale.
    pub(super) fn encode(self, text: &str) -> String {
        let replaced = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        if self.unicode { text.to_owned() } else { IN_ASCII.iter().fold(text.to_owned(), replaced) }
    }
}

/// A line or paragraph of styled text. Removes control characters from added text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Line(Vec<(Style, String)>);

impl Line {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.styled(Style::Plain, text)
    }

    pub fn styled(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.0.push((style, text::harmless(text.as_ref())));
        self
    }

    pub fn symbol(self, symbol: Symbol) -> Self {
        let (style, glyph) = symbol.glyph();
        self.styled(style, glyph)
    }

    pub fn line(mut self, other: impl Into<Line>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// Renders the text without a trailing newline and without wrapping.
    pub fn render(&self, options: RenderOptions) -> String {
        self.0.iter().map(|(style, text)| style.paint(&options.encode(text), options.coloured)).collect()
    }
}

impl<T: AsRef<str>> From<T> for Line {
    fn from(text: T) -> Self {
        Self::new().text(text)
    }
}

#[cfg(test)]
mod tests;
