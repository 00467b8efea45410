//! The tree, its lines and its limits.

use super::*;

fn tree(text: &str) -> Rc<Node> {
    read(text).unwrap_or_else(|unread| panic!("{unread:?}: {text}"))
}

fn resolved(text: &str) -> (Resolved, Resolved) {
    let node = tree(&format!("key: {text}\n"));
    let scalar = node.entry("key").unwrap().value.scalar().unwrap();
    (scalar.old_reading(), scalar.new_reading())
}

#[test]
fn words_that_two_versions_of_yaml_read_differently() {
    use Resolved::{Bool, Int, Text};
    for (text, old, new) in [
        ("true", Bool(true), Bool(true)),
        ("True", Bool(true), Bool(true)),
        ("yes", Bool(true), Text),
        ("Off", Bool(false), Text),
        ("oFF", Text, Text),
        ("y", Text, Text),
        ("\"yes\"", Text, Text),
        ("!!str yes", Text, Text),
        ("1_000", Int(1000), Text),
        ("010", Int(8), Text),
        ("08", Text, Text),
        ("0o10", Text, Int(8)),
        ("1:30", Int(90), Text),
        ("-5", Int(-5), Int(-5)),
        ("5d", Text, Text),
    ] {
        assert_eq!(resolved(text), (old, new), "{text}");
    }
    assert_eq!(resolved("1e5"), (Resolved::Text, Resolved::Float));
    assert_eq!(resolved("1.5"), (Resolved::Float, Resolved::Float));
    assert_eq!(resolved(""), (Resolved::Null, Resolved::Null));
    assert_eq!(resolved("~"), (Resolved::Null, Resolved::Null));
}

#[test]
fn the_last_of_equal_keys_counts_and_merges_fill_in() {
    let node = tree("a: 1\nb: &b {x: 1, y: 2}\na: 2\nc:\n  <<: *b\n  y: 3\n");
    assert_eq!(node.entry("a").map(|entry| (entry.line, entry.value.line)), Some((3, 3)));
    let text = |path: &[&str]| node.at(path).unwrap().value.scalar().unwrap().text().to_owned();
    assert_eq!((text(&["c", "x"]), text(&["c", "y"])), ("1".to_owned(), "3".to_owned()));
    assert!(node.at(&["c", "z"]).is_none() && node.at(&["a", "x"]).is_none());
}

#[test]
fn an_empty_text_is_null_and_a_second_document_is_one_too_many() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n"] {
        assert!(tree(text).is_null(), "{text:?}");
    }
    assert!(!tree("a: 1").is_null());
    assert_eq!(read("a: 1\n---\nb: 2\n").err(), Some(Unread::Several));
}

#[test]
fn what_is_broken_is_told_with_its_line_and_without_its_text() {
    for (text, line) in
        [("a: 1\n\tb: 2\n", 1), ("a: [1, 2\nb: 3\n", 1), ("a: 1\nb: *nothing\n", 2), ("hunter2: a: b\n", 1)]
    {
        let Err(Unread::Broken { line: found, what }) = read(text) else { panic!("{text:?} is read") };
        assert!(found >= line && found <= line + 2, "{text:?}: line {found}");
        assert!(!what.contains("hunter2") && !what.contains("nothing'"), "{what}");
    }
}

#[test]
fn a_text_that_multiplies_itself_stays_small() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..60 {
        let again = format!("*a{},", level - 1).repeat(10);
        laughs += &["a", &level.to_string(), ": &a", &level.to_string(), " [", &again, "]\n"].concat();
    }
    let node = tree(&laughs);
    assert_eq!(node.entries().len(), 60);
    // An alias for what is around it names nothing that is there yet.
    let itself = tree("a: &a {b: *a}\n");
    assert!(matches!(itself.at(&["a", "b"]).unwrap().value.kind, Kind::Opaque));
}

