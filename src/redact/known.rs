//! Known secret values, in all encodings of logs and messages.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Match};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::names;
use super::patterns::looks_random;

/// A shorter value is like any word.
const SHORTEST: usize = 4;
/// A shorter form counts only as a separate word, except in base64.
const WITHIN_WORDS: usize = 8;
const SHORTEST_BASE64: usize = 5;
/// A longer value is searched for unencoded and by lines only: its encodings would take hundreds of megabytes.
const LONGEST_QUOTED: usize = 4096;
/// Ordinary words in Secrets.
const ORDINARY: [&str; 8] = ["true", "false", "null", "none", "yes", "required", "postgres", "localhost"];

/// The search automaton. Without `Debug`, because it contains secrets.
pub(super) struct KnownValues {
    forms: Option<AhoCorasick>,
    /// The number of forms that are not base64; they come first.
    words: usize,
}

impl KnownValues {
    /// Finds whole values, lines of values, and the secret values in configuration files.
    pub(super) fn whole<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::of(&values.flat_map(parts).collect::<Vec<_>>(), usize::MAX)
    }

    /// Finds any [`WITHIN_WORDS`] consecutive bytes.
    pub(super) fn parts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::of(&values.filter(|value| value.len() >= SHORTEST).map(<[u8]>::to_vec).collect::<Vec<_>>(), WITHIN_WORDS)
    }

    fn of(values: &[Vec<u8>], longest: usize) -> Self {
        let cut = |form: Vec<u8>| form.windows(longest.min(form.len())).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let words: BTreeSet<_> = values.iter().flat_map(|value| words(value)).flat_map(cut).collect();
        let codes: BTreeSet<_> = values.iter().flat_map(|value| codes(value)).flat_map(cut).collect();
        let forms = words.iter().chain(&codes);
        // The default for few patterns is a table of 256 columns. A failure needs more Secrets than any cluster has; names
        // and patterns still apply then.
        let forms = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(forms).ok();
        Self { forms: forms.filter(|_| !words.is_empty()), words: words.len() }
    }

    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let hits = self.forms.iter().flat_map(|forms| forms.find_overlapping_iter(text));
        let counts = |hit: &Match| {
            let code = hit.pattern().as_usize() >= self.words;
            code || hit.len() >= WITHIN_WORDS || stands_alone(text.as_bytes(), &hit.range())
        };
        hits.filter(counts).map(|hit| hit.range()).collect()
    }
}

fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    let part_of_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let begins = !part_of_word(before) || !part_of_word(text.get(range.start));
    let ends = !part_of_word(text.get(range.end)) || !part_of_word(text.get(range.end - 1));
    begins && ends
}

/// The encodings of a value, except base64.
fn words(value: &[u8]) -> Vec<Vec<u8>> {
    if value.len() > LONGEST_QUOTED {
        return vec![value.to_vec()];
    }
    let hex = value.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let percent = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let url: String = value.iter().map(percent).collect();
    let mut words = vec![hex.to_uppercase(), hex, url.replace("%20", "+"), url];
    if let Ok(text) = std::str::from_utf8(value) {
        let json = quoted(text);
        // Python writes ASCII; Go escapes HTML.
        words.extend([escaped(&json, |c| !c.is_ascii()), escaped(&json, |c| "<>&".contains(c)), quoted(&json), json]);
        words.push(text.replace('\'', "''"));
    }
    words.into_iter().map(String::into_bytes).chain([value.to_vec()]).collect()
}

/// The part of a value's base64 that doesn't depend on its neighbours; also of a value quoted in JSON.
fn codes(value: &[u8]) -> Vec<Vec<u8>> {
    if value.len() > LONGEST_QUOTED {
        return Vec::new();
    }
    let json = std::str::from_utf8(value).map(quoted).unwrap_or_default();
    let aligned = |(value, before): (&[u8], usize)| {
        let padded = [&[0; 2][..before], value].concat();
        let end = padded.len() * 8 / 6;
        let code = STANDARD_NO_PAD.encode(&padded)[[0, 2, 3][before].min(end)..end].to_owned();
        [code.replace('+', "-").replace('/', "_").into_bytes(), code.into_bytes()]
    };
    let both = [value, json.as_bytes()].into_iter().flat_map(|value| (0..3).map(move |before| (value, before)));
    both.flat_map(aligned).filter(|code| code.len() >= SHORTEST_BASE64).collect()
}

fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// Escapes these characters as `\u00e4`.
fn escaped(json: &str, which: fn(char) -> bool) -> String {
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>();
    json.chars().map(|c| if which(c) { escape(c).concat() } else { c.to_string() }).collect()
}

/// The parts of a value to search for: the value, and each of its lines.
fn parts(value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(value) else {
        // A text contains it only encoded.
        let encoded = (WITHIN_WORDS..=LONGEST_QUOTED).contains(&value.len());
        return if encoded { vec![value.to_vec()] } else { Vec::new() };
    };
    let text = text.trim();
    // Of a configuration file, only the values of secret keys: its other lines are useful elsewhere.
    let several = text.starts_with("{\"") || text.lines().count() >= 4;
    if several && serde_yaml::from_str::<Value>(text).is_ok_and(|tree| tree.is_object()) {
        let unquoted = |value: &str| serde_json::from_str(&format!("\"{value}\"")).unwrap_or_else(|_| value.to_owned());
        let secrets = names::values(text).into_iter().map(|range| unquoted(&text[range]));
        return secrets.flat_map(|secret| parts(secret.as_bytes())).collect();
    }
    // Patterns find PEM blocks and random lines, which would make a large automaton.
    let is_searched = |line: &&str| line.len() >= WITHIN_WORDS && !line.starts_with("-----") && !looks_random(line);
    let lines = text.lines().map(str::trim).filter(is_searched);
    let whole = (!text.starts_with("-----BEGIN ")).then_some(text);
    let is_specific = |part: &&str| {
        let small_number = part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.len() >= SHORTEST && !small_number && !ORDINARY.contains(&part.to_ascii_lowercase().as_str())
    };
    whole.into_iter().chain(lines).filter(is_specific).map(|part| part.as_bytes().to_vec()).collect()
}
