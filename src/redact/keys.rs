//! What the name of a key tells of its value.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex_lite::Regex;

/// What speaks of a secret in a name, whatever else is in it.
pub(super) const TELLING: &str = "password|passwd|passphrase|secret|token|api_?key|private_?key|signing_?key|access_?key|\
     encryption_?key|auth_?key|macaroon|pepper|credential|cookie|client_?assertion|authorization|encryption(?:secret)?";

static SECRET: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("(?i)(?:{TELLING})")));

/// One of these is in everything that [`TELLING`] finds. Looking for them takes a hundredth of the time.
const PARTS: [&str; 11] = [
    "pass",
    "secret",
    "token",
    "key",
    "macaroon",
    "pepper",
    "credential",
    "cookie",
    "assertion",
    "authorization",
    "encryption",
];

static HINTS: LazyLock<AhoCorasick> = LazyLock::new(|| words(&PARTS));

/// Words of this program, to be found in capitals as well.
pub(super) fn words(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("they are few")
}

/// Whether a text can hold a key that speaks of a secret.
pub(super) fn may_tell(text: &str) -> bool {
    HINTS.is_match(text)
}

/// A pattern that is written in this program, so that it cannot be a wrong one.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is tested")
}

/// Whether this value under this key is to be left out.
pub(super) fn hides(key: &str, value: &str) -> bool {
    SECRET.is_match(key) && !names_something(key, value) && !says_nothing(key, value)
}

/// Whether a key speaks of a secret at all.
pub(super) fn is_telling(key: &str) -> bool {
    SECRET.is_match(key) && !is_reference(key)
}

/// Keys that hold the name or place of a secret, or a property of it.
fn is_reference(key: &str) -> bool {
    const ENDINGS: [&str; 22] = [
        "name",
        "names",
        "file",
        "path",
        "ref",
        "refs",
        "property",
        "id",
        "type",
        "enabled",
        "length",
        "lifetime",
        "expiry",
        "algorithm",
        "digest",
        "fingerprint",
        "fingerprints",
        "count",
        "format",
        "endpoint",
        "url",
        "uri",
    ];
    let lower = key.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

fn names_something(key: &str, value: &str) -> bool {
    if is_reference(key) {
        return true;
    }
    // `passwordSecretKey: postgresPassword`: ESS's way to name a key of the component's Secret.
    let identifier = |text: &str| {
        text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_alphabetic())
    };
    let names_key = key.len() > "SecretKey".len() && key.ends_with("SecretKey");
    // `secret="element-onprem/first-element-mas"`: how the cluster's own logs name one.
    let place = |text: &str| {
        let fits = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        };
        text.split_once('/').is_some_and(|(namespace, name)| fits(namespace) && fits(name))
    };
    (names_key && identifier(value)) || (key.eq_ignore_ascii_case("secret") && place(value))
}

/// Values that are no secret under any name.
fn says_nothing(key: &str, value: &str) -> bool {
    let counted = key.to_ascii_lowercase().ends_with("tokens") && value.chars().all(|c| c.is_ascii_digit());
    counted
        || is_fingerprint(value)
        || matches!(value, "" | "true" | "false" | "null" | "~" | "{}" | "[]" | "None" | "nil" | "<nil>" | super::MARK)
}

/// What this program shows in a secret's place: `sha256:` or `hmac-sha256:` with the twelve digits of the short form or all.
fn is_fingerprint(value: &str) -> bool {
    let digits = value.strip_prefix("hmac-").unwrap_or(value).strip_prefix("sha256:");
    digits.is_some_and(|digits| matches!(digits.len(), 12 | 64) && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod hints {
    use super::*;

    #[test]
    fn nothing_that_is_telling_was_passed_over_for_want_of_a_hint() {
        for word in TELLING.split('|') {
            let word = word.replace("_?", "_").replace("(?:secret)?", "");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
            assert!(is_telling(&word) && may_tell(&word) && may_tell(&word.to_uppercase()), "{word}");
        }
        assert!(!may_tell("GET /_matrix/client/v3/sync?since=s1"));
    }
}