#[test]
fn merges_of_merges_end() {
    let mut text = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..40 {
        let all = format!("*a{},", level - 1).repeat(30);
        text += &["a", &level.to_string(), ": &a", &level.to_string(), " {<<: [", &all, "]}\n"].concat();
    }
    let node = tree(&text);
    assert!(node.at(&["a39", "nowhere"]).is_none());
}

#[test]
fn there_is_a_limit_to_depth_and_size() {
    assert_eq!(read(&"[".repeat(100_000)).err(), Some(Unread::TooMuch));
    assert_eq!(read(&format!("{}1{}", "[".repeat(200), "]".repeat(200))).err(), Some(Unread::TooMuch));
    assert!(read(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).is_ok());
    let deep: String = (0..300).map(|level| " ".repeat(level) + "a:\n").collect();
    assert_eq!(read(&deep).err(), Some(Unread::TooMuch));
    assert_eq!(read(&"a: b\n".repeat(1 << 20)).err(), Some(Unread::TooMuch));
    assert_eq!(read(&format!("[{}]", "1,".repeat(300_000))).err(), Some(Unread::TooMuch));
    let keys: String = (0..6000).map(|key: u32| "k".to_owned() + &key.to_string() + ": 1\n").collect();
    assert_eq!(read(&keys).err(), Some(Unread::TooMuch));
    assert!(read(&format!("a: {}", "x".repeat(1 << 20))).is_ok(), "one long value is fine");
}

#[test]
fn tags_of_somebodys_own_are_left_alone() {
    let node = tree("a: !vault |\n  123\nb: !!python/object:os.system [x]\nc: !!int \"5\"\nd: !!bool maybe\n");
    for key in ["a", "b", "d"] {
        assert!(matches!(node.entry(key).unwrap().value.kind, Kind::Opaque), "{key}");
    }
    assert_eq!(node.entry("c").unwrap().value.scalar().unwrap().new_reading(), Resolved::Int(5));
}

mod generated {
    use proptest::prelude::*;

    use super::*;

    /// Plain scalars as people write them.
    fn plain() -> impl Strategy<Value = String> {
        prop_oneof![
            "[+-]?[0-9_.:xXobeE+-]{1,8}",
            "[a-zA-Z0-9~.]{1,6}",
            prop::sample::select(vec![
                "yes", "NO", "On", "null", "~", "true", "FALSE", ".inf", "-.INF", ".nan", "0x1F"
            ])
            .prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        /// The new reading is that of the library that the rest of this program, and syn2mas, read YAML with.
        #[test]
        fn the_new_reading_is_the_librarys(text in plain()) {
            let document = format!("k: {text}\n");
            let (Ok(node), Ok(theirs)) = (read(&document), serde_yaml::from_str::<serde_yaml::Value>(&document)) else {
                return Ok(());
            };
            let Some(scalar) = node.entry("k").and_then(|entry| entry.value.scalar()) else { return Ok(()) };
            let same = match (scalar.new_reading(), &theirs["k"]) {
                (Resolved::Null, serde_yaml::Value::Null)
                | (Resolved::Text, serde_yaml::Value::String(_))
                | (Resolved::Float, serde_yaml::Value::Number(_)) => true,
                (Resolved::Bool(ours), serde_yaml::Value::Bool(theirs)) => ours == *theirs,
                (Resolved::Int(ours), serde_yaml::Value::Number(theirs)) => {
                    theirs.as_i64().map(i128::from) == Some(ours) || theirs.as_u64().map(i128::from) == Some(ours)
                        || theirs.is_f64()
                }
                _ => false,
            };
            prop_assert!(same, "{text:?} is {:?} here and {:?} there", scalar.new_reading(), theirs["k"]);
        }

        #[test]
        fn nothing_that_anybody_writes_makes_it_panic(text in "[ \\t\\na-c0-9:\\-\\[\\]{},&*!|>'\"#%@`?~<.]{0,200}") {
            let _ = read(&text);
        }

        #[test]
        fn nor_does_any_text_at_all(text in any::<String>()) {
            let _ = read(&text);
        }
    }
}
