//! Other readings of the same bytes: with escapes undone, wrapped lines joined, codes decoded; each with the way back to
//! where a byte came from.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// A reading of a text.
pub(super) struct View {
    pub(super) text: Vec<u8>,
    /// Where each byte came from, and after the last one the end.
    from: Vec<usize>,
}

impl View {
    /// The text itself.
    pub(super) fn of(text: &[u8]) -> Self {
        Self { text: text.to_vec(), from: (0..=text.len()).collect() }
    }

    fn push(&mut self, bytes: &[u8], from: usize) {
        self.text.extend_from_slice(bytes);
        self.from.resize(self.text.len(), from);
    }

    /// The place in the original that a place in this reading stands for.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.from[range.start]..self.from[range.end]
    }

    /// One layer of quoting less, of every kind; `None` where there is none. Where several backslashes stand together, those
    /// in front may belong to something else: with `last`, only the last one counts.
    pub(super) fn unquoted(&self, last: bool) -> Option<Self> {
        self.changed(|text, at| unquoted(text, at, last, &ALL))
    }

    /// The same for one kind of quoting alone, for each kind that is there: what only looks like another one stays as it is.
    pub(super) fn unquoted_singly(&self) -> Vec<Self> {
        let once = |view: &Self, kind: Quoting| view.changed(|text, at| unquoted(text, at, false, &[kind]));
        let mut views = Vec::new();
        for kind in ALL {
            let first = once(self, kind);
            let second = first.as_ref().and_then(|view| once(view, kind));
            views.extend([first, second].into_iter().flatten());
        }
        // A backslash that belongs to something else makes the end of a line of an `n` after it, so here only signs count.
        let sign = |text: &[u8], at: usize| text.get(at + 1).copied().filter(u8::is_ascii_punctuation);
        let once = |view: &Self| {
            view.changed(|text, at| (text[at] == b'\\').then(|| sign(text, at)).flatten().map(|sign| (vec![sign], 2)))
        };
        let first = once(self);
        let second = first.as_ref().and_then(once);
        views.extend([first, second].into_iter().flatten());
        views
    }

    /// Every stretch of white space as one space, as where lines were wrapped or joined; in forms `+` is one as well.
    pub(super) fn joined(&self, form: bool) -> Option<Self> {
        self.changed(|text, at| {
            let is_space = |byte: u8| byte.is_ascii_whitespace() || (form && byte == b'+');
            let space = text[at..].iter().take_while(|byte| is_space(**byte)).count();
            (space > 1 || (space == 1 && text[at] != b' ')).then(|| (vec![b' '], space))
        })
    }

    /// Another reading, where `replace` says what stands for how many bytes from a place on.
    fn changed(&self, replace: impl Fn(&[u8], usize) -> Option<(Vec<u8>, usize)>) -> Option<Self> {
        let length = self.text.len();
        let mut view = Self { text: Vec::with_capacity(length), from: Vec::with_capacity(length + 1) };
        let mut changed = false;
        let mut at = 0;
        while at < length {
            if let Some((bytes, taken)) = replace(&self.text, at) {
                view.push(&bytes, self.from[at]);
                changed = true;
                at += taken;
            } else {
                view.push(&self.text[at..=at], self.from[at]);
                at += 1;
            }
        }
        view.from.push(self.from[length]);
        changed.then_some(view)
    }
}

/// The kinds of quoting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Percent,
    Backslash,
    Entity,
    Doubled,
}

const ALL: [Quoting; 4] = [Quoting::Percent, Quoting::Backslash, Quoting::Entity, Quoting::Doubled];

/// What stands at a place under these kinds of quoting, and for how many bytes.
fn unquoted(text: &[u8], at: usize, last: bool, kinds: &[Quoting]) -> Option<(Vec<u8>, usize)> {
    let kind = match text[at] {
        b'%' => Quoting::Percent,
        b'\\' => Quoting::Backslash,
        b'&' => Quoting::Entity,
        b'\'' => Quoting::Doubled,
        _ => return None,
    };
    if !kinds.contains(&kind) {
        return None;
    }
    let rest = &text[at..];
    match kind {
        Quoting::Percent => rest.get(1..3).and_then(hex_byte).map(|byte| (vec![byte], 3)),
        Quoting::Backslash if last && rest.starts_with(br"\\") => None,
        Quoting::Backslash => Some(escape(rest)).filter(|(_, length)| *length > 1),
        Quoting::Entity => entity(rest),
        Quoting::Doubled => rest.starts_with(b"''").then(|| (vec![b'\''], 2)),
    }
}

