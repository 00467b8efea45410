//! Serializes YAML that YAML 1.1 and 1.2 parsers read alike, without leaving copies of secrets in memory.

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_saphyr::DoubleQuoted;
use zeroize::Zeroizing;

pub(super) enum Node<'a> {
    Map(Vec<(&'a str, Self)>),
    Tree(&'a Value),
    Text(&'a str),
}

impl<'a> Node<'a> {
    pub(super) fn under(key: &'a str, node: Self) -> Self {
        Self::Map(vec![(key, node)])
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, node)| (key, node))),
            Self::Tree(tree) => tree.serialize(serializer),
            // The library writes texts with newlines as blocks, and libyaml refuses a block that begins with a tab.
            Self::Text(text) if text.contains('\n') && !is_block(text) => DoubleQuoted(text).serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// More bytes than a Secret of keys and certificates needs.
const CAPACITY: usize = 256 * 1024;

/// A document with leading comment lines. With `template`, `{{` is escaped for Helm's `tpl`; the escape uses backticks, which
/// have no meaning in YAML's quotes, so that it survives `toYaml`.
pub(super) fn document(comments: &[String], node: &Node<'_>, template: bool) -> Zeroizing<String> {
    let head: String = comments.iter().flat_map(|line| ["# ", line, "\n"]).collect();
    // A growing string would leave copies in memory.
    let mut text = Zeroizing::new(String::with_capacity(CAPACITY));
    text.push_str(&head);
    // Doesn't fold long lines; quotes strings that YAML 1.1 or 1.2 would parse as another type.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_fmt_writer_with_options(&mut *text, node, options).expect("names and texts have a form in YAML");
    if !template || !text.contains("{{") {
        return text;
    }
    let mut escaped = Zeroizing::new(String::with_capacity(5 * text.len()));
    for (place, part) in text.split("{{").enumerate() {
        if place > 0 {
            escaped.push_str("{{`{{`}}");
        }
        escaped.push_str(part);
    }
    escaped
}

/// PEM and similar text: lines of printable ASCII, and one trailing newline.
fn is_block(text: &str) -> bool {
    let line_ok =
        |line: &str| !line.is_empty() && line.trim() == line && line.bytes().all(|c| (b' '..=b'~').contains(&c));
    text.strip_suffix('\n').is_some_and(|body| body.split('\n').all(line_ok))
}
