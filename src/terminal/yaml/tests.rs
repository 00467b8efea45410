use super::*;
use proptest::prelude::*;

#[test]
fn what_readers_misread_is_quoted() {
    let misread = [
        "yes",
        "Yes",
        "YES",
        "no",
        "on",
        "OFF",
        "y",
        "N",
        "true",
        "null",
        "Null",
        "~",
        "",
        "1",
        "1_000",
        "0777",
        "0o7",
        "0x1f",
        "0b1",
        "1.5",
        ".5",
        "1e3",
        "+1",
        "-1",
        ".inf",
        ".NaN",
        "12:30:45",
        "1:20",
        "2026-11-23",
        "2026-11-23T10:41:07Z",
        "=",
        "<<",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "- a",
        "-",
        "---",
        "key:  x",
        " a",
        "a ",
        "%",
        "@a",
        "`",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a'",
        "\"a\"",
        "{a}",
        "[a]",
        "a,b",
        "日本",
        "a\u{a0}b",
        "nan",
        "a\nb",
    ];
    for string in misread {
        assert!(!is_plain(string), "{string:?}");
    }
}

#[test]
fn what_is_plainly_a_word_is_not() {
    let words = [
        "auth.example.com",
        "https://auth.example.com:8443/x",
        "first-element",
        "All components are available",
        "a_b",
        "yesterday",
    ];
    for string in words {
        assert!(is_plain(string), "{string:?}");
    }
}

#[test]
fn structure_is_written_as_kubectl_does() {
    let tree: Value = serde_yaml::from_str(
        "{a: {b: [1, {c: 'yes', d: []}, [2, 3]], e: {}}, cert: \"-----BEGIN\\nabc\\n\", tail: \"a\\nb\", odd: \"a\\n\\n\", f: 1e21}",
    )
    .unwrap();
    insta::assert_snapshot!(document(&tree), @r#"
    a:
      b:
      - 1
      - c: "yes"
        d: []
      - - 2
        - 3
      e: {}
    cert: |
      -----BEGIN
      abc
    tail: |-
      a
      b
    odd: "a\n\n"
    f: 1.0e+21
    "#);
}

/// YAML 1.1's rules for what a bare scalar is (yaml.org/type), as regular expressions would have them.
fn means_something_in_1_1(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let number = text.trim_start_matches(['+', '-']);
    let begins_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "", "=", "<<"].contains(&lower.as_str())
        || begins_number
}

proptest! {
    #[test]
    fn nothing_bare_means_something_else_in_yaml_1_1(string in "[a-zA-Z0-9+.:_~=< -]{0,6}") {
        if is_plain(&string) {
            prop_assert!(!means_something_in_1_1(&string), "{string:?}");
            prop_assert_eq!(serde_yaml::from_str::<Value>(&string).unwrap(), Value::String(string));
        }
    }
}

#[test]
fn a_key_longer_than_readers_allow_is_written_the_long_way() {
    let tree = Value::Mapping([(Value::from("k".repeat(2000)), Value::from("v"))].into_iter().collect());
    assert!(document(&tree).starts_with("? \"kkk"));
    assert_eq!(serde_yaml::from_str::<Value>(&document(&tree)).unwrap(), tree);
}

#[test]
fn a_block_holds_nothing_that_steers_a_terminal_or_ends_a_line_elsewhere() {
    for odd in ["a\nb\u{85}c\n", "a\nb\u{2028}c\n", "a\n\u{1b}[2J\n", "a\n\tb\n", "a\r\nb\n", "a\n\u{202e}b"] {
        assert!(!is_block(odd), "{odd:?}");
    }
    assert!(is_block("-----BEGIN\n日本\n"));
}