/// The texts that a value may have become where more was undone than had been done to it: a password with a `%41` or a
/// backslash in it does not come through such readings as it is.
pub(super) fn overdone(value: &str) -> Vec<Vec<u8>> {
    const MOST: usize = 64;
    let mut found = vec![value.as_bytes().to_vec()];
    let mut next = 0;
    while next < found.len() && found.len() < MOST {
        let view = View::of(&found[next]);
        next += 1;
        let single = ALL.iter().map(|kind| view.changed(|text, at| unquoted(text, at, false, &[*kind])));
        let more = single.chain([
            view.changed(|text, at| unquoted(text, at, true, &ALL)),
            view.joined(true),
            view.joined(false),
        ]);
        for view in more.flatten() {
            if !found.contains(&view.text) {
                found.push(view.text);
            }
        }
    }
    found
}

/// What an escape stands for, and its length: as JSON, YAML, C, Python and Go write them.
fn escape(text: &[u8]) -> (Vec<u8>, usize) {
    let one = |byte: u8| (vec![byte], 2);
    match text.get(1) {
        Some(b'n') => one(b'\n'),
        Some(b'r') => one(b'\r'),
        Some(b't') => one(b'\t'),
        Some(b'b') => one(8),
        Some(b'f') => one(12),
        Some(byte @ (b'"' | b'\'' | b'\\' | b'/' | b'`' | b'$' | b' ')) => one(*byte),
        // A line that goes on.
        Some(b'\n') => (Vec::new(), 2 + text[2..].iter().take_while(|byte| **byte == b' ').count()),
        Some(b'x') => text.get(2..4).and_then(hex_byte).map_or_else(|| (vec![b'\\'], 1), |byte| (vec![byte], 4)),
        Some(b'u') => match unit(text) {
            Some(high @ 0xD800..0xDC00) => match text.get(6..).and_then(unit) {
                Some(low @ 0xDC00..0xE000) => {
                    let code = 0x10000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                    (utf8(code), 12)
                }
                _ => (vec![b'\\'], 1),
            },
            Some(unit) => (utf8(u32::from(unit)), 6),
            None => (vec![b'\\'], 1),
        },
        _ => (vec![b'\\'], 1),
    }
}

fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn utf8(code: u32) -> Vec<u8> {
    char::from_u32(code).map_or_else(Vec::new, |c| c.to_string().into_bytes())
}

/// HTML's.
fn entity(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    const NAMED: [(&[u8], u8); 8] = [
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&#39;", b'\''),
        (b"&#34;", b'"'),
        (b"&#x27;", b'\''),
    ];
    NAMED.iter().find(|(name, _)| text.starts_with(name)).map(|(name, byte)| (vec![*byte], name.len()))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?, 16).ok()
}

/// Stretches that may be base64, also over several lines where the lines are long.
pub(super) fn encoded_runs(text: &[u8]) -> Vec<Range<usize>> {
    const SHORTEST: usize = 6;
    const FULL_LINE: usize = 16;
    let coded = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let mut runs = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if !coded(&text[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let mut line = at;
        loop {
            while at < text.len() && coded(&text[at]) {
                at += 1;
            }
            let gap = text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let wrapped = text[at..at + gap].contains(&b'\n') && at - line >= FULL_LINE;
            if !wrapped || !text.get(at + gap).is_some_and(coded) {
                break;
            }
            at += gap;
            line = at;
        }
        if at - start >= SHORTEST {
            let padding = text[at..].iter().take(2).take_while(|byte| **byte == b'=').count();
            runs.push(start..at + padding);
            at += padding;
        }
    }
    runs
}

/// Reads whatever is there: no padding asked for, none refused, odd bits at the end let through.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Stretches of hexadecimal digits.
pub(super) fn hex_runs(text: &[u8]) -> Vec<Range<usize>> {
    const SHORTEST: usize = 8;
    let mut runs = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length >= SHORTEST {
            runs.push(at..at + length);
        }
        at += length.max(1);
    }
    runs
}

/// What hexadecimal digits may stand for: a digit may be glued to their front.
pub(super) fn hex_decodings(run: &[u8]) -> [Vec<u8>; 2] {
    [0, 1].map(|skipped| run[skipped..].chunks_exact(2).filter_map(hex_byte).collect())
}

/// What a run may stand for: base64 of either alphabet, from each of four places on, because something may be glued to
/// its front.
pub(super) fn decodings(run: &[u8]) -> Vec<Vec<u8>> {
    let plain: Vec<u8> = run
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=')
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let mut decoded = Vec::new();
    for skipped in 0..4.min(plain.len()) {
        let code = &plain[skipped..];
        // One digit alone at the end stands for nothing.
        let code = if code.len() % 4 == 1 { &code[..code.len() - 1] } else { code };
        decoded.extend(LENIENT.decode(code).ok());
    }
    decoded
}

/// Whether this may be a text rather than what decoding makes of no code at all.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
}
