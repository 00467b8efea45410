//! Values that are known to be secret, looked for in whatever form they may have taken on their way into a log.

use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::patterns::looks_random;
use super::{MARK, keys, views};

/// A shorter value cannot be told from the words of any text.
const SHORTEST: usize = 4;
/// From this length on a value is looked for within words as well.
const WITHIN_WORDS: usize = 8;
/// Encodings within encodings that are seen through.
const DEPTH: u8 = 3;
/// Words that some Secrets hold and that say nothing.
const ORDINARY: [&str; 8] = ["true", "false", "null", "none", "yes", "required", "postgres", "localhost"];

/// The values, ready to be looked for.
pub(super) struct Known {
    words: Option<AhoCorasick>,
    /// Whether the word of that number counts within longer words.
    within: Vec<bool>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} words)", self.within.len())
    }
}

impl Known {
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut words: Vec<Vec<u8>> = values.flat_map(parts).collect();
        words.sort();
        words.dedup();
        let within = words.iter().map(|word| word.len() >= WITHIN_WORDS).collect();
        // Building fails for more words than any cluster has Secrets; what is not known is still judged by its content.
        let words = (!words.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::Standard).build(&words).ok())
            .flatten();
        Self { words, within }
    }

    /// The text with a mark in the place of each value.
    pub(super) fn cut(&self, text: &str) -> String {
        let Some(words) = &self.words else { return text.to_owned() };
        let mut ranges = Vec::new();
        self.find(words, text.as_bytes(), DEPTH, true, &mut ranges);
        replaced(text, ranges)
    }

    /// `words_count`: short values must stand by themselves, as they do in a text but not among decoded bytes.
    fn find(&self, words: &AhoCorasick, text: &[u8], depth: u8, words_count: bool, found: &mut Vec<Range<usize>>) {
        for hit in words.find_overlapping_iter(text) {
            let range = hit.start()..hit.end();
            if !words_count || self.within[hit.pattern().as_usize()] || stands_alone(text, &range) {
                found.push(range);
            }
        }
        let Some(depth) = depth.checked_sub(1) else { return };
        // What decoding makes of no code at all has no other readings; codes may still be found among it.
        let readings = if words_count || views::is_text(text) { views::readings(text) } else { Vec::new() };
        for view in readings {
            let mut inner = Vec::new();
            self.find(words, &view.text, depth, words_count, &mut inner);
            found.extend(inner.into_iter().map(|range| view.origin(&range)));
        }
        for run in views::encoded_runs(text) {
            if views::decodings(&text[run.clone()]).iter().any(|decoded| self.holds(words, decoded, depth)) {
                found.push(run);
            }
        }
        for run in views::hex_runs(text) {
            if views::hex_decodings(&text[run.clone()]).iter().any(|decoded| self.holds(words, decoded, depth)) {
                found.push(run);
            }
        }
    }

    fn holds(&self, words: &AhoCorasick, decoded: &[u8], depth: u8) -> bool {
        let mut found = Vec::new();
        self.find(words, decoded, depth, false, &mut found);
        !found.is_empty()
    }
}

/// The texts that give a value away.
fn parts(value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(value) else {
        return if value.len() < WITHIN_WORDS { Vec::new() } else { vec![value.to_vec()] };
    };
    let text = text.trim();
    if let Some(scalars) = of_a_document(text) {
        return scalars.into_iter().flat_map(|scalar| parts(scalar.as_bytes())).collect();
    }
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = vec![text.to_owned(), joined];
    if text.contains('\n') {
        // Also line by line, as a log prints it; a line of a key or of a configuration file.
        let telling = |line: &&str| line.len() >= WITHIN_WORDS && !line.starts_with("-----");
        parts.extend(text.lines().map(str::trim).filter(telling).map(str::to_owned));
    }
    parts.retain(|part| is_telling(part));
    parts.into_iter().map(String::into_bytes).collect()
}

/// The secrets in a configuration file: what stands under telling keys, and what is a key by itself. Its other lines (`log
/// level`, a host) are worth reading where they turn up elsewhere. `None` for what is no such file.
fn of_a_document(text: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 1 << 20;
    if text.lines().count() < 4 || text.len() > LONGEST || text.starts_with("-----") {
        return None;
    }
    let tree: serde_json::Value = serde_yaml::from_str(text).ok()?;
    tree.is_object().then(|| {
        let mut found = Vec::new();
        collect(&tree, false, &mut found);
        found
    })
}

fn collect(tree: &serde_json::Value, telling: bool, found: &mut Vec<String>) {
    match tree {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, telling || keys::is_telling(key), found);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, telling, found)),
        serde_json::Value::String(text) if telling || text.contains("-----BEGIN ") || looks_random(text) => {
            found.push(text.clone());
        }
        serde_json::Value::Number(number) if telling => found.push(number.to_string()),
        _ => {}
    }
}

fn is_telling(part: &str) -> bool {
    let small_number = part.len() < 6 && part.chars().all(|c| c.is_ascii_digit());
    part.len() >= SHORTEST && !small_number && !ORDINARY.contains(&part.to_ascii_lowercase().as_str())
}

/// Whether a word begins and ends there.
fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    let part_of_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let begins = !part_of_word(before) || !part_of_word(text.get(range.start));
    let ends = !part_of_word(text.get(range.end)) || !part_of_word(text.get(range.end - 1));
    begins && ends
}

/// The text with a mark in the place of each range; one mark for ranges that touch.
fn replaced(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut hidden = None;
    for range in ranges {
        let (start, end) = (text.floor_char_boundary(range.start), text.ceil_char_boundary(range.end));
        if hidden.is_none_or(|until| start > until) {
            out.push_str(&text[done..start]);
            out.push_str(MARK);
        }
        done = done.max(end);
        hidden = Some(done);
    }
    out + &text[done..]
}
