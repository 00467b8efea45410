//! Text on a terminal: made harmless, measured, wrapped.

/// How many columns `text` takes on a terminal: two for most CJK characters and emoji, none for combining marks.
pub fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// Takes out of foreign text what could steer a terminal.
///
/// Escape sequences (colours, window titles, links) vanish whole; tabs become a space; carriage returns end a line; other
/// control characters and the marks that turn the direction of writing become `U+FFFD`. Line feeds stay.
pub fn harmless(text: &str) -> String {
    let plain = console::strip_ansi_codes(text);
    let mut clean = String::with_capacity(plain.len());
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    clean.push('\n');
                }
            }
            c if c.is_control() || turns_direction(c) => clean.push('\u{fffd}'),
            c => clean.push(c),
        }
    }
    clean
}

/// The marks behind "Trojan source" (CVE-2021-42574): with them a shown URI can differ from the one that is copied.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// What stays together when a line is broken: words, and commands of kubectl within backticks, because a command that is
/// copied in two lines runs its first half.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let left = rest?;
        let within_command = |at: usize| {
            let mut ticks = left[..at].rmatch_indices('`');
            let open = ticks.next().map(|(at, _)| at).filter(|_| ticks.count() % 2 == 0);
            open.is_some_and(|open| left[open..].starts_with("`kubectl ") && left[at..].contains('`'))
        };
        let end = left.match_indices(' ').map(|(at, _)| at).find(|at| !within_command(*at));
        rest = end.map(|end| &left[end + 1..]);
        Some(end.map_or(left, |end| &left[..end]))
    })
}

/// Breaks `text` into lines of at most `columns`, at spaces only: a word that is longer (a URI), and a command in backticks,
/// stays whole on a line of its own, because it will be copied. Line feeds in `text` are kept; `None` breaks nowhere else.
pub fn wrap(text: &str, columns: Option<usize>) -> Vec<String> {
    let under = |paragraph: &str| wrap_under(paragraph.trim_start_matches(' '), columns, 0);
    let lines = if columns.is_some() { text.split('\n').map(under).collect() } else { vec![text.to_owned()] };
    lines.iter().flat_map(|lines| lines.split('\n').map(str::to_owned)).collect()
}

/// Breaks one paragraph as [`wrap`] does, with so many spaces in front of each line but the first.
pub fn wrap_under(text: &str, columns: Option<usize>, under: usize) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let head = text.len() - text.trim_start_matches(' ').len();
    let mut lines: Vec<String> = Vec::new();
    let mut line = text[..head].to_owned();
    let mut empty = true;
    for word in pieces(&text[head..]) {
        // Spaces in a row keep their number within a line.
        if !empty && width(&line) + 1 + width(word) > columns && !word.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            line = " ".repeat(under);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line.trim_end().to_owned());
    lines.join("\n")
}

/// Shortens `text` to `columns`, ending in `ending` where something was cut. Only for what is redrawn in place: a line
/// that wraps cannot be taken back.
pub fn cut(text: &str, columns: usize, ending: &str) -> String {
    let ending = if width(ending) > columns { "" } else { ending };
    console::truncate_str(text, columns, ending).into_owned()
}

pub fn pad(text: &str, columns: usize) -> String {
    console::pad_str(text, columns, console::Alignment::Left, None).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_of_ansible_messages_vanish() {
        assert_eq!(harmless("\u{1b}[0;31mfatal: [localhost]\u{1b}[0m"), "fatal: [localhost]");
        assert_eq!(harmless("\u{1b}]0;pwned\u{7}title"), "title");
    }

    #[test]
    fn a_lone_carriage_return_cannot_overwrite_what_was_said() {
        assert_eq!(harmless("active true\rnothing to see"), "active true\nnothing to see");
        assert_eq!(harmless("one\r\ntwo"), "one\ntwo");
        assert_eq!(harmless("a\tb"), "a b");
    }

    #[test]
    fn a_uri_is_never_broken() {
        let uri = "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0";
        assert_eq!(wrap(&format!("register {uri} at Corp"), Some(20)), ["register", uri, "at Corp"]);
    }

    #[test]
    fn a_command_in_a_sentence_is_not_broken() {
        let text = "Run `kubectl ess-mas check x -n y`, then `helm upgrade x`s as always.";
        let lines =
            ["Run", "`kubectl ess-mas check x -n y`,", "then `helm", "upgrade x`s", "as always."].map(str::to_owned);
        assert_eq!(wrap(text, Some(12)), lines);
        assert_eq!(wrap_under(text, Some(12), 0), lines.join("\n"));
        assert_eq!(wrap("an `odd kubectl x", Some(4)), ["an", "`odd", "kubectl", "x"]);
        assert_eq!(wrap("`kubectl x", Some(4)), ["`kubectl", "x"]);
        assert_eq!(wrap("a  b", Some(4)), ["a  b"]);
    }

    #[test]
    fn what_does_not_fit_goes_on_under_its_beginning() {
        let text = "  ! code   it is so, because of https://a.example/much/longer/than/a/line and so on";
        assert_eq!(
            wrap_under(text, Some(24), 6),
            "  ! code   it is so,\n      because of\n      https://a.example/much/longer/than/a/line\n      and so on"
        );
        assert_eq!(wrap_under(text, None, 6), text);
        assert_eq!(wrap_under("", Some(10), 2), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(wrap("日本 日本 日本", Some(9)), ["日本 日本", "日本"]);
        assert_eq!(pad("日本", 6), "日本  ");
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("abc", 2, "..."), "ab");
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word(text in "[a-z日🎉é ]{0,80}", columns in 1usize..30) {
            let lines = wrap(&text, Some(columns));
            let words: Vec<&str> = text.split_whitespace().collect();
            let again: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
            prop_assert_eq!(again, words);
            for line in &lines {
                prop_assert!(width(line) <= columns || !line.trim().contains(' '), "{line:?} is too wide");
            }
        }

        #[test]
        fn nothing_that_steers_survives(text in any::<String>()) {
            prop_assert!(harmless(&text).chars().all(|c| c == '\n' || (!c.is_control() && !turns_direction(c))));
        }
    }
}
