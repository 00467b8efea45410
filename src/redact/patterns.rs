//! What looks like a secret, wherever it stands.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex_lite::{Captures, Regex};

use super::MARK;
use super::keys::{may_tell, pattern};

/// A block whose end was cut off reaches no further.
const LONGEST_BLOCK: usize = 16 * 1024;

static BEGIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"-----BEGIN ([A-Z0-9 ]{1,40})-----"));
static END: LazyLock<Regex> = LazyLock::new(|| pattern(r"-----END [A-Z0-9 ]{1,40}-----"));
/// The rest of a block whose beginning was cut off.
static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:[A-Za-z0-9+/=]{40,}(?:\s|\\+[nr])+)*[A-Za-z0-9+/=]*(?:\s|\\+[nr])*-----END [A-Z0-9 ]{1,40}-----")
});

/// Takes out PEM blocks: keys because they are secret, certificates because they only take room.
pub(super) fn blocks(text: &str) -> String {
    if !text.contains("-----") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = BEGIN.captures(rest) {
        let (Some(begin), kind) = (found.get(0), found.get(1).map_or("", |kind| kind.as_str())) else { break };
        out.push_str(&rest[..begin.start()]);
        out.push_str("[redacted: PEM ");
        out.push_str(kind);
        out.push(']');
        let body = &rest[begin.end()..];
        let limit = body.floor_char_boundary(LONGEST_BLOCK);
        rest = match END.find(&body[..limit]) {
            Some(end) => &body[end.end()..],
            None => &body[limit..],
        };
    }
    out.push_str(rest);
    TAIL.replace_all(&out, MARK).into_owned()
}

static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\b(authorization|proxy-authorization|cookie|set-cookie|x-[a-z-]*(?:token|key|secret))(\\*["']?[\s\u{a0}]*[:=,][\s\u{a0}]*(?:\[|b?\\*["'])*)([^\r\n"'\\\]]+)"#,
    )
});
static BEARER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(bearer|basic)([\s\u{a0}]+|%20)([A-Za-z0-9._~+/=:-]{6,})"));
static SCHEMES: LazyLock<AhoCorasick> = LazyLock::new(|| super::keys::words(&["bearer", "basic"]));
static USER_INFO: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([A-Za-z][A-Za-z0-9+.-]{1,30}://)([^\s/:@"'<>\\]*)(:[^\s/"'<>]*)?@"#));
static QUERY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)([?&;#](?:[a-z_-]*(?:token|secret|password|passwd|signature|assertion)|code|state|nonce|sig|key|ticket)=)[^&\s"'<>#\\]+"#,
    )
});
/// Synapse's and MAS's tokens by their beginnings, and those of others that are easy to know.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:sy[trl]|m[acup][atcr])_[A-Za-z0-9_+/=.-]{6,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[a-z]-[\w-]{10,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*",
    )
});
static HASH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\$(?:2[abxy]?|argon2(?:id|i|d)|pbkdf2[\w-]*|scrypt|s1|1|5|6|7|y)\$[A-Za-z0-9./$=,+_-]{8,}|SCRAM-SHA-\d+\$[^\s"']+|\bmd5[0-9a-f]{32}\b|\{S?SHA\d*\}[A-Za-z0-9+/=]+"#,
    )
});
/// A run of digits or letters of a code, with the mark of a digest before it where there is one.
static RUN: LazyLock<Regex> = LazyLock::new(|| pattern(r"((?:sha(?:256|384|512)[:-])?)([A-Za-z0-9+/_=-]{24,})"));
static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"));
static ULID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b"));
static HEX: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9A-Fa-f]{32,}"));

/// Takes out tokens, hashes, long codes, and what a URL or header carries.
pub(super) fn words(text: &str) -> String {
    // Most lines hold nothing of most of these, and that is soon seen.
    let mut text = Cow::Borrowed(text);
    if may_tell(&text) {
        text = owned(HEADER.replace_all(&text, |found: &Captures<'_>| {
            if found[3].trim().is_empty() { found[0].to_owned() } else { format!("{}{}{MARK}", &found[1], &found[2]) }
        }));
    }
    if SCHEMES.is_match(&*text) {
        text = owned(BEARER.replace_all(&text, |found: &Captures<'_>| {
            // "Basic authentication failed" is a sentence.
            let sentence = found[3].chars().all(|c| c.is_ascii_lowercase() || ".:,-".contains(c));
            if sentence { found[0].to_owned() } else { format!("{}{}{MARK}", &found[1], &found[2]) }
        }));
    }
    if text.contains("://") && text.contains('@') {
        text = owned(USER_INFO.replace_all(&text, |found: &Captures<'_>| match found.get(3) {
            Some(_) => format!("{}{}:{MARK}@", &found[1], &found[2]),
            None if looks_random(&found[2]) || found[2].len() >= 20 => format!("{}{MARK}@", &found[1]),
            None => found[0].to_owned(),
        }));
    }
    if text.contains('=') {
        text = owned(QUERY.replace_all(&text, format!("${{1}}{MARK}")));
    }
    let text = TOKEN.replace_all(&text, MARK);
    let text = HASH.replace_all(&text, MARK);
    RUN.replace_all(&text, |found: &Captures<'_>| {
        let (mark, run) = (&found[1], &found[2]);
        let digest =
            !mark.is_empty() && [64, 96, 128].contains(&run.len()) && run.bytes().all(|b| b.is_ascii_hexdigit());
        if digest { found[0].to_owned() } else { format!("{mark}{}", code(run)) }
    })
    .into_owned()
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// The run, or a mark in its place or in the place of its hexadecimal part.
fn code(run: &str) -> String {
    let bare = UUID.replace_all(run, "");
    let bare = ULID.replace_all(&bare, "");
    if looks_random(&bare) {
        return MARK.to_owned();
    }
    if UUID.is_match(run) {
        return run.to_owned();
    }
    HEX.replace_all(run, |found: &Captures<'_>| {
        let mixed = found[0].bytes().any(|b| b.is_ascii_digit()) && found[0].bytes().any(|b| b.is_ascii_alphabetic());
        if mixed { MARK.to_owned() } else { found[0].to_owned() }
    })
    .into_owned()
}

/// Whether a run reads like the output of a random source in base64: long, of both cases, and hardly two of a kind next to
/// each other. Random base64 changes between capitals, small letters and digits at 64 of 100 places; names, paths and
/// camel case at fewer than 35.
pub(super) fn looks_random(run: &str) -> bool {
    let run = run.trim_matches(|c: char| "=-_/+".contains(c));
    let count = |fits: fn(&u8) -> bool| run.bytes().filter(fits).count();
    let (upper, lower, digits) =
        (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase), count(|byte| !byte.is_ascii_alphabetic()));
    let class = |byte: u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = run.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    run.len() >= 22 && upper >= 2 && lower >= 2 && digits >= 1 && changes * 100 >= run.len() * 38
}
