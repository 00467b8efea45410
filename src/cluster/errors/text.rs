//! A server's words, made fit for a person: cut, cleaned, and without the values it repeats.

use super::error::FieldProblem;

/// A server's text, fit for a terminal: one line, no control characters, not longer than a paragraph.
pub fn plain(text: &str) -> String {
    const LONGEST: usize = 600;
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    clean.chars().take(LONGEST).chain("…".chars()).collect()
}

/// Takes out the values that the server repeats in `Invalid value: "…": reason` and the like, unless they are short.
///
/// For a patch with an unknown field, kube-apiserver 1.36 repeats the *whole object* there, in Go's quoting: nobody can
/// read that, and for a Secret nobody may.
pub fn without_values(text: &str) -> String {
    const SHORT: usize = 60;
    let mut out = String::with_capacity(text.len().min(1024));
    let mut rest = text;
    while let Some(at) = rest.find("value: \"") {
        let (before, quoted) = rest.split_at(at + "value: ".len());
        out.push_str(before);
        let end = end_of_quoted(quoted);
        if end <= SHORT && !quoted.starts_with("\"{") {
            out.push_str(&quoted[..end]);
        } else {
            out.push('…');
        }
        rest = &quoted[end..];
    }
    out + rest
}

/// The text without anything that stands in quotes.
pub fn unquoted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        out.push_str(&rest[..at]);
        out.push('…');
        rest = &rest[at + end_of_quoted(&rest[at..])..];
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

/// The fields of a strict-decoding error: `strict decoding error: unknown field "spec.a", unknown field "spec.b"`.
pub fn unknown_fields(message: &str) -> Vec<FieldProblem> {
    const MARK: &str = "unknown field \"";
    let Some((_, list)) = message.split_once("strict decoding error: ") else { return Vec::new() };
    list.split(MARK)
        .skip(1)
        .filter_map(|part| part.split_once('"'))
        .map(|(field, _)| FieldProblem { field: field.to_owned(), message: "unknown field".to_owned() })
        .collect()
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
