//! Finds patterns in a failure text, regardless of colours, JSON escapes (in several layers), line wrapping and case.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// The longest text that is searched; a message in an object's status can't be much longer.
const LONGEST_TEXT: usize = 512 * 1024;
/// A capture is a name, or a few names.
const LONGEST_CAPTURE: usize = 300;

/// ECMA-48's control sequences, also with an escape character that a log has escaped.
static COLOURS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?:\x1b|\\+x1b|\\+033|\\+u001b|#033|\^\[)\[[0-9;?]*[A-Za-z]?"));
/// JSON escapes, in any number of layers.
static BREAKS: LazyLock<Regex> = LazyLock::new(|| regex(r"\\+[nrt]"));
static UNICODE: LazyLock<Regex> = LazyLock::new(|| regex(r"\\+u([0-9a-fA-F]{4})"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns above are valid")
}

pub(super) struct Message {
    /// Without escapes and colours.
    plain: String,
    /// `plain` without spaces, with one kind of quotation mark.
    dense: String,
    /// `dense` in lower case, with the same byte offsets.
    lower: String,
    /// The offset in `plain` of each byte of `dense`.
    places: Vec<usize>,
}

impl Message {
    pub(super) fn read(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        let text = COLOURS.replace_all(text, "");
        let text = BREAKS.replace_all(&text, "\n");
        let unicode = |found: &regex_lite::Captures| {
            let character = u32::from_str_radix(&found[1], 16).ok().and_then(char::from_u32);
            character.map_or_else(String::new, String::from)
        };
        let plain = UNICODE.replace_all(&text, unicode).replace('\\', "");
        let (mut dense, mut places) = (String::with_capacity(plain.len()), Vec::with_capacity(plain.len()));
        for (at, c) in plain.char_indices().filter_map(|(at, c)| Some((at, shown(c)?))) {
            dense.push(c);
            places.resize(dense.len(), at);
        }
        let lower = dense.to_ascii_lowercase();
        Self { plain, dense, lower, places }
    }

    /// The name, or list of names, at an offset of `dense`, up to a space.
    fn names(&self, at: usize, list: bool) -> String {
        let from = self.places.get(at).copied().unwrap_or(self.plain.len());
        let mut names = String::new();
        for c in self.plain[from..].chars().take(LONGEST_CAPTURE) {
            if list && c.is_whitespace() && names.ends_with(',') {
                continue;
            }
            if !is_allowed(c, list) {
                break;
            }
            names.push(c);
        }
        names.trim_end_matches([',', '.']).to_owned()
    }
}

/// Normalizes a character for comparison; `None` for spaces.
fn shown(c: char) -> Option<char> {
    let ignored = c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}');
    let quote = matches!(c, '"' | '`' | '‘' | '’' | '“' | '”' | '„');
    (!ignored).then_some(if quote { '\'' } else { c })
}

/// Whether a name may contain this character. Excludes quotation marks and semicolons, because names are inserted into SQL.
fn is_allowed(c: char, list: bool) -> bool {
    c.is_ascii_alphanumeric() || "-._:@/=+[]".contains(c) || (list && c == ',')
}

/// A text with captures, such as `user @{user} was not found`. See the head of causes.yaml.
pub(super) struct Pattern {
    first: String,
    /// Captures, each with the text after it, which is empty at the end of the pattern.
    rest: Vec<(Capture, String)>,
}

struct Capture {
    name: String,
    list: bool,
}

/// Names and values of captures.
pub(super) type Captured = Vec<(String, String)>;

impl Pattern {
    pub(super) fn read(text: &str) -> Self {
        let dense = |text: &str| text.chars().filter_map(shown).collect::<String>().to_ascii_lowercase();
        let mut parts = text.split('{');
        let first = dense(parts.next().unwrap_or_default());
        let rest = parts.filter_map(|part| part.split_once('}')).map(|(name, text)| {
            let capture = Capture { name: name.trim_end_matches(',').to_owned(), list: name.ends_with(',') };
            (capture, dense(text))
        });
        Self { first, rest: rest.collect() }
    }

    /// The ranges of its occurrences in `dense`, with the captured values.
    pub(super) fn matches(&self, message: &Message) -> impl Iterator<Item = (Range<usize>, Captured)> {
        message.lower.match_indices(&self.first).filter_map(|(start, _)| self.at(message, start))
    }

    fn at(&self, message: &Message, start: usize) -> Option<(Range<usize>, Captured)> {
        let mut captured = Captured::new();
        let mut at = start + self.first.len();
        let mut before = &self.first;
        for (capture, after) in &self.rest {
            let names = if after.is_empty() {
                message.names(at, capture.list)
            } else {
                let furthest = message.lower.floor_char_boundary(at + LONGEST_CAPTURE + after.len());
                let length = message.lower[at..furthest].find(after)?;
                let between = at..at + length;
                // If the text before a capture is repeated, the last occurrence counts.
                if message.lower[between.clone()].contains(before) {
                    return None;
                }
                at = between.end + after.len();
                message.dense[between].to_owned()
            };
            if names.is_empty() || !names.chars().all(|c| is_allowed(c, capture.list)) {
                return None;
            }
            captured.push((capture.name.clone(), names.replace(',', ", ")));
            before = after;
        }
        Some((start..at, captured))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<Captured> {
        Pattern::read(pattern).matches(&Message::read(text)).map(|(_, captured)| captured).collect()
    }

    #[test]
    fn json_escapes_colours_and_wrapping_do_not_matter() {
        let text = "could not obtain lock on relation \"users\"";
        let once = serde_json::to_string(text).unwrap();
        let twice = serde_json::to_string(&format!("{{\"msg\": {once}}}")).unwrap();
        for changed in [
            text.to_owned(),
            text.to_uppercase(),
            once,
            twice,
            "could not obtain\n    lock on rel\n    ation “users”".to_owned(),
            "\u{1b}[0;31mcould not obtain lock\u{1b}[0m on relation \\u001b[1m`users`".to_owned(),
            "#033[31mcould not obtain lock on relation 'users'#033[0m".to_owned(),
        ] {
            assert_eq!(found("could not obtain lock on relation 'users'", &changed).len(), 1, "{changed}");
        }
    }

    #[test]
    fn captures_keep_their_case_and_end_at_the_following_text() {
        let value = |pattern: &str, text: &str| found(pattern, text).pop().map(|mut captured| captured.remove(0).1);
        assert_eq!(value("provider '{id}' but", "provider 'oidc-01JABC' but the rest").as_deref(), Some("oidc-01JABC"));
        assert_eq!(value("provider '{id}' and", "provider 'oidc-01JABC' but the rest"), None);
        assert_eq!(value("user @{user} was lost", "for user @a the user @b was lost").as_deref(), Some("b"));
        assert_eq!(value("found: {names,}", "found: a, b\nnext").as_deref(), Some("a, b"));
        assert_eq!(value("found: {name}", "found: a, b\nnext").as_deref(), Some("a"));
        assert_eq!(value("relation '{table}'", "relation 'x; DROP TABLE users'"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), before in "[a-z'\"\\\\ ]{0,4}", after in "[a-zß'\" ]{0,4}") {
            let _ = found(&format!("{before}{{name}}{after}"), &text);
            let _ = found(&format!("{before}{{names,}}{after}"), &text);
        }
    }
}
