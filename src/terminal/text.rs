//! Sanitizes, measures and wraps text for a terminal.

/// The width of text in columns: two for most CJK characters and emoji, none for combining marks.
pub use console::measure_text_width as width;

/// Removes terminal control from foreign text.
///
/// Removes escape sequences (colours, window titles, links). Tabs become a space, carriage returns a newline; other control
/// characters and direction marks become `U+FFFD`. Newlines stay.
pub fn harmless(text: &str) -> String {
    let plain = console::strip_ansi_codes(text);
    let mut clean = String::with_capacity(plain.len());
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            c if c.is_control() || turns_direction(c) => clean.push('\u{fffd}'),
            c => clean.push(c),
        }
    }
    clean
}

/// The characters of "Trojan source" (CVE-2021-42574): they can make a displayed URI differ from the copied one.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

pub(super) const NO_BREAK: &str = "\u{a0}";

/// Uses non-breaking spaces in kubectl commands in backticks: a wrapped command runs only its first half when copied.
pub(super) fn keep_commands(text: &str) -> String {
    let ticks = text.matches('`').count();
    let part = |(place, part): (usize, &str)| {
        let is_command = place % 2 == 1 && place < ticks && part.starts_with("kubectl ");
        if is_command { part.replace(' ', NO_BREAK) } else { part.to_owned() }
    };
    text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

/// Wraps each line of `text` at spaces to at most `columns`, and indents continuation lines by `under`. Longer words (URIs) and
/// commands in backticks stay whole, because they will be copied. `None` disables wrapping.
pub fn wrap(text: &str, columns: Option<usize>, under: usize) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let mut lines: Vec<String> = Vec::new();
    for paragraph in keep_commands(text).split('\n') {
        let words = paragraph.trim_start_matches(' ');
        let mut line = " ".repeat(paragraph.len() - words.len());
        let mut empty = true;
        for word in words.split(' ') {
            // Consecutive spaces within a line are kept.
            if !empty && width(&line) + 1 + width(word) > columns && !word.is_empty() {
                lines.push(std::mem::replace(&mut line, " ".repeat(under)));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        lines.push(line);
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n").replace(NO_BREAK, " ")
}

/// Shortens `text` to `columns`, with `ending` if it was cut. Only for live lines, which must not wrap.
pub fn cut(text: &str, columns: usize, ending: &str) -> String {
    let ending = if width(ending) > columns { "" } else { ending };
    console::truncate_str(text, columns, ending).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn broken(text: &str, columns: usize) -> Vec<String> {
        wrap(text, Some(columns), 0).split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn escape_sequences_are_removed() {
        assert_eq!(harmless("\u{1b}[0;31mfatal: [localhost]\u{1b}[0m"), "fatal: [localhost]");
        assert_eq!(harmless("\u{1b}]0;pwned\u{7}title"), "title");
    }

    #[test]
    fn carriage_return_cannot_overwrite_text() {
        assert_eq!(harmless("active true\rnothing to see"), "active true\nnothing to see");
        assert_eq!(harmless("one\r\ntwo"), "one\ntwo");
        assert_eq!(harmless("a\tb"), "a b");
    }

    #[test]
    fn a_uri_is_never_broken() {
        let uri = "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0";
        assert_eq!(broken(&format!("register {uri} at Corp"), 20), ["register", uri, "at Corp"]);
    }

    #[test]
    fn a_command_in_a_sentence_is_not_broken() {
        let text = "Run `kubectl ess-mas check x -n y`, then `helm upgrade x`s as always.";
        let lines =
            ["Run", "`kubectl ess-mas check x -n y`,", "then `helm", "upgrade x`s", "as always."].map(str::to_owned);
        assert_eq!(broken(text, 12), lines);
        assert_eq!(broken("an `odd kubectl x", 4), ["an", "`odd", "kubectl", "x"]);
        assert_eq!(broken("`kubectl x", 4), ["`kubectl", "x"]);
        assert_eq!(broken("a  b", 4), ["a  b"]);
    }

    #[test]
    fn continuation_lines_are_indented() {
        let text = "  ! code   it is so, because of https://a.example/much/longer/than/a/line and so on";
        assert_eq!(
            wrap(text, Some(24), 6),
            "  ! code   it is so,\n      because of\n      https://a.example/much/longer/than/a/line\n      and so on"
        );
        assert_eq!(wrap(text, None, 6), text);
        assert_eq!(wrap("", Some(10), 2), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(broken("日本 日本 日本", 9), ["日本 日本", "日本"]);
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("abc", 2, "..."), "ab");
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word(text in "[a-z日🎉é ]{0,80}", columns in 1usize..30) {
            let lines = broken(&text, columns);
            let words: Vec<&str> = text.split_whitespace().collect();
            let again: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
            prop_assert_eq!(again, words);
            for line in &lines {
                prop_assert!(width(line) <= columns || !line.trim().contains(' '), "{line:?} is too wide");
            }
        }

        #[test]
        fn no_control_character_remains(text in any::<String>()) {
            prop_assert!(harmless(&text).chars().all(|c| c == '\n' || (!c.is_control() && !turns_direction(c))));
        }
    }
}
