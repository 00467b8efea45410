//! What a piece of text means, and how that looks. Colours only underline what the words already say.

use super::text;

/// What a piece of text means. How it looks is decided where it is printed, per stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    #[default]
    Plain,
    /// Beside the point: times, units, what was left as it was.
    Dim,
    /// As it should be; in a diff, what comes.
    Good,
    Warn,
    /// Wrong; in a diff, what goes.
    Bad,
    Heading,
    Code,
}

impl Style {
    /// The SGR parameters (ECMA-48). The sixteen basic colours only: they follow the person's own theme.
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

    /// `text` with this style's escape sequences around it when `coloured`, otherwise as it is. Each line of several is
    /// styled by itself.
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

/// The few signs in front of lines, with a stand-in for locales that are not UTF-8.
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
    /// The sign itself. All but the ellipsis are one column wide.
    pub fn glyph(self, unicode: bool) -> &'static str {
        match (self, unicode) {
            (Self::Done, true) => "✔",
            // Not `+`: in a diff that is what comes.
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
    /// Columns to wrap at; `None` where nobody looks and nothing may be wrapped.
    pub columns: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    Text(Style, String),
    Symbol(Symbol),
}

/// One line (or paragraph) of styled text. Foreign text in it is made harmless when it is added.
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

    /// The text as a stream wants it; no line feed at the end, never wrapped.
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

/// Stand-ins for the signs beyond ASCII that sentences use. Letters of names and foreign texts stay as they are.
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
