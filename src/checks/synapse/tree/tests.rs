//! The parsed form of a text, its line numbers, and the limits.

use super::*;

fn tree(text: &str) -> Node {
    read(text).unwrap_or_else(|unread| panic!("{unread:?}: {text}"))
}

#[test]
fn truth_values_are_those_of_python() {
    for falsy in [
        "",
        "~",
        "null",
        "no",
        "Off",
        "FALSE",
        "!!bool no",
        "!!bool \"no\"",
        "0",
        "-0",
        "00",
        "0_0",
        "0x0",
        "0b0",
        "0.0",
        "-.0",
        "!!int \"0\"",
        "\"\"",
        "!!str ''",
        "[]",
        "{}",
    ] {
        let node = tree(&format!("é: 1\nkey: {falsy}\n"));
        assert!(!node.entry("key").unwrap().value.is_true(), "{falsy}");
    }
    for truthy in [
        "yes",
        "On",
        "\"no\"",
        "!!str no",
        "!!str null",
        "1",
        "010",
        "08",
        "1:30",
        "0:0",
        ".inf",
        "1_000",
        "2020-01-01",
        "'false'",
        "text",
        "[a]",
        "n",
        "oFF",
        "nO",
        "0o0",
        "0e0",
        "!own 1",
        "!own [x]",
    ] {
        let node = tree(&format!("é: 1\nkey: {truthy}\n"));
        assert!(node.entry("key").unwrap().value.is_true(), "{truthy}");
    }
}

#[test]
fn last_duplicate_key_wins_and_merge_keys_fill_in() {
    let node = tree("a: 1\nb: &b {x: 1, y: 2}\na: 2\nc:\n  <<: [*b, {z: 4}]\n  y: 3\nd: *b\n");
    assert_eq!(node.entry("a").map(|entry| (entry.line, entry.value.line)), Some((3, 3)));
    let number = |path: &[&str]| node.at(path).unwrap().value.value().as_u64().unwrap();
    assert_eq!((number(&["c", "x"]), number(&["c", "y"]), number(&["c", "z"]), number(&["d", "y"])), (1, 3, 4, 2));
    assert_eq!(node.at(&["c", "x"]).unwrap().line, 2, "where the setting stands");
    assert!(node.at(&["c", "none"]).is_none() && node.at(&["a", "x"]).is_none());
}

#[test]
fn empty_text_is_null_and_a_second_document_is_refused() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n"] {
        assert!(!tree(text).is_set(), "{text:?}");
    }
    assert!(tree("a: 1").is_set());
    assert_eq!(read("a: 1\n---\nb: 2\n").err(), Some(Unread::Several));
}

#[test]
fn syntax_error_is_reported_with_its_line() {
    for (text, line) in [
        ("a: 1\n\tb: 2\n", 1),
        ("a: [1, 2\nb: 3\n", 2),
        ("a: 1\nb: *nothing\n", 2),
        ("hunter2: a: b\n", 1),
        ("a: {b: &c {d: *c}}\n", 1),
        ("x: 1\n? [a, b]\n: 1\n", 2),
        ("a: !!bool maybe\n", 1),
    ] {
        let Err(Unread::Broken { line: found, .. }) = read(text) else { panic!("{text:?} is read") };
        assert_eq!(found, line, "{text:?}");
    }
    let alias = Unread::Broken { line: 1, what: "an alias refers to an unknown anchor" };
    assert_eq!(read("a: *b\n").err(), Some(alias));
    let tab = Unread::Broken { line: 2, what: "it contains a tab where YAML allows only spaces" };
    assert_eq!(read("a:\n\tb: 1\n").err(), Some(tab));
}

#[test]
fn depth_and_size_are_limited() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..40 {
        let again = format!("*a{},", level - 1).repeat(10);
        let named = format!("a{level}: &a{level}");
        laughs += &[&named, " [", &again, "]\n"].concat();
        merges += &[&named, " {<<: [", &again, "]}\n"].concat();
    }
    let deep: String = (0..300).map(|level| " ".repeat(level) + "a:\n").collect();
    let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
    for text in [
        laughs,
        merges,
        deep,
        nested(33),
        "[".repeat(100_000),
        "a: b\n".repeat(1 << 20),
        "[".to_owned() + &"1,".repeat(300_000) + "]",
        "a: !!timestamp 2020-01-01\n".to_owned(),
    ] {
        assert_eq!(read(&text).err(), Some(Unread::TooMuch), "{}", &text[..20]);
    }
    assert!(read(&nested(30)).is_ok());
    assert!(read(&format!("a: {}", "x".repeat(1 << 20))).is_ok(), "one long value is fine");
}
