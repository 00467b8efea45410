//! The mark in the place of a secret.

use std::ops::Range;

use regex_lite::Regex;

/// What stands in the place of a secret.
pub(super) const MARK: &str = "[redacted]";
/// The text with a mark in the place of each range; one for those that touch.
pub(super) fn marked(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let (mut done, mut hidden) = (0, None);
    for range in ranges {
        let start = text.floor_char_boundary(range.start);
        if hidden.is_none_or(|until| start > until) {
            out += &text[done..start];
            out += MARK;
        }
        done = done.max(text.ceil_char_boundary(range.end));
        hidden = Some(done);
    }
    out + &text[done..]
}

/// A pattern that is written in this program, so that it cannot be a wrong one.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is tested")
}
