//! Writes YAML that every reader understands alike.
//!
//! Go's and Python's readers follow YAML 1.1, where `yes`, `on`, `1_000`, `0777`, `12:30:45` and dates are no strings;
//! `serde_yaml` follows 1.2 and writes them bare. So the quoting is decided here: bare only what is plainly a word.

use std::fmt::Write as _;

use serde_yaml::Value;

/// A whole document, with a line feed at its end.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Mapping(map) if !map.is_empty() => mapping(&mut text, map, 0, false),
        Value::Sequence(list) if !list.is_empty() => sequence(&mut text, list, 0, false),
        leaf => {
            text.push_str(&scalar(leaf));
            text.push('\n');
        }
    }
    text
}

/// `inline`: the first entry continues a line that is already begun (`- key: value`).
fn mapping(text: &mut String, map: &serde_yaml::Mapping, depth: usize, inline: bool) {
    for (place, (key, value)) in map.iter().enumerate() {
        indent(text, if inline && place == 0 { 0 } else { depth });
        let key = scalar(key);
        // YAML 1.1 and 1.2 end an implicit key at 1024 characters; the explicit form has no end.
        if key.len() > 1000 {
            text.push_str("? ");
            text.push_str(&key);
            text.push('\n');
            indent(text, depth);
            text.push(':');
        } else {
            text.push_str(&key);
            text.push(':');
        }
        match value {
            Value::Mapping(inner) if !inner.is_empty() => {
                text.push('\n');
                mapping(text, inner, depth + 1, false);
            }
            Value::Sequence(inner) if !inner.is_empty() => {
                text.push('\n');
                // kubectl and Go write a list at its key's own depth.
                sequence(text, inner, depth, false);
            }
            leaf => leaf_after(text, leaf, depth + 1),
        }
    }
}

fn sequence(text: &mut String, list: &[Value], depth: usize, inline: bool) {
    for (place, value) in list.iter().enumerate() {
        indent(text, if inline && place == 0 { 0 } else { depth });
        text.push('-');
        match value {
            Value::Mapping(inner) if !inner.is_empty() => {
                text.push(' ');
                mapping(text, inner, depth + 1, true);
            }
            Value::Sequence(inner) if !inner.is_empty() => {
                text.push(' ');
                sequence(text, inner, depth + 1, true);
            }
            leaf => leaf_after(text, leaf, depth + 1),
        }
    }
}

/// A scalar after `key:` or `-`. Text of several ordinary lines (a certificate) becomes a block, the rest is one line.
fn leaf_after(text: &mut String, leaf: &Value, depth: usize) {
    match leaf {
        Value::String(string) if is_block(string) => {
            text.push_str(if string.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in string.lines() {
                indent(text, depth);
                text.push_str(line);
                text.push('\n');
            }
        }
        leaf => {
            text.push(' ');
            text.push_str(&scalar(leaf));
            text.push('\n');
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n("  ", depth));
}

/// A value without inner structure, on one line.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => plain_number(&number.to_string()),
        Value::String(string) if is_plain(string) => string.clone(),
        Value::String(string) => quoted(string),
        Value::Sequence(_) => "[]".to_owned(),
        Value::Mapping(_) => "{}".to_owned(),
        Value::Tagged(tagged) => scalar(&tagged.value),
    }
}

/// YAML 1.1 wants a point in a float's mantissa and a sign in its exponent, or it reads a string.
fn plain_number(number: &str) -> String {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        return number.to_owned();
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// Words that some reader takes for a value: YAML 1.1's booleans and nulls with Go's and others' additions.
const VALUES: [&str; 14] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "none", "nan", "inf", "infinity"];

/// Whether a string can stand without quotes: it begins with an ASCII letter (no number, date or sign does), is no word for
/// a value, and holds nothing that means something in YAML.
pub(super) fn is_plain(string: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || "_./@+-()".contains(c);
    let mut chars = string.chars().peekable();
    if !chars.peek().is_some_and(char::is_ascii_alphabetic) || VALUES.iter().any(|v| v.eq_ignore_ascii_case(string)) {
        return false;
    }
    let mut last = ' ';
    while let Some(c) = chars.next() {
        let fits = match c {
            // A space or a colon has a word on both sides, so no `: ` arises.
            ' ' | ':' => last != ' ' && last != ':' && chars.peek().copied().is_some_and(word),
            c => word(c),
        };
        if !fits {
            return false;
        }
        last = c;
    }
    string.len() <= 500
}

/// Whether a string can be a block as it is: several lines, the first one not indented, nothing at the end to be lost.
fn is_block(string: &str) -> bool {
    let body = string.strip_suffix('\n').unwrap_or(string);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\n'])
        && body.split('\n').all(|line| !line.ends_with(' ') && line.chars().all(|c| c == ' ' || shows(c)))
}

/// A character that stands for itself in every reader and cannot steer a terminal.
fn shows(c: char) -> bool {
    match c {
        '\u{21}'..='\u{7e}'
        | '\u{a1}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffc}'
        | '\u{1f000}'..='\u{3ffff}' => {
            !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
                && u32::from(c) & 0xfffe != 0xfffe
        }
        _ => false,
    }
}

/// In double quotes, where every reader knows the same escapes.
fn quoted(string: &str) -> String {
    let mut text = String::from("\"");
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c == ' ' || shows(c) => text.push(c),
            // Writing into a string cannot fail.
            c if u32::from(c) <= 0xffff => drop(write!(text, "\\u{:04x}", u32::from(c))),
            c => drop(write!(text, "\\U{:08x}", u32::from(c))),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests;
