//! Values that are known to be secret, looked for in whatever form they may have taken on their way into a log.

use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::patterns::looks_random;
use super::views::View;
use super::{MARK, keys, views};

/// A shorter value cannot be told from the words of any text.
const SHORTEST: usize = 4;
/// From this length on a value is looked for within words as well.
const WITHIN_WORDS: usize = 8;
/// Layers of quoting, and encodings within encodings, that are seen through.
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
        self.find(words, text.as_bytes(), DEPTH, &mut ranges);
        replaced(text, ranges)
    }

    /// Layer by layer: what is left after each layer of quoting is searched, and what is encoded in it.
    fn find(&self, words: &AhoCorasick, text: &[u8], depth: u8, found: &mut Vec<Range<usize>>) {
        let mut layer = View::of(text);
        let mut others = layer.unquoted_singly();
        if let Some(view) = layer.unquoted(true) {
            others.extend(view.unquoted(false));
            others.push(view);
        }
        for level in 0..=DEPTH {
            self.search(words, &layer, true, found);
            if level < 2 && depth > 0 {
                self.decode(words, &layer, depth - 1, found);
            }
            match layer.unquoted(false) {
                Some(next) => layer = next,
                None => break,
            }
        }
        for view in &others {
            self.search(words, view, true, found);
        }
    }

    /// Looks for the values, also where lines were wrapped. `alone`: short ones must stand by themselves, as they do in a text
    /// but not among decoded bytes.
    fn search(&self, words: &AhoCorasick, view: &View, alone: bool, found: &mut Vec<Range<usize>>) {
        let mut look = |view: &View| {
            for hit in words.find_overlapping_iter(&view.text) {
                let range = hit.start()..hit.end();
                if !alone || self.within[hit.pattern().as_usize()] || stands_alone(&view.text, &range) {
                    found.push(view.origin(&range));
                }
            }
        };
        look(view);
        for other in [view.joined(false), view.joined(true)].into_iter().flatten() {
            look(&other);
        }
    }

    /// Looks into what may be base64 or hexadecimal; such a run goes as a whole.
    fn decode(&self, words: &AhoCorasick, view: &View, depth: u8, found: &mut Vec<Range<usize>>) {
        for run in views::encoded_runs(&view.text) {
            if views::decodings(&view.text[run.clone()]).iter().any(|decoded| self.holds(words, decoded, depth)) {
                found.push(view.origin(&run));
            }
        }
        for run in views::hex_runs(&view.text) {
            if views::hex_decodings(&view.text[run.clone()]).iter().any(|decoded| self.holds(words, decoded, depth)) {
                found.push(view.origin(&run));
            }
        }
    }

    fn holds(&self, words: &AhoCorasick, decoded: &[u8], depth: u8) -> bool {
        if words.is_match(decoded) {
            return true;
        }
        let mut found = Vec::new();
        // Decoding what was no code gives bytes without sense: no quoting is undone there, but codes may be among them.
        if views::is_text(decoded) {
            self.find(words, decoded, depth, &mut found);
        } else if let Some(depth) = depth.checked_sub(1) {
            self.decode(words, &View::of(decoded), depth, &mut found);
        }
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
    let mut parts = vec![text.to_owned()];
    if text.contains('\n') {
        // Also line by line, as a log prints it; a line of a key or of a configuration file.
        let telling = |line: &&str| line.len() >= WITHIN_WORDS && !line.starts_with("-----");
        parts.extend(text.lines().map(str::trim).filter(telling).map(str::to_owned));
    }
    parts.retain(|part| is_telling(part));
    // What is left of it after readings that undo more than was done to it; never so little that it says nothing.
    let readings = parts.iter().flat_map(|part| views::overdone(part));
    readings.filter(|reading| std::str::from_utf8(reading).map_or(reading.len() >= SHORTEST, is_telling)).collect()
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
