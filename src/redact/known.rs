//! Values that are known to be secret, in the forms in which logs and messages bring them.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::{MARK, names, patterns};

/// A shorter value cannot be told from the words of any text.
const SHORTEST: usize = 4;
/// A shorter form counts only where it stands by itself, but for base64, which is no word.
const WITHIN_WORDS: usize = 8;
const SHORTEST_BASE64: usize = 5;
/// Words that some Secrets hold and that say nothing.
const ORDINARY: [&str; 8] = ["true", "false", "null", "none", "yes", "required", "postgres", "localhost"];

/// The forms, ready to be looked for. No formatter shows them.
pub(super) struct Known {
    forms: Option<AhoCorasick>,
    /// Whether the form of that number counts only where it stands by itself.
    alone: Vec<bool>,
}

impl Known {
    /// Looks for whole values, and of several lines or a configuration file for each that is secret.
    pub(super) fn whole<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::of(values.flat_map(telling).flat_map(|value| forms(&value)).collect())
    }

    /// Looks for any [`WITHIN_WORDS`] bytes in a row.
    pub(super) fn parts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let forms = values.filter(|value| value.len() >= SHORTEST).flat_map(forms);
        let windows = |(form, alone): (Vec<u8>, bool)| match form.len() {
            ..WITHIN_WORDS => vec![(form, alone)],
            _ => form.windows(WITHIN_WORDS).map(|window| (window.to_vec(), false)).collect(),
        };
        Self::of(forms.flat_map(windows).collect())
    }

    fn of(mut forms: Vec<(Vec<u8>, bool)>) -> Self {
        forms.sort();
        forms.dedup();
        let (forms, alone): (Vec<_>, Vec<_>) = forms.into_iter().unzip();
        // Building fails for more than any cluster has Secrets; what is not known is still judged by its name and its looks.
        Self { forms: (!forms.is_empty()).then(|| AhoCorasick::new(forms).ok()).flatten(), alone }
    }

    /// The text with a mark in the place of each value; one for those that touch.
    pub(super) fn cut(&self, text: &str) -> String {
        let Some(forms) = &self.forms else { return text.to_owned() };
        let hits = forms.find_overlapping_iter(text);
        let hits =
            hits.filter(|hit| !self.alone[hit.pattern().as_usize()] || stands_alone(text.as_bytes(), &hit.range()));
        let mut hits: Vec<Range<usize>> = hits.map(|hit| hit.range()).collect();
        hits.sort_by_key(|hit| hit.start);
        let mut out = String::with_capacity(text.len());
        let (mut done, mut marked) = (0, None);
        for hit in hits {
            let (start, end) = (text.floor_char_boundary(hit.start), text.ceil_char_boundary(hit.end));
            if marked.is_none_or(|until| start > until) {
                out += &text[done..start];
                out += MARK;
            }
            done = done.max(end);
            marked = Some(done);
        }
        out + &text[done..]
    }
}

/// Whether a word begins and ends there.
fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    let part_of_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let begins = !part_of_word(before) || !part_of_word(text.get(range.start));
    let ends = !part_of_word(text.get(range.end)) || !part_of_word(text.get(range.end - 1));
    begins && ends
}

/// How a value may be written, and whether that counts only where it stands by itself.
fn forms(value: impl AsRef<[u8]>) -> Vec<(Vec<u8>, bool)> {
    let value = value.as_ref();
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let url: String = value.iter().map(percent).collect();
    let mut forms = vec![hex.to_uppercase(), hex, url.replace("%20", "+"), url];
    if let Ok(text) = std::str::from_utf8(value) {
        let json = quoted(text);
        let twice = quoted(&json);
        // Python writes ASCII, Go escapes what HTML minds.
        let yaml = text.replace('\'', "''");
        forms.extend([yaml, escaped(&json, |c| !c.is_ascii()), escaped(&json, |c| "<>&".contains(c)), twice, json]);
    }
    let mut forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
    forms.push(value.to_vec());
    let encoded: Vec<_> = forms.iter().rev().take(2).flat_map(|form| base64(form)).map(|form| (form, false)).collect();
    forms.into_iter().map(|form| (form.clone(), form.len() < WITHIN_WORDS)).chain(encoded).collect()
}

/// What is always the same of its base64, whatever is encoded with it.
fn base64(value: &[u8]) -> Vec<Vec<u8>> {
    let aligned = |before: usize| {
        let padded = [&[0; 2][..before], value].concat();
        let code = STANDARD_NO_PAD.encode(&padded)[[0, 2, 3][before]..padded.len() * 8 / 6].to_owned();
        [code.replace('+', "-").replace('/', "_").into_bytes(), code.into_bytes()]
    };
    (0..3).flat_map(aligned).filter(|code| code.len() >= SHORTEST_BASE64).collect()
}

/// As JSON writes it between quotation marks.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// With `\u00e4` in the place of these characters.
fn escaped(json: &str, which: fn(char) -> bool) -> String {
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    json.chars().map(|c| if which(c) { escape(c) } else { c.to_string() }).collect()
}

/// The texts that give a value away: itself, and of several lines each, as a log prints it.
fn telling(value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(value) else {
        return if value.len() < WITHIN_WORDS { Vec::new() } else { vec![value.to_vec()] };
    };
    let text = text.trim();
    if let Some(secrets) = of_a_document(text) {
        return secrets.iter().flat_map(|secret| telling(secret.as_bytes())).collect();
    }
    let lines = text.lines().map(str::trim).filter(|line| line.len() >= WITHIN_WORDS && !line.starts_with("-----"));
    let says_something = |part: &&str| {
        let small_number = part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.len() >= SHORTEST && !small_number && !ORDINARY.contains(&part.to_ascii_lowercase().as_str())
    };
    [text].into_iter().chain(lines).filter(says_something).map(|part| part.as_bytes().to_vec()).collect()
}

/// The secrets in a configuration file: what stands under telling keys, and what is a key by itself. Its other lines (`log
/// level`, a host) are worth reading where they turn up elsewhere. `None` for what is no such file.
fn of_a_document(text: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 1 << 20;
    let several = text.starts_with("{\"") || text.lines().count() >= 4;
    if !several || text.len() > LONGEST || text.starts_with("-----") {
        return None;
    }
    let tree: Value = serde_yaml::from_str(text).ok().filter(Value::is_object)?;
    let mut found = Vec::new();
    collect(&tree, false, &mut found);
    Some(found)
}

fn collect(tree: &Value, telling: bool, found: &mut Vec<String>) {
    match tree {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, telling || names::is_telling(key), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, telling, found)),
        Value::String(text) if telling || text.contains("-----BEGIN ") || patterns::looks_random(text) => {
            found.push(text.clone());
        }
        Value::Number(number) if telling => found.push(number.to_string()),
        _ => {}
    }
}
