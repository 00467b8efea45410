//! Keys whose values are secret, also in a text: `password: x`, `"token": "x"`, `secret=x`.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input};
use regex_lite::Regex;

use super::patterns::pattern;

/// Parts of a key's name whose value is secret.
static SECRET: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = "password passwd passphrase secret token macaroon pepper credential cookie authorization encryption \
                 clientassertion client_assertion api-key apikey api_key privatekey private_key signingkey signing_key \
                 accesskey access_key authkey auth_key";
    AhoCorasick::builder().ascii_case_insensitive(true).build(words.split(' ')).expect("the patterns are valid")
});
/// Keys for the name, location or a property of a secret.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "(?i)(?:names?|file|path|refs?|property|id|type|enabled|length|lifetime|expiry|algorithm|digest|fingerprints?|count|\
         format|endpoint|ur[li]|(?:tls|existing|pull)secret)$",
    )
});
/// Values that are never secret: ordinary words, and this program's marks and fingerprints.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:true|false|null|~|\{\}|\[\]|None|nil|<nil>|\[?redacted(?:: PEM [A-Z0-9 ]+)?\]?|(?:hmac-)?sha256:(?:[0-9a-f]{12}|[0-9a-f]{64}))?$",
    )
});
/// `passwordSecretKey: postgresPassword`: a reference to a key of the component's Secret.
static KEY_OF_SECRET: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z][A-Za-z]{0,62}$"));
/// `secret="element-onprem/first-element-mas"`: a Secret's name in logs of the cluster.
static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z0-9.-]+/[a-z0-9.-]+$"));

pub(super) fn is_secret(key: &str) -> bool {
    SECRET.is_match(key) && !REFERENCE.is_match(key)
}

pub(super) fn hides(key: &str, value: &str) -> bool {
    let names_key = key.len() > "SecretKey".len() && key.ends_with("SecretKey") && KEY_OF_SECRET.is_match(value);
    let names_secret = key.eq_ignore_ascii_case("secret") && PLACE.is_match(value);
    let counts = key.to_ascii_lowercase().ends_with("tokens") && value.bytes().all(|byte| byte.is_ascii_digit());
    is_secret(key) && !names_key && !names_secret && !counts && !is_harmless(value)
}

pub(super) fn is_harmless(value: &str) -> bool {
    HARMLESS.is_match(value)
}

/// The separator after a key, and a value in brackets or quotation marks, with backslashes if the text itself is quoted.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?s)^(\\*["']?([\s\u{a0}]*)(=>|[:=])[ \t\u{a0}]*)(?:(b?\\+["'])(.*?)(?:\\+["']|$)|(b?")((?:[^"\\]|\\.)*)|(b?')((?:[^'\\]|''|\\.)*)|(\[)([^\]]*))?"#,
    )
});
/// A YAML block scalar follows.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[|>][0-9+-]*[ \t]*(?:#.*)?$"));
/// Limit in bytes of a value on one line, or in quotation marks without an end.
const LONGEST: usize = 16 * 1024;

/// The ranges of secret values in a text, also of several lines.
pub(super) fn values(text: &str) -> Vec<Range<usize>> {
    let in_key = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c) || (!c.is_ascii() && c != '\u{a0}');
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(hit) = SECRET.find(Input::new(text).span(at..text.len())) {
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
            // A sentence has a gap: `volume "secret" : secret "x" not found`.
            let value = unquoted(&text[at..], key, colon, first.then_some(column));
            found.extend(value.clone().map(|value| at + value.start..at + value.end));
            at += value.map_or(0, |value| value.end);
        }
    }
    found
}

/// The range of a secret value without quotation marks. `column`: the indentation of a key at the start of its line.
fn unquoted(text: &str, key: &str, colon: bool, column: Option<usize>) -> Option<Range<usize>> {
    let line = text[..text.floor_char_boundary(LONGEST)].split('\n').next().unwrap_or_default();
    if let Some(column) = column.filter(|_| colon && is_secret(key)) {
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
