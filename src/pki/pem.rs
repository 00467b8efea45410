//! How PEM text is laid out: the strict form MAS reads, and what people's tools make of it.
//!
//! MAS reads PEM with pem-rfc7468 0.7, which follows the strict grammar of RFC 7468 and, where that fails, says only
//! `Unsupported format`. [`strict`] accepts no more than it does; [`lenient`] finds the key in what was spoilt on the way;
//! [`Layout`] names the difference.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const WIDTH: usize = 64;

/// What is wrong with the layout of PEM text that holds a good key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The key as bytes (DER) instead of text.
    Binary,
    /// `\n` as two characters instead of line breaks.
    EscapedNewlines,
    /// The whole key on one line, its line breaks turned into spaces.
    SpacesForNewlines,
    /// Lines that start with spaces or tabs.
    Indented,
    /// Lines that end with spaces or tabs.
    TrailingSpaces,
    /// Empty lines between BEGIN and END.
    EmptyLinesInside,
    /// Lines of base64 that are not 64 characters long.
    LineLength,
    /// Empty lines after the END line.
    EmptyLinesAfter,
    /// Something else after the END line.
    TextAfter,
    /// Another document, such as a certificate, beside the key.
    OtherDocument,
    /// A BEGIN line that does not match what follows, such as PKCS#8 under `RSA PRIVATE KEY`.
    WrongLabel,
    /// A byte order mark, bytes that are not text before BEGIN, line breaks of several kinds, or another oddity.
    Other,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "it is in binary form (DER), not PEM text",
            Self::EscapedNewlines => "its line breaks are written as the two characters \\n",
            Self::SpacesForNewlines => "its line breaks have become spaces or are missing",
            Self::Indented => "its lines are indented",
            Self::TrailingSpaces => "some of its lines end with spaces",
            Self::EmptyLinesInside => "it has empty lines between BEGIN and END",
            Self::LineLength => "its base64 lines are not 64 characters long",
            Self::EmptyLinesAfter => "it has an empty line after the END line",
            Self::TextAfter => "it has text after the END line",
            Self::OtherDocument => "it holds something else beside the key",
            Self::WrongLabel => "its BEGIN line names another format than the one that follows",
            Self::Other => "its lines, or what stands before them, are not as PEM text must be",
        })
    }
}

/// One decoded PEM document.
pub(super) struct Document<'a> {
    pub(super) label: &'a str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Reads text that MAS reads too: text before BEGIN, then one document of 64-column base64, then at most one line ending.
pub(super) fn strict(text: &str) -> Option<Document<'_>> {
    let start = if text.starts_with(BEGIN) { 0 } else { text.find("\n-----BEGIN ")? + 1 };
    let (before, document) = text.split_at(start);
    if before.contains('\0') {
        return None;
    }
    let (label, rest) = document.strip_prefix(BEGIN)?.split_once("-----")?;
    let (eol, rest) = match rest.strip_prefix("\r\n") {
        Some(rest) => ("\r\n", rest),
        None => ("\n", rest.strip_prefix('\n')?),
    };
    let rest = rest.strip_suffix('\n').map_or(rest, |rest| rest.strip_suffix('\r').unwrap_or(rest));
    let body = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?.strip_suffix(eol)?;

    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    let mut lines = body.split(eol).peekable();
    while let Some(line) = lines.next() {
        let full = lines.peek().is_some();
        if (full && line.len() != WIDTH) || line.is_empty() || line.len() > WIDTH {
            return None;
        }
        base64.push_str(line);
    }
    let der = Zeroizing::new(STANDARD.decode(base64.as_bytes()).ok()?);
    Some(Document { label, der })
}

