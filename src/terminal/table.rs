//! Tables in kubectl's manner: upper-case heads, no borders, three spaces between columns.

use comfy_table::TableStyle;

use super::style::{Look, Style, in_ascii};
use super::text;

/// A column: its head, and how it behaves when the window is narrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    head: String,
    prose: bool,
    only_wide: bool,
    droppable: bool,
}

impl Column {
    /// A column that is as wide as what stands in it, whatever the window: names, states, URIs. The head is shown in
    /// upper case.
    pub fn new(head: &str) -> Self {
        Self { head: text::harmless(head).to_uppercase(), prose: false, only_wide: false, droppable: false }
    }

    /// A column of sentences. On a terminal they wrap so that the table fits, but no word of them is ever broken.
    #[must_use]
    pub fn prose(mut self) -> Self {
        self.prose = true;
        self
    }

    /// A column that is left out where the window is too narrow for all, those further right first; never in a pipe.
    #[must_use]
    pub fn droppable(mut self) -> Self {
        self.droppable = true;
        self
    }

    /// A column that only `-o wide` shows.
    #[must_use]
    pub fn only_wide(mut self) -> Self {
        self.only_wide = true;
        self
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Style,
    copyable: bool,
}

impl Cell {
    pub fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self { text: text::harmless(text.as_ref()).replace(is_mark, ""), style, copyable: false }
    }

    /// Text that a person will copy: never wrapped, even in a column of sentences.
    pub fn copyable(text: impl AsRef<str>) -> Self {
        Self { copyable: true, ..Self::styled(Style::Plain, text) }
    }

    /// The cell's lines in a column of `columns`, which is never less than [`Cell::least_width`]; `None` leaves them as they
    /// are.
    fn lines(&self, columns: Option<usize>) -> Vec<String> {
        text::wrap(&self.text, columns)
    }

    /// The narrowest column that breaks nothing of this cell which must stay whole.
    fn least_width(&self) -> usize {
        let unbroken = |line: &str| -> usize {
            if self.copyable { text::width(line) } else { line.split(' ').map(text::width).max().unwrap_or(0) }
        };
        self.text.split('\n').map(unbroken).max().unwrap_or(0)
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

/// Columns between two columns; `kubectl get` uses as many.
const GAP: u16 = 3;
/// A column of sentences is not made narrower than this, even when the table then does not fit.
const LEAST_PROSE: usize = 16;

/// Stands for a style's escape sequence until the table is laid out. comfy-table has its own colours and would count escape
/// sequences as text; these (variation selectors of ideographs) take no column.
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

    /// Adds a row. Cells that are missing at its end are empty; more cells than columns are a mistake of the caller's and
    /// are dropped.
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

    /// The table's lines, without line feeds and without spaces at their ends.
    ///
    /// In a pipe (`look.columns` is `None`) every row is one line and an empty cell says `<none>`, so that columns can be
    /// told apart by three spaces; a line feed within a cell becomes a space.
    pub fn render(&self, look: Look, wide: bool) -> Vec<String> {
        let mut shown: Vec<usize> =
            (0..self.columns.len()).filter(|&index| wide || !self.columns[index].only_wide).collect();
        while let Some(window) = look.columns.filter(|_| !wide)
            && self.least_width(&shown) > window
            && let Some(place) = shown.iter().rposition(|&index| self.columns[index].droppable)
        {
            shown.remove(place);
        }
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| {
                shown
                    .iter()
                    .map(|&index| if look.columns.is_none() { piped(&row[index]) } else { row[index].clone() })
                    .map(|cell| if look.unicode { cell } else { Cell { text: in_ascii(&cell.text), ..cell } })
                    .collect()
            })
            .collect();
        let widths = self.widths(&shown, &rows, look.columns);

        let mut laid_out = comfy_table::Table::new();
        laid_out.load_style(TableStyle::new());
        laid_out.set_header(shown.iter().map(|&index| marked(Style::Heading, &self.columns[index].head, look)));
        for row in &rows {
            let lines = |(cell, width): (&Cell, &Option<usize>)| {
                let lines: Vec<String> = cell.lines(*width).iter().map(|line| marked(cell.style, line, look)).collect();
                lines.join("\n")
            };
            laid_out.add_row(row.iter().zip(&widths).map(lines));
        }
        for column in laid_out.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        laid_out.lines().map(|line| unmarked(line.trim_end())).collect()
    }

