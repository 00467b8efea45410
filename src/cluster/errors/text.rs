//! Cleans a server's messages: short, without control characters, without the values that they repeat.

use crate::connection_failure::one_line;

pub fn plain(text: &str) -> String {
    one_line(text, 600)
}

/// Removes long values from messages such as `Invalid value: "…": reason`.
///
/// For a patch with an unknown field, kube-apiserver 1.36 repeats the *whole object* there, in Go's quoting, also that of a
/// Secret.
pub fn without_values(text: &str) -> String {
    const SHORT: usize = 60;
    without_quoted(text, "value: \"", |quoted| quoted.len() <= SHORT && !quoted.starts_with("\"{"))
}

/// Removes everything in quotes.
pub fn unquoted(text: &str) -> String {
    without_quoted(text, "\"", |_| false)
}

/// Removes the quoted texts after this mark, which ends with the opening quote, unless `keep` returns true for them.
fn without_quoted(text: &str, mark: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len().min(1024));
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, quoted) = rest.split_at(at + mark.len() - 1);
        let (quoted, after) = quoted.split_at(end_of_quoted(quoted));
        out.push_str(before);
        out.push_str(if keep(quoted) { quoted } else { "…" });
        rest = after;
    }
    out + rest
}

/// The length of a Go-quoted string with its quotes; the whole length if the closing quote is missing.
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

/// The text between two marks; an empty `until` means the end of the text.
pub fn between<'a>(text: &'a str, from: &str, until: &str) -> Option<&'a str> {
    let rest = &text[text.find(from)? + from.len()..];
    Some(if until.is_empty() { rest } else { &rest[..rest.find(until)?] })
}

pub fn seconds(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds => format!("{seconds} s"),
    }
}

pub fn unpunctuated(text: &str) -> &str {
    text.trim_end_matches(['.', ' '])
}

pub fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {}", unpunctuated(message)) }
}
