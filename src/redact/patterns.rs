//! Patterns of secrets, and the mark that replaces them.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

pub(super) const MARK: &str = "[redacted]";
/// Replaces each range with a mark; adjacent ranges share one.
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

pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is tested")
}

/// A PEM block, also without its beginning or end.
static PEM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"-----BEGIN ([A-Z0-9 ]{1,40})-----(?:[A-Za-z0-9+/=\s]|\\+[nr])*(?:-----END [A-Z0-9 ]{1,40}-----)?|(?:[A-Za-z0-9+/=]{40,}(?:\s|\\+[nr])+)*[A-Za-z0-9+/=]*(?:\s|\\+[nr])*-----END [A-Z0-9 ]{1,40}-----",
    )
});

/// Replaces PEM blocks: keys are secret, certificates are only long.
pub(super) fn blocks(text: &str) -> String {
    if !text.contains("-----") {
        return text.to_owned();
    }
    let mark = |found: &Captures<'_>| match found.get(1) {
        Some(kind) => format!("[redacted: PEM {}]", kind.as_str()),
        None => MARK.to_owned(),
    };
    PEM.replace_all(text, mark).into_owned()
}

static BEARER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(\b(?:bearer|basic)(?:[\s\u{a0}]+|%20))([A-Za-z0-9._~+/=:-]{6,})"));
/// The password in a URL, or a token in the place of a user.
static USER_INFO: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([A-Za-z][A-Za-z0-9+.-]{1,30}://)([^\s/:@"'<>\\]*)(:[^\s/"'<>]*)?@"#));
/// Secret parameters of URLs, with names that are not secret elsewhere.
static QUERY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)([?&;#](?:signature|assertion|code|state|nonce|sig|key|ticket)=)[^&\s"'<>#\\]+"#));
/// Tokens of Synapse and MAS, common tokens of other services, JWTs, and password hashes.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:sy[trl]|m[acup][atcr])_[A-Za-z0-9_+/=.-]{6,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[a-z]-[\w-]{10,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*|\$(?:2[abxy]?|argon2(?:id|i|d)|pbkdf2[\w-]*|scrypt|s1|1|5|6|7|y)\$[A-Za-z0-9./$=,+_-]{8,}|SCRAM-SHA-\d+\$[^\s"']+|\bmd5[0-9a-f]{32}\b|\{S?SHA\d*\}[A-Za-z0-9+/=]+"#,
    )
});
/// A long code, with the prefix of a digest if it has one.
static RUN: LazyLock<Regex> = LazyLock::new(|| pattern(r"((?:sha(?:256|384|512)[:-])?)([A-Za-z0-9+/_=-]{24,})"));
static ID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25})\b",
    )
});
static HEX: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9A-Fa-f]{32,}"));

/// Replaces tokens, hashes, long codes, and secrets in URLs and headers.
pub(super) fn words(text: &str) -> String {
    let text = BEARER.replace_all(text, |found: &Captures<'_>| {
        // "Basic authentication failed" is a sentence.
        let sentence = found[2].chars().all(|c| c.is_ascii_lowercase() || ".:,-".contains(c));
        format!("{}{}", &found[1], if sentence { &found[2] } else { MARK })
    });
    let text = USER_INFO.replace_all(&text, |found: &Captures<'_>| match found.get(3) {
        Some(_) => format!("{}{}:{MARK}@", &found[1], &found[2]),
        None if found[2].len() >= 20 => format!("{}{MARK}@", &found[1]),
        None => found[0].to_owned(),
    });
    let text = QUERY.replace_all(&text, format!("${{1}}{MARK}"));
    let text = TOKEN.replace_all(&text, MARK);
    RUN.replace_all(&text, |found: &Captures<'_>| {
        let (digest, run) = (&found[1], &found[2]);
        let is_digest = [64, 96, 128].contains(&run.len()) && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !digest.is_empty() && is_digest { found[0].to_owned() } else { format!("{digest}{}", code(run)) }
    })
    .into_owned()
}

/// Replaces a code, or its hexadecimal part.
fn code(run: &str) -> String {
    if looks_random(&ID.replace_all(run, "")) {
        return MARK.to_owned();
    }
    let hex = HEX.replace_all(run, |found: &Captures<'_>| {
        let mixed = found[0].bytes().any(|b| b.is_ascii_digit()) && found[0].bytes().any(|b| b.is_ascii_alphabetic());
        if mixed { MARK.to_owned() } else { found[0].to_owned() }
    });
    hex.into_owned()
}

/// Whether a code looks like random base64: long, in upper and lower case, with frequent changes between upper case, lower
/// case and digits. Random base64 changes at 64 of 100 places; names, paths and camel case at fewer than 35.
pub(super) fn looks_random(run: &str) -> bool {
    let run = run.trim_matches(|c: char| "=-_/+".contains(c)).as_bytes();
    let class = |byte: u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let count = |classes: &[usize]| run.iter().filter(|byte| classes.contains(&class(**byte))).count();
    let changes = run.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    let mixed = count(&[0]) >= 2 && count(&[1]) >= 2 && count(&[2, 3]) >= 1;
    run.len() >= 22 && mixed && changes * 100 >= run.len() * 38
}