    /// Whether it can be shown at this width without a line that is too long.
    pub fn fits(&self, look: Look, wide: bool) -> bool {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&index| wide || !(self.columns[index].only_wide || self.columns[index].droppable))
            .collect();
        look.columns.is_none_or(|window| self.least_width(&shown) <= window)
    }

    /// The narrowest that these columns can be together.
    fn least_width(&self, shown: &[usize]) -> usize {
        let least = |&index: &usize| {
            let column = &self.columns[index];
            let cells = self.rows.iter().map(|row| &row[index]);
            let width = |cell: &Cell| {
                let natural = cell.lines(None).iter().map(|line| text::width(line)).max().unwrap_or(0);
                if column.prose { cell.least_width().max(LEAST_PROSE).min(natural) } else { natural }
            };
            cells.map(width).fold(text::width(&column.head), usize::max)
        };
        shown.iter().map(least).sum::<usize>() + usize::from(GAP) * shown.len().saturating_sub(1)
    }

    /// How wide each shown column may be: `None` for "as wide as it is".
    fn widths(&self, shown: &[usize], rows: &[Vec<Cell>], window: Option<usize>) -> Vec<Option<usize>> {
        let natural = |place: usize| {
            let head = text::width(&self.columns[shown[place]].head);
            rows.iter().flat_map(|row| row[place].lines(None)).map(|line| text::width(&line)).fold(head, usize::max)
        };
        let mut widths: Vec<Option<usize>> = vec![None; shown.len()];
        let Some(window) = window else { return widths };
        let prose: Vec<usize> = (0..shown.len()).filter(|&place| self.columns[shown[place]].prose).collect();
        let fixed: usize = (0..shown.len()).filter(|place| !prose.contains(place)).map(natural).sum();
        let gaps = usize::from(GAP) * shown.len().saturating_sub(1);
        let mut room = window.saturating_sub(fixed + gaps);
        // The narrow ones first: what they do not need is left to the others.
        let mut by_need: Vec<(usize, usize)> = prose.iter().map(|&place| (natural(place), place)).collect();
        by_need.sort_unstable();
        for (done, &(need, place)) in by_need.iter().enumerate() {
            let unbroken = rows.iter().map(|row| row[place].least_width()).max().unwrap_or(0);
            let least = unbroken.max(LEAST_PROSE).min(need);
            let share = (room / (by_need.len() - done)).clamp(least, need.max(least));
            widths[place] = Some(share);
            room = room.saturating_sub(share);
        }
        widths
    }
}

/// A cell as a pipe gets it: one line, never empty.
fn piped(cell: &Cell) -> Cell {
    let text = if cell.text.is_empty() { "<none>".to_owned() } else { cell.text.replace('\n', " ") };
    Cell { text, ..cell.clone() }
}

fn marked(style: Style, line: &str, look: Look) -> String {
    let plain = !look.coloured || style == Style::Plain || line.is_empty();
    if plain { line.to_owned() } else { format!("{}{line}{}", mark(style), mark(Style::Plain)) }
}

fn unmarked(line: &str) -> String {
    [Style::Dim, Style::Good, Style::Warn, Style::Bad, Style::Heading, Style::Code]
        .iter()
        .fold(line.replace(mark(Style::Plain), "\u{1b}[0m"), |line, style| {
            line.replace(mark(*style), &format!("\u{1b}[{}m", style.sgr()))
        })
}

#[cfg(test)]
mod tests;
