//! Values that are known to be secret, in the forms in which logs and messages bring them.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Match};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::names;
use super::patterns::looks_random;

/// A shorter value cannot be told from the words of any text.
const SHORTEST: usize = 4;
/// A shorter form counts only where it stands by itself, but for base64, which is no word.
const WITHIN_WORDS: usize = 8;
const SHORTEST_BASE64: usize = 5;
/// A longer value is looked for as it is and by its lines: its dozen forms would take hundreds of megabytes.
const LONGEST_QUOTED: usize = 4096;
/// Words that some Secrets hold and that say nothing.
const ORDINARY: [&str; 8] = ["true", "false", "null", "none", "yes", "required", "postgres", "localhost"];

/// The forms, ready to be looked for. No formatter shows them.
pub(super) struct KnownValues {
    forms: Option<AhoCorasick>,
    /// How many of them, the first ones, are no base64.
    words: usize,
}

impl KnownValues {
    /// Looks for whole values, and of several lines or a configuration file for each that is secret.
    pub(super) fn whole<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::of(&values.flat_map(telling).collect::<Vec<_>>(), usize::MAX)
    }

    /// Looks for any [`WITHIN_WORDS`] bytes in a row.
    pub(super) fn parts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self::of(&values.filter(|value| value.len() >= SHORTEST).map(<[u8]>::to_vec).collect::<Vec<_>>(), WITHIN_WORDS)
    }

    fn of(values: &[Vec<u8>], longest: usize) -> Self {
        let cut = |form: Vec<u8>| form.windows(longest.min(form.len())).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let words: BTreeSet<_> = values.iter().flat_map(|value| words(value)).flat_map(cut).collect();
        let codes: BTreeSet<_> = values.iter().flat_map(|value| codes(value)).flat_map(cut).collect();
        let forms = words.iter().chain(&codes);
        // Of few patterns it would make a table of 256 columns. Building fails for more than any cluster has Secrets; what is
        // not known is still judged by its name and its looks.
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

/// How a value may be written.
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
        // Python writes ASCII, Go escapes what HTML minds.
        words.extend([escaped(&json, |c| !c.is_ascii()), escaped(&json, |c| "<>&".contains(c)), quoted(&json), json]);
        words.push(text.replace('\'', "''"));
    }
    words.into_iter().map(String::into_bytes).chain([value.to_vec()]).collect()
}

/// What is always the same of its base64, whatever is encoded with it; also of a value quoted in JSON.
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

/// With `\u00e4` in the place of these characters.
fn escaped(json: &str, which: fn(char) -> bool) -> String {
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>();
    json.chars().map(|c| if which(c) { escape(c).concat() } else { c.to_string() }).collect()
}

/// The texts that give a value away: itself, and of several lines each, as a log prints it.
fn telling(value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(value) else {
        // No text holds it as it is.
        let encoded = (WITHIN_WORDS..=LONGEST_QUOTED).contains(&value.len());
        return if encoded { vec![value.to_vec()] } else { Vec::new() };
    };
    let text = text.trim();
    // Of a configuration file what stands under telling keys: its other lines are worth reading where they turn up elsewhere.
    let several = text.starts_with("{\"") || text.lines().count() >= 4;
    if several && serde_yaml::from_str::<Value>(text).is_ok_and(|tree| tree.is_object()) {
        let unquoted = |value: &str| serde_json::from_str(&format!("\"{value}\"")).unwrap_or_else(|_| value.to_owned());
        let secrets = names::values(text).into_iter().map(|range| unquoted(&text[range]));
        return secrets.flat_map(|secret| telling(secret.as_bytes())).collect();
    }
    // What looks like a secret is found by its looks, in blocks and lines that would make a large automaton.
    let telling_line = |line: &&str| line.len() >= WITHIN_WORDS && !line.starts_with("-----") && !looks_random(line);
    let lines = text.lines().map(str::trim).filter(telling_line);
    let whole = (!text.starts_with("-----BEGIN ")).then_some(text);
    let says_something = |part: &&str| {
        let small_number = part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.len() >= SHORTEST && !small_number && !ORDINARY.contains(&part.to_ascii_lowercase().as_str())
    };
    whole.into_iter().chain(lines).filter(says_something).map(|part| part.as_bytes().to_vec()).collect()
}
