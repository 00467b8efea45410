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
    fn new(capacity: usize) -> Self {
        Self { text: Vec::with_capacity(capacity), from: Vec::with_capacity(capacity + 1) }
    }

    fn push(&mut self, bytes: &[u8], from: usize) {
        self.text.extend_from_slice(bytes);
        self.from.resize(self.text.len(), from);
    }

    fn end(mut self, length: usize, changed: bool) -> Option<Self> {
        self.from.push(length);
        changed.then_some(self)
    }

    /// The place in the original that a place in this reading stands for.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.from[range.start]..self.from[range.end]
    }
}

/// The readings that differ from the text itself.
pub(super) fn readings(text: &[u8]) -> Vec<View> {
    [
        percent(text, false),
        percent(text, true),
        escapes(text, false),
        escapes(text, true),
        entities(text),
        doubled_quotes(text),
        joined(text),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `%40`; in forms also `+` for a space.
fn percent(text: &[u8], form: bool) -> Option<View> {
    let mut view = View::new(text.len());
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        let code = (text[at] == b'%').then(|| hex_byte(text.get(at + 1..at + 3)?)).flatten();
        if let Some(byte) = code {
            view.push(&[byte], at);
            changed |= !form;
            at += 3;
        } else {
            let space = form && text[at] == b'+';
            view.push(&[if space { b' ' } else { text[at] }], at);
            changed |= space;
            at += 1;
        }
    }
    view.end(text.len(), changed)
}

/// Backslashes as JSON, YAML, C, Python and Go write them. Where several stand together, some in front may belong to
/// something else: then only the `last` one counts.
fn escapes(text: &[u8], last: bool) -> Option<View> {
    let mut view = View::new(text.len());
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        let pair = last && text[at..].starts_with(br"\\");
        let (bytes, length) = if text[at] == b'\\' && !pair { escape(&text[at..]) } else { (vec![text[at]], 1) };
        changed |= if last { pair } else { length > 1 };
        view.push(&bytes, at);
        at += length;
    }
    view.end(text.len(), changed)
}

/// What an escape stands for, and its length.
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
fn entities(text: &[u8]) -> Option<View> {
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
    let mut view = View::new(text.len());
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        if let Some((name, byte)) = NAMED.iter().find(|(name, _)| text[at..].starts_with(name)) {
            view.push(&[*byte], at);
            changed = true;
            at += name.len();
        } else {
            view.push(&text[at..=at], at);
            at += 1;
        }
    }
    view.end(text.len(), changed)
}

/// YAML's and SQL's way to write a quotation mark within quotation marks.
fn doubled_quotes(text: &[u8]) -> Option<View> {
    let mut view = View::new(text.len());
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        view.push(&text[at..=at], at);
        let doubled = text[at] == b'\'' && text.get(at + 1) == Some(&b'\'');
        changed |= doubled;
        at += 1 + usize::from(doubled);
    }
    view.end(text.len(), changed)
}

/// Lines joined, as YAML folds them: every stretch of white space is one space.
fn joined(text: &[u8]) -> Option<View> {
    let mut view = View::new(text.len());
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        let space = text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if space == 0 {
            view.push(&text[at..=at], at);
            at += 1;
        } else {
            view.push(b" ", at);
            changed |= space > 1 || text[at] != b' ';
            at += space;
        }
    }
    view.end(text.len(), changed)
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
