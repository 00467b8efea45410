//! `password: x`, `"token": "x"`, `secret=x`: values that stand under a telling key in a text, also over several lines.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::MARK;
use super::keys::{self, TELLING, pattern};

/// A telling key, what closes it, and what parts it from its value.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?i)([\w.\-\u{{80}}-\u{{9f}}\u{{a1}}-\u{{10ffff}}]*(?:{TELLING})[\w.\-\u{{80}}-\u{{9f}}\u{{a1}}-\u{{10ffff}}]*)(\\*["']?)([\s\u{{a0}}]*)(=>|[:=])([ \t\u{{a0}}]*)"#
    ))
});

/// What the lines that follow are part of.
enum Open {
    /// A YAML block scalar of a key with that indentation.
    Block(usize),
    /// A YAML list of a key with that indentation.
    List(usize),
    /// A value in quotation marks that has not ended.
    Quoted(String),
}

/// Takes the values out.
pub(super) fn pairs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<Open> = None;
    for line in text.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (line, ""),
        };
        open = match open {
            Some(open) => match goes_on(open, body, end, &mut out) {
                Ok(open) => open,
                Err(()) => fresh(body, end, &mut out),
            },
            None => fresh(body, end, &mut out),
        };
    }
    out
}

/// A line within what is open. `Err` when that is over and the line stands for itself.
fn goes_on(open: Open, body: &str, end: &str, out: &mut String) -> Result<Option<Open>, ()> {
    let indentation = indentation(body);
    let blank = body.trim().is_empty();
    match open {
        Open::Block(key) if blank || indentation > key => Ok(Some(Open::Block(key))),
        Open::List(key) if body.trim_start().starts_with("- ") && indentation >= key => {
            let item = body.trim_start();
            if item.contains(": ") || item.ends_with(':') {
                return Err(());
            }
            out.push_str(&body[..body.len() - item.len()]);
            out.push_str("- ");
            out.push_str(MARK);
            out.push_str(end);
            Ok(Some(Open::List(key)))
        }
        Open::Quoted(mark) => match closing(body, &mark) {
            Some(at) => {
                out.push_str(&mark);
                let rest = fresh(&body[at..], end, out);
                Ok(rest)
            }
            None => Ok(Some(Open::Quoted(mark))),
        },
        Open::Block(_) | Open::List(_) => Err(()),
    }
}

/// A line that stands for itself. Returns what it leaves open.
fn fresh(body: &str, end: &str, out: &mut String) -> Option<Open> {
    let mut at = 0;
    while let Some(found) = keys::may_tell(&body[at..]).then(|| KEY.captures_at(body, at)).flatten() {
        let (Some(whole), Some(key)) = (found.get(0), found.get(1)) else { break };
        let gap = found.get(3).is_some_and(|gap| !gap.is_empty());
        let colon = &found[4] == ":";
        let rest = &body[whole.end()..];
        out.push_str(&body[at..whole.end()]);
        at = whole.end();
        if let Some(mark) = opening(rest) {
            let value = &rest[mark.len()..];
            match closing(value, &mark) {
                Some(length) => {
                    let inner = &value[..length - mark.len()];
                    out.push_str(&mark);
                    out.push_str(if keys::hides(key.as_str(), inner) { MARK } else { inner });
                    out.push_str(&mark);
                    at += mark.len() + length;
                }
                None if keys::is_telling(key.as_str()) => {
                    out.push_str(&mark);
                    out.push_str(MARK);
                    out.push_str(end);
                    return Some(Open::Quoted(mark));
                }
                None => {}
            }
            continue;
        }
        if gap && colon {
            // `volume "secret" : secret "x" not found`: a sentence, not a pair.
            continue;
        }
        let first = body[..key.start()].trim_start_matches(['-', ' ', '\t', '"', '\'', '?']).is_empty();
        if colon && first && keys::is_telling(key.as_str()) {
            let value = rest.trim();
            let column = indentation(body);
            if is_block(value) {
                out.push_str(MARK);
                out.push_str(end);
                return Some(Open::Block(column));
            }
            if value.is_empty() {
                out.push_str(&body[at..]);
                out.push_str(end);
                return Some(Open::List(column));
            }
        }
        let length = bare(rest, colon, first);
        let value = &rest[..length];
        if length > 0 && keys::hides(key.as_str(), value.trim()) {
            if let Some(list) = value.strip_prefix('[') {
                out.push('[');
                out.push_str(MARK);
                out.push_str(if list.ends_with(']') { "]" } else { "" });
            } else {
                out.push_str(MARK);
            }
            at += length;
        }
    }
    out.push_str(&body[at..]);
    out.push_str(end);
    None
}

/// How long a value without quotation marks is; 0 where it is no value but a sentence.
fn bare(rest: &str, colon: bool, first: bool) -> usize {
    if rest.starts_with('[') {
        return rest.find(']').map_or(rest.len(), |at| at + 1);
    }
    if rest.starts_with('{') {
        return 0;
    }
    if colon && first {
        return rest.trim_end().trim_end_matches(',').len();
    }
    let stops: &[char] =
        if colon { &[' ', '\t', ',', ';', '}', ')', ']', '"', '\''] } else { &[' ', '\t', '&', '"', '\''] };
    let length = rest.find(stops).unwrap_or(rest.len());
    let sentence = colon && rest[..length].chars().all(|c| c.is_ascii_lowercase()) && rest[length..].starts_with(' ');
    if sentence { 0 } else { length }
}

/// The quotation mark that a value begins with, with the backslashes that a quoting around it has put there.
fn opening(rest: &str) -> Option<String> {
    let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    let mark = rest[slashes..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(format!("{}{mark}", &rest[..slashes]))
}

/// Where the value has ended, its closing mark included.
fn closing(value: &str, mark: &str) -> Option<usize> {
    let (slashes, quote) = (mark.len() - 1, mark.chars().next_back()?);
    let bytes = value.as_bytes();
    value.match_indices(quote).find_map(|(at, _)| {
        let before = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        // Two backslashes before the mark are one backslash of the value, and the mark counts.
        let counts = before == slashes || (slashes == 0 && before % 2 == 0);
        let doubled = quote == '\'' && slashes == 0 && (bytes.get(at + 1) == Some(&b'\''));
        let second = quote == '\'' && slashes == 0 && at > 0 && bytes[at - 1] == b'\'' && !opens_again(bytes, at);
        (counts && !doubled && !second).then_some(at + 1)
    })
}

/// Whether the mark at `at` follows an even number of marks, so that it is not the second of a doubled one.
fn opens_again(bytes: &[u8], at: usize) -> bool {
    bytes[..at].iter().rev().take_while(|byte| **byte == b'\'').count() % 2 == 0
}

fn is_block(value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or_default().trim();
    value.strip_prefix(['|', '>']).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || "+-".contains(c)))
}

fn indentation(body: &str) -> usize {
    body.len() - body.trim_start_matches(' ').len()
}
