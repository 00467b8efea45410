//! What the name of a key tells of its value, also in a text: `password: x`, `"token": "x"`, `secret=x`.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input};
use regex_lite::Regex;

use super::patterns::pattern;

/// What speaks of a secret in a name, whatever else is in it.
static TELLING: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = "password passwd passphrase secret token macaroon pepper credential cookie authorization encryption \
                 clientassertion client_assertion api-key apikey api_key privatekey private_key signingkey signing_key \
                 accesskey access_key authkey auth_key";
    AhoCorasick::builder().ascii_case_insensitive(true).build(words.split(' ')).expect("they are few")
});
/// Keys that hold the name or place of a secret, or a property of it.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "(?i)(?:names?|file|path|refs?|property|id|type|enabled|length|lifetime|expiry|algorithm|digest|fingerprints?|count|\
         format|endpoint|ur[li])$",
    )
});
/// Values that are no secret under any name: words that say nothing, and what this program shows in a secret's place.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:true|false|null|~|\{\}|\[\]|None|nil|<nil>|\[?redacted(?:: PEM [A-Z0-9 ]+)?\]?|(?:hmac-)?sha256:(?:[0-9a-f]{12}|[0-9a-f]{64}))?$",
    )
});
/// `passwordSecretKey: postgresPassword`: ESS's way to name a key of the component's Secret.
static KEY_OF_SECRET: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z][A-Za-z]{0,62}$"));
/// `secret="element-onprem/first-element-mas"`: how the cluster's own logs name one.
static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z0-9.-]+/[a-z0-9.-]+$"));

pub(super) fn is_telling(key: &str) -> bool {
    TELLING.is_match(key) && !REFERENCE.is_match(key)
}

pub(super) fn hides(key: &str, value: &str) -> bool {
    let names_key = key.len() > "SecretKey".len() && key.ends_with("SecretKey") && KEY_OF_SECRET.is_match(value);
    let names_secret = key.eq_ignore_ascii_case("secret") && PLACE.is_match(value);
    let counts = key.to_ascii_lowercase().ends_with("tokens") && value.bytes().all(|byte| byte.is_ascii_digit());
    is_telling(key) && !names_key && !names_secret && !counts && !is_harmless(value)
}

pub(super) fn is_harmless(value: &str) -> bool {
    HARMLESS.is_match(value)
}

/// What follows a key: what parts it from its value, and the value where it is in quotation marks (those of a quoting around
/// it have backslashes) or brackets.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?s)^(\\*["']?([\s\u{a0}]*)(=>|[:=])[ \t\u{a0}]*)(?:(b?\\+["'])(.*?)(?:\\+["']|$)|(b?")((?:[^"\\]|\\.)*)|(b?')((?:[^'\\]|''|\\.)*)|(\[)([^\]]*))?"#,
    )
});
/// A YAML block scalar follows.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[|>][0-9+-]*[ \t]*(?:#.*)?$"));
/// A value on one line, or in quotation marks whose end was cut off, reaches no further.
const LONGEST: usize = 16 * 1024;

/// Where the values that stand under telling keys are in a text, also those of several lines.
pub(super) fn values(text: &str) -> Vec<Range<usize>> {
    let in_key = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c) || (!c.is_ascii() && c != '\u{a0}');
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(hit) = TELLING.find(Input::new(text).span(at..text.len())) {
        let before = text[at..hit.start()].trim_end_matches(in_key);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let first =
            (at == 0 || before.contains('\n')) && line.trim_matches([' ', '\t', '-', '"', '\'', '?']).is_empty();
        let column = line.len() - line.trim_start_matches(' ').len();
        let end = text.len() - text[hit.end()..].trim_start_matches(in_key).len();
        let key = &text[at + before.len()..end];
        at = end;
        let Some(pair) = PAIR.captures(&text[end..text.floor_char_boundary(end + LONGEST)]) else { continue };
        let (gap, colon) = (!pair[2].is_empty(), &pair[3] == ":");
        at += pair[1].len();
        let quoted = [4, 6, 8, 10].into_iter().find_map(|open| Some((pair.get(open)?, pair.get(open + 1)?)));
        if let Some((open, value)) = quoted {
            at += open.len();
            let value = value.as_str().trim_end_matches('\\');
            if hides(key, value) {
                found.push(at..at + value.len());
                at += value.len();
            }
        } else if !(gap && colon) {
            // With a gap it is a sentence: `volume "secret" : secret "x" not found`.
            let value = unquoted(&text[at..], key, colon, first.then_some(column));
            found.extend(value.clone().map(|value| at + value.start..at + value.end));
            at += value.map_or(0, |value| value.end);
        }
    }
    found
}

/// Which part of a text is the value of a key, without quotation marks, that is to be left out. `column`: the indentation of
/// a key that is the first on its line.
fn unquoted(text: &str, key: &str, colon: bool, column: Option<usize>) -> Option<Range<usize>> {
    let line = text[..text.floor_char_boundary(LONGEST)].split('\n').next().unwrap_or_default();
    if let Some(column) = column.filter(|_| colon && is_telling(key)) {
        let (block, list) = (BLOCK.is_match(line.trim_end()), line.trim().is_empty());
        let belongs = |line: &&str| {
            let (item, depth) = (line.trim(), line.len() - line.trim_start_matches(' ').len());
            let of_list =
                list && item.starts_with('-') && depth >= column && !item.contains(": ") && !item.ends_with(':');
            of_list || (block && (item.is_empty() || depth > column))
        };
        let below = text[line.len()..].split_inclusive('\n').skip(1).take_while(belongs).map(str::len).sum::<usize>();
        if block || list {
            let start = if list { text.len() - text.trim_start().len() } else { 0 };
            let value = start..text[..(line.len() + 1 + below).min(text.len())].trim_end().len();
            return Some(value).filter(|value| below > 0 && !value.is_empty());
        }
    }
    let header = ["authorization", "cookie"].iter().any(|name| key.to_ascii_lowercase().ends_with(name));
    let stops: &[char] = match (header, colon) {
        (true, _) => &['"', '\'', '\\', ']'],
        (_, true) if column.is_some() => &[],
        (_, true) => &[' ', '\t', ',', ';', '}', ')', ']', '"', '\''],
        (_, false) => &[' ', '\t', '&', '"', '\''],
    };
    let (value, rest) = line.split_at(line.find(stops).unwrap_or(line.len()));
    let sentence = colon && rest.starts_with(' ') && value.bytes().all(|byte| byte.is_ascii_lowercase());
    let value = value.trim_end().trim_end_matches(',');
    (!sentence && !value.starts_with('{') && hides(key, value)).then_some(0..value.len())
}
