//! Tables in kubectl's layout: upper-case headers, no borders, three spaces between columns.

use comfy_table::ColumnConstraint::{ContentWidth, LowerBoundary};
use comfy_table::{ContentArrangement, TableStyle, Width};

use super::style::{RenderOptions, Style};
use super::text::{self, NO_BREAK};

/// A column, by default as wide as its contents: names, states, URIs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// In upper case.
    pub head: String,
    /// A column of sentences, which wrap between words on a terminal.
    pub prose: bool,
    pub only_wide: bool,
    /// Omitted in a narrow window, the rightmost first; never in a pipe.
    pub droppable: bool,
}

impl Column {
    pub fn new(head: &str) -> Self {
        Self { head: head.to_uppercase(), ..Self::default() }
    }

    pub fn prose(head: &str) -> Self {
        Self { prose: true, ..Self::new(head) }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// With non-breaking spaces in text that must not wrap.
    text: String,
    style: Style,
}

impl Cell {
    pub fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self { text: text::keep_commands(&text::harmless(text.as_ref())).replace(is_mark, ""), style }
    }

    /// Text to copy: never wrapped, even in a column of sentences.
    pub fn copyable(text: impl AsRef<str>) -> Self {
        let cell = Self::from(text);
        Self { text: cell.text.replace(' ', NO_BREAK), ..cell }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(Style::Plain, text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Spaces between columns, as in `kubectl get`.
const GAP: u16 = 3;
/// Narrower windows have no columns if these don't fit.
const NARROW: usize = 60;
/// The smallest width of a column of sentences.
const LEAST_PROSE: usize = 16;

/// A placeholder for a style's escape sequence during the layout, because comfy-table would count the sequence as text.
/// Variation selectors have no width.
fn mark(style: Style) -> char {
    char::from_u32(0xe0100 + style as u32).unwrap_or_default()
}

fn is_mark(c: char) -> bool {
    ('\u{e0100}'..='\u{e01ef}').contains(&c)
}

impl Table {
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row. Missing cells are empty; extra cells are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        let mut row: Vec<Cell> = cells.into_iter().collect();
        debug_assert!(row.len() <= self.columns.len(), "a row with more cells than the table has columns");
        row.resize(self.columns.len(), Cell::default());
        self.rows.push(row);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Renders the lines without trailing spaces and newlines.
    ///
    /// In a pipe (`options.columns` is `None`) every row is one line, an empty cell is `<none>`, and a newline in a cell becomes
    /// a space.
    pub fn render(&self, options: RenderOptions, wide: bool) -> Vec<String> {
        let mut shown: Vec<usize> =
            (0..self.columns.len()).filter(|&index| wide || !self.columns[index].only_wide).collect();
        while let Some(window) = options.columns.filter(|_| !wide)
            && self.least_width_of(&shown) > window
            && let Some(place) = shown.iter().rposition(|&index| self.columns[index].droppable)
        {
            shown.remove(place);
        }
        let overflows = |window: usize| window < NARROW && self.least_width_of(&shown) > window;
        if !wide && self.columns.iter().any(|column| column.prose) && options.columns.is_some_and(overflows) {
            return self.stacked(&shown, options);
        }
        let mut laid_out = comfy_table::Table::new();
        laid_out.load_style(TableStyle::new());
        laid_out.set_header(shown.iter().map(|&index| marked(Style::Heading, &self.columns[index].head, options)));
        for row in &self.rows {
            laid_out.add_row(shown.iter().map(|&index| content(&row[index], options)));
        }
        if let Some(window) = options.columns {
            // The last column has no gap after it.
            laid_out.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns(window) + GAP);
        }
        for (column, &index) in laid_out.column_iter_mut().zip(&shown) {
            let least = Width::Fixed(columns(self.least_width(index)) + GAP);
            let is_prose = self.columns[index].prose;
            column.set_padding((0, GAP)).set_constraint(if is_prose { LowerBoundary(least) } else { ContentWidth });
        }
        laid_out.lines().map(|line| unmarked(line.trim_end())).collect()
    }

    /// The rows for a window that is too narrow for columns: sentences are below the other cells.
    fn stacked(&self, shown: &[usize], options: RenderOptions) -> Vec<String> {
        let gap = |&at: &usize| if self.columns[at].prose { "\n  " } else { "   " };
        let row = |row: &Vec<Cell>| shown.iter().map(|at| gap(at).to_owned() + &content(&row[*at], options)).collect();
        let wrap = |row: String| text::wrap(row.trim_start(), options.columns, 2);
        self.rows.iter().map(row).map(wrap).collect::<Vec<_>>().join("\n").lines().map(unmarked).collect()
    }

    pub fn fits(&self, options: RenderOptions) -> bool {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        options.columns.is_none_or(|window| self.least_width_of(&all) <= window)
    }

    fn least_width_of(&self, shown: &[usize]) -> usize {
        let widths = shown.iter().map(|&index| self.least_width(index)).sum::<usize>();
        widths + usize::from(GAP) * shown.len().saturating_sub(1)
    }

    /// The smallest width of a column without breaking a word.
    fn least_width(&self, index: usize) -> usize {
        let column = &self.columns[index];
        let least = |cell: &Cell| {
            let widest = |breaks: &[char]| cell.text.split(breaks).map(text::width).max().unwrap_or(0);
            let natural = widest(&['\n']);
            if column.prose { widest(&[' ', '\n']).max(LEAST_PROSE).min(natural) } else { natural }
        };
        self.rows.iter().map(|row| least(&row[index])).fold(text::width(&column.head), usize::max)
    }
}

/// A cell for comfy-table; in a pipe one line and never empty.
fn content(cell: &Cell, options: RenderOptions) -> String {
    let mut text = options.encode(&cell.text);
    if options.columns.is_none() {
        text = if text.is_empty() { "<none>".to_owned() } else { text.replace('\n', " ") };
    }
    let lines: Vec<String> = text.split('\n').map(|line| marked(cell.style, line, options)).collect();
    lines.join("\n")
}

fn columns(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX - GAP)
}

fn marked(style: Style, line: &str, options: RenderOptions) -> String {
    let plain = !options.coloured || style == Style::Plain || line.is_empty();
    if plain { line.to_owned() } else { format!("{}{line}{}", mark(style), mark(Style::Plain)) }
}

fn unmarked(line: &str) -> String {
    [Style::Dim, Style::Good, Style::Warn, Style::Bad, Style::Heading, Style::Code]
        .iter()
        .fold(line.replace(mark(Style::Plain), "\u{1b}[0m").replace(NO_BREAK, " "), |line, style| {
            line.replace(mark(*style), &format!("\u{1b}[{}m", style.sgr()))
        })
}

#[cfg(test)]
mod tests;
