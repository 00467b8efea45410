//! What the name of a key tells of its value, also in a text: `password: x`, `"token": "x"`, `secret=x`.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input};
use regex_lite::Regex;

use super::{MARK, pattern};

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

/// Whether a key speaks of a secret at all.
pub(super) fn is_telling(key: &str) -> bool {
    TELLING.is_match(key) && !REFERENCE.is_match(key)
}

/// Whether this value under this key is to be left out.
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
/// A value in quotation marks whose end was cut off reaches no further.
const LONGEST: usize = 16 * 1024;

/// Takes out the values that stand under telling keys in a text, also over several lines.
pub(super) fn pairs(text: &str) -> String {
    let in_key = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c) || (!c.is_ascii() && c != '\u{a0}');
    let mut out = String::with_capacity(text.len());
    // Up to here it is written; up to there it is read.
    let (mut done, mut at) = (0, 0);
    while let Some(hit) = TELLING.find(Input::new(text).span(at..text.len())) {
        let before = text[at..hit.start()].trim_end_matches(in_key);
        let start = at + before.len();
        let end = text.len() - text[hit.end()..].trim_start_matches(in_key).len();
        let first = (at == 0 || before.contains('\n'))
            && line_end(before).trim_matches([' ', '\t', '-', '"', '\'', '?']).is_empty();
        let column = line_end(before).len() - line_end(before).trim_start_matches(' ').len();
        at = end;
        let key = &text[start..end];
        let Some(pair) = PAIR.captures(&text[end..text.floor_char_boundary(end + LONGEST)]) else { continue };
        at += pair[1].len();
        let quoted = [4, 6, 8, 10].into_iter().find_map(|open| Some((pair.get(open)?, pair.get(open + 1)?)));
        let hidden = if let Some((open, value)) = quoted {
            at += open.len();
            let value = value.as_str().trim_end_matches('\\');
            if hides(key, value) { value.len() } else { 0 }
        } else if pair[2].is_empty() || &pair[3] != ":" {
            unquoted(&text[at..], key, &pair[3] == ":", first.then_some(column))
        } else {
            // `volume "secret" : secret "x" not found`: a sentence, not a pair.
            0
        };
        if hidden > 0 {
            out += &text[done..at];
            out += if text[at..].starts_with('\n') { " " } else { "" };
            out += MARK;
            at += hidden;
            done = at;
        }
    }
    out + &text[done..]
}

/// What stands after the last line end.
fn line_end(text: &str) -> &str {
    text.rsplit('\n').next().unwrap_or_default()
}

/// How much of a text is the value of a key, without quotation marks, that is to be left out. `column`: the indentation of a
/// key that is the first on its line.
fn unquoted(text: &str, key: &str, colon: bool, column: Option<usize>) -> usize {
    let line = text.split('\n').next().unwrap_or_default();
    if let Some(column) = column.filter(|_| colon && is_telling(key)) {
        if BLOCK.is_match(line.trim_end()) {
            return below(text, line.len(), |item, depth| item.is_empty() || depth > column);
        }
        if line.trim().is_empty() {
            let of_list = |item: &str, depth| {
                item.starts_with("- ") && depth >= column && !item.contains(": ") && !item.trim_end().ends_with(':')
            };
            return below(text, line.len(), of_list);
        }
    }
    let header = ["authorization", "cookie"].iter().any(|name| key.to_ascii_lowercase().ends_with(name));
    let length = if header {
        line.find(['"', '\'', '\\', ']']).unwrap_or(line.len())
    } else if colon && column.is_some() {
        line.len()
    } else {
        let stops: &[char] =
            if colon { &[' ', '\t', ',', ';', '}', ')', ']', '"', '\''] } else { &[' ', '\t', '&', '"', '\''] };
        let length = line.find(stops).unwrap_or(line.len());
        let sentence =
            colon && line[..length].bytes().all(|byte| byte.is_ascii_lowercase()) && line[length..].starts_with(' ');
        if sentence { 0 } else { length }
    };
    let value = line[..length].trim_end().trim_end_matches(',');
    if value.starts_with('{') || !hides(key, value) { 0 } else { value.len() }
}

/// How long the rest of this line is with the lines that follow and belong to it, but for the last line's end; 0 where none
/// does.
fn below(text: &str, line: usize, belongs: impl Fn(&str, usize) -> bool) -> usize {
    let lines = text[line..].split_inclusive('\n').skip(1);
    let fits = |one: &&str| belongs(one.trim(), one.len() - one.trim_start_matches(' ').len());
    let length: usize = lines.take_while(fits).map(str::len).sum();
    if length == 0 { 0 } else { line + text[line..=line + length].trim_end().len() }
}
