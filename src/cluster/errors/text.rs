//! A server's words, made fit for a person: cut, cleaned, and without the values it repeats.

use crate::connection_failure::one_line;

/// A server's text, fit for a terminal: not longer than a paragraph.
pub fn plain(text: &str) -> String {
    one_line(text, 600)
}

/// Takes out the values that the server repeats in `Invalid value: "…": reason` and the like, unless they are short.
///
/// For a patch with an unknown field, kube-apiserver 1.36 repeats the *whole object* there, in Go's quoting: nobody can
/// read that, and for a Secret nobody may.
pub fn without_values(text: &str) -> String {
    const SHORT: usize = 60;
    without_quoted(text, "value: \"", |quoted| quoted.len() <= SHORT && !quoted.starts_with("\"{"))
}

/// The text without anything that stands in quotes.
pub fn unquoted(text: &str) -> String {
    without_quoted(text, "\"", |_| false)
}

/// The text without what stands in quotes after this mark, which ends with the opening quote, unless it may stay.
fn without_quoted(text: &str, mark: &str, may_stay: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len().min(1024));
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, quoted) = rest.split_at(at + mark.len() - 1);
        let (quoted, after) = quoted.split_at(end_of_quoted(quoted));
        out.push_str(before);
        out.push_str(if may_stay(quoted) { quoted } else { "…" });
        rest = after;
    }
    out + rest
}

/// The length of a Go-quoted string, quotes included; everything where the closing quote is missing.
fn end_of_quoted(quoted: &str) -> usize {
    let mut escaped = false;
    for (at, c) in quoted.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    quoted.len()
}

/// What stands between two marks; an empty `until` means the end.
pub fn between<'a>(text: &'a str, from: &str, until: &str) -> Option<&'a str> {
    let rest = &text[text.find(from)? + from.len()..];
    Some(if until.is_empty() { rest } else { &rest[..rest.find(until)?] })
}

pub fn seconds(duration: std::time::Duration) -> String {
    if duration < std::time::Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", duration.as_secs())
    }
}

pub fn unpunctuated(text: &str) -> &str {
    text.trim_end_matches(['.', ' '])
}

pub fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {}", unpunctuated(message)) }
}

pub fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
