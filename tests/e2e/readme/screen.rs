//! The contents of a terminal after an output, with colours.

/// A grid that grows downwards. Supports what the program uses: SGR, carriage return, erase, move up.
#[derive(Default)]
pub struct Screen {
    rows: Vec<Vec<(char, String)>>,
    row: usize,
    column: usize,
    style: String,
}

impl Screen {
    /// Adds output.
    pub fn write(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => self.row += 1,
                '\u{1b}' => {
                    assert_eq!(chars.next(), Some('['), "only CSI sequences are expected");
                    let mut parameters = String::new();
                    let end = chars.by_ref().find(|c| {
                        let ends = c.is_ascii_alphabetic();
                        if !ends {
                            parameters.push(*c);
                        }
                        ends
                    });
                    self.control(end.expect("a sequence ends"), &parameters);
                }
                c if c.is_control() => {}
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        let column = self.column;
        let style = self.style.clone();
        let row = self.current();
        row.resize(row.len().max(column + 1), (' ', String::new()));
        row[column] = (c, style);
        self.column += 1;
    }

    fn control(&mut self, end: char, parameters: &str) {
        let column = self.column;
        match end {
            'm' if parameters.is_empty() || parameters == "0" => self.style.clear(),
            'm' => parameters.clone_into(&mut self.style),
            'K' => self.current().truncate(column),
            'J' => {
                self.current().truncate(column);
                self.rows.truncate(self.row + 1);
            }
            'A' => self.row -= parameters.parse::<usize>().unwrap_or(1),
            other => panic!("the program writes a sequence that ends in {other:?}"),
        }
    }

    fn current(&mut self) -> &mut Vec<(char, String)> {
        self.rows.resize(self.rows.len().max(self.row + 1), Vec::new());
        &mut self.rows[self.row]
    }

    /// As text with SGR sequences.
    pub fn coloured(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            for run in row.chunk_by(|one, other| one.1 == other.1) {
                let words: String = run.iter().map(|(c, _)| *c).collect();
                match run[0].1.as_str() {
                    "" => text.push_str(&words),
                    style => text.extend(["\u{1b}[", style, "m", &words, "\u{1b}[0m"]),
                }
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}

#[test]
fn later_output_replaces_earlier_output_and_colours_stay() {
    let mut screen = Screen::default();
    screen.write("  ⠋ 10:41  waiting\r\u{1b}[K\u{1b}[32m✔\u{1b}[0m done\r\nGo on? n\u{1b}[1A\r\u{1b}[Jagain\r\n");
    assert_eq!(screen.coloured(), "again\n");
    let mut screen = Screen::default();
    screen.write("one\r\n  live\rtwo\u{1b}[K\r\n\u{1b}[1mthree\u{1b}[0m\r\n");
    assert_eq!(screen.coloured(), "one\ntwo\n\u{1b}[1mthree\u{1b}[0m\n");
}