/// What [`lenient`] found between BEGIN and END.
pub(super) enum Found<'a> {
    /// Base64 that decodes.
    Document(Document<'a>),
    /// Headers such as `Proc-Type: 4,ENCRYPTED`.
    Headers {
        /// Whether they say that the key is encrypted.
        encrypted: bool,
    },
    /// Something that is not base64.
    NotBase64 {
        /// The label of its BEGIN line.
        label: &'a str,
    },
    /// A BEGIN line without its END line.
    CutOff,
}

/// Undoes what turned line breaks into the two characters `\n`, if that happened.
pub(super) fn unescape(text: &str) -> Zeroizing<String> {
    let unescaped = Zeroizing::new(text.replace("\\r", ""));
    Zeroizing::new(unescaped.replace("\\n", "\n"))
}

/// Every document in the text, whatever surrounds it and however its lines are broken.
pub(super) fn lenient(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let after = &rest[at + BEGIN.len()..];
        let Some((label, body)) = after.split_once("-----").filter(|(label, _)| !label.contains('\n')) else {
            rest = after;
            continue;
        };
        let end = Zeroizing::new(format!("-----END {label}-----"));
        let Some((body, remaining)) = body.split_once(end.as_str()) else {
            found.push(Found::CutOff);
            rest = body;
            continue;
        };
        rest = remaining;
        if body.contains(':') {
            found.push(Found::Headers { encrypted: body.contains("ENCRYPTED") || body.contains("DEK-Info") });
            continue;
        }
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        base64.extend(body.split_whitespace());
        found.push(match STANDARD.decode(base64.as_bytes()) {
            Ok(der) => Found::Document(Document { label, der: Zeroizing::new(der) }),
            Err(_) => Found::NotBase64 { label },
        });
    }
    found
}

/// Names why [`strict`] refused text in which [`lenient`] found one document.
pub(super) fn name(text: &str) -> Layout {
    let start = text.find(BEGIN).unwrap_or(0);
    let end_line = text.rfind("-----END ").unwrap_or(text.len());
    let end =
        text[end_line..].get(9..).and_then(|rest| rest.find("-----")).map_or(text.len(), |at| end_line + 9 + at + 5);
    let (document, after) = text[start..].split_at(end.max(start) - start);
    let inside: Vec<&str> = document.lines().collect();
    let indented =
        text[..start].rsplit('\n').next().is_some_and(|before| !before.is_empty() && before.trim().is_empty())
            || inside.iter().any(|line| line.starts_with([' ', '\t']));
    let middle = inside.get(1..inside.len().saturating_sub(1)).unwrap_or_default();

    if inside.len() < 3 {
        Layout::SpacesForNewlines
    } else if indented {
        Layout::Indented
    } else if middle.iter().any(|line| line.is_empty()) {
        Layout::EmptyLinesInside
    } else if inside.iter().any(|line| line.ends_with([' ', '\t'])) {
        Layout::TrailingSpaces
    } else if middle.iter().rev().skip(1).any(|line| line.len() != WIDTH)
        || middle.iter().any(|line| line.len() > WIDTH)
    {
        Layout::LineLength
    } else if !after.trim().is_empty() {
        Layout::TextAfter
    } else if !matches!(after, "" | "\n" | "\r\n") {
        Layout::EmptyLinesAfter
    } else {
        Layout::Other
    }
}

/// PEM as `openssl` and MAS write it: 64 columns, LF, one line ending at the end.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    // The exact size, so that the secret is not left behind by a reallocation.
    let size =
        base64.len() + base64.len().div_ceil(WIDTH) + 2 * label.len() + "-----BEGIN -----\n-----END -----\n".len();
    let mut pem = String::with_capacity(size);
    for part in [BEGIN, label, "-----\n"] {
        pem.push_str(part);
    }
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, remaining) = rest.split_at(rest.len().min(WIDTH));
        pem.push_str(line);
        pem.push('\n');
        rest = remaining;
    }
    for part in ["-----END ", label, "-----\n"] {
        pem.push_str(part);
    }
    debug_assert_eq!(pem.len(), size);
    pem
}
