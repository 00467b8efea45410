//! Tables in kubectl's manner: upper-case heads, no borders, three spaces between columns.

use comfy_table::{ContentLineStyle, LineStyle, TableStyle};

use super::style::{Line, Look, Style, in_ascii};
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

/// What stands in one place of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Style,
    copyable: bool,
}

impl Cell {
    /// Text with a meaning. Foreign text is made harmless.
    pub fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self { text: text::harmless(text.as_ref()), style, copyable: false }
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

/// Rows under heads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Between two columns; `kubectl get` uses as many.
const GAP: &str = "   ";
/// A column of sentences is not made narrower than this, even when the table then does not fit.
const LEAST_PROSE: usize = 16;
/// Marks which comfy-table draws and which are taken apart again; no cell holds control characters.
const CELL_END: char = '\u{1f}';
const ROW_END: char = '\u{1e}';

impl Table {
    /// A table without rows.
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

    /// Whether there are no rows.
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
        laid_out.load_style(MARKS);
        laid_out.set_header(shown.iter().map(|&index| self.columns[index].head.as_str()));
        for row in &rows {
            laid_out.add_row(row.iter().zip(&widths).map(|(cell, width)| cell.lines(*width).join("\n")));
        }
        for column in laid_out.column_iter_mut() {
            column.set_padding((0, 0));
        }

        let mut styles = std::iter::once(vec![Style::Heading; shown.len()])
            .chain(rows.iter().map(|row| row.iter().map(|cell| cell.style).collect()));
        let mut current = styles.next().unwrap_or_default();
        let mut lines = Vec::new();
        for (index, line) in laid_out.lines().enumerate() {
            // The head's lines are followed by the first row without a mark between them.
            if line.starts_with(ROW_END) {
                current = styles.next().unwrap_or_default();
                continue;
            }
            lines.push(assemble(&line, &current, look));
            if index == 0 {
                current = styles.next().unwrap_or_default();
            }
        }
        lines
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
        shown.iter().map(least).sum::<usize>() + GAP.len() * shown.len().saturating_sub(1)
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
        let gaps = GAP.len() * shown.len().saturating_sub(1);
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

/// One line between a row's cells and one mark between rows; nothing else is drawn.
const MARKS: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(CELL_END))
    .content_lines(ContentLineStyle::none().junction(CELL_END))
    .row_separator(LineStyle::none().fill(ROW_END).junction(ROW_END));

/// A cell as a pipe gets it: one line, never empty.
fn piped(cell: &Cell) -> Cell {
    let text = if cell.text.is_empty() { "<none>".to_owned() } else { cell.text.replace('\n', " ") };
    Cell { text, ..cell.clone() }
}

/// Puts a laid out line together again, with styles that leave the padding alone.
fn assemble(line: &str, styles: &[Style], look: Look) -> String {
    let mut whole = String::new();
    let mut owed = 0;
    for (place, cell) in line.split(CELL_END).enumerate() {
        let text = cell.trim_end_matches(' ');
        if !text.is_empty() {
            whole.extend(std::iter::repeat_n(' ', owed));
            owed = 0;
            let style = styles.get(place).copied().unwrap_or_default();
            whole.push_str(&Line::new().styled(style, text).render(look));
        }
        owed += cell.len() - text.len() + GAP.len();
    }
    whole
}

#[cfg(test)]
mod tests;
