//! YAML as two programs read it: Synapse and the operator with `PyYAML` (YAML 1.1), syn2mas with YAML 1.2.
//!
//! A tree with lines, of bounded size. Aliases point at the node they name and are never copied, so a document that
//! multiplies itself stays as small as its text.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use zeroize::Zeroizing;

/// A ConfigMap, a Secret and an ElementDeployment all stay below 1.5 MiB (etcd's limit for a request).
const LARGEST: usize = 2 << 20;
/// syn2mas reads no deeper (the recursion limit of its parser).
const DEEPEST: usize = 127;
/// Synapse knows some 400 settings.
const MOST_ENTRIES: usize = 5_000;
const MOST_NODES: usize = 200_000;

/// What a document is, as far as anybody could tell.
pub(super) type Document = Result<Rc<Node>, Unread>;

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not YAML; where, and what is wrong there.
    Broken {
        /// From 1.
        line: usize,
        /// In the parser's words, which quote nothing of the text.
        what: String,
    },
    /// There is more than one document in it.
    Several,
    /// It is larger or deeper than anything sensible.
    TooMuch,
}

/// A value and the line that it begins in, from 1.
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
    /// An alias that names a node around it, or a tag of somebody's own.
    Opaque,
}

/// One entry of a mapping, in the text's order; the same key may come twice.
pub(super) struct Entry {
    /// `None` for a key that is no scalar.
    pub(super) key: Option<String>,
    pub(super) line: usize,
    pub(super) value: Rc<Node>,
}

/// A scalar, not yet resolved. It may be a secret, so it has no `Debug` and is overwritten when it goes.
pub(super) struct Scalar {
    text: Zeroizing<String>,
    plain: bool,
    tag: Option<Resolved>,
}

/// What kind of value a scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    /// A whole number; 0 or not is all that anybody asks, and whether it fits.
    Int(i128),
    Float,
    Text,
}

impl Scalar {
    /// The text as written, without quotes.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// As syn2mas resolves it: YAML 1.2's core schema.
    pub(super) fn new_reading(&self) -> Resolved {
        self.tag.unwrap_or_else(|| if self.plain { core_schema(&self.text) } else { Resolved::Text })
    }

    /// As `PyYAML` resolves it: YAML 1.1.
    pub(super) fn old_reading(&self) -> Resolved {
        self.tag.unwrap_or_else(|| if self.plain { yaml_1_1(&self.text) } else { Resolved::Text })
    }
}

impl Node {
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> &[Rc<Self>] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry that counts: the last of that name, else one that a merge key (`<<`) brings.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.find(key, 0)
    }

    fn find(&self, key: &str, depth: usize) -> Option<&Entry> {
        let entries = self.entries();
        let named = |name: &str| entries.iter().rev().find(|entry| entry.key.as_deref() == Some(name));
        if let Some(found) = named(key) {
            return Some(found);
        }
        // Merges of merges go on only a few times in anything sensible.
        if depth > 3 {
            return None;
        }
        let merged = &named("<<")?.value;
        std::iter::once(merged).chain(merged.list()).take(8).find_map(|node| node.find(key, depth + 1))
    }

    /// Follows keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Entry> {
        let (first, rest) = path.split_first()?;
        let entry = self.entry(first)?;
        if rest.is_empty() { Some(entry) } else { entry.value.at(rest) }
    }

    /// Whether nothing is there: an empty text, a comment, `null`.
    pub(super) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.old_reading() == Resolved::Null)
    }
}

/// Reads one document. An empty text is `null`, as for both programs.
pub(super) fn read(text: &str) -> Document {
    if text.len() > LARGEST {
        return Err(Unread::TooMuch);
    }
    let mut options = granit_parser::options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    options.set_emit_comments(false);
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| {
            if matches!(error.kind(), granit_parser::ErrorKind::RecursionLimitExceeded) {
                return Unread::TooMuch;
            }
            Unread::Broken { line: error.marker().line(), what: broken(&error) }
        })?;
        builder.take(event, &span)?;
    }
    let empty = || Node { line: 1, kind: Kind::Scalar(Scalar { text: String::new().into(), plain: true, tag: None }) };
    Ok(builder.root.unwrap_or_else(|| Rc::new(empty())))
}

/// The parser's words, without what it may quote: the text may be a secret.
fn broken(error: &granit_parser::ScanError) -> String {
    use granit_parser::ErrorKind as E;
    match error.kind() {
        E::TabNotAllowed | E::TabInBlockIndentation => "there is a tab where only spaces may be".to_owned(),
        E::InvalidIndentation => "it is indented wrongly".to_owned(),
        E::UnknownAnchor => "an alias names nothing".to_owned(),
        E::UnexpectedCharacter { .. } | E::SimpleKeyExpected | E::InvalidSimpleKey => {
            "a key or a colon is missing, or there is a character that cannot stand there".to_owned()
        }
        E::UnexpectedEof
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnexpectedEofBlockSequence
        | E::UnexpectedEofBlockMapping => "it ends in the middle".to_owned(),
        _ => "it cannot be read as YAML from there on".to_owned(),
    }
}

/// A list or mapping that is not complete yet.
struct Open {
    anchor: usize,
    line: usize,
    opaque: bool,
    items: Vec<Rc<Node>>,
    entries: Option<Vec<Entry>>,
    /// The key that waits for its value.
    key: Option<(Option<String>, usize)>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    nodes: usize,
    documents: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Unread> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Unread::Several);
                }
            }
            Event::Alias(id) => {
                let named = self.anchors.get(&id).map(Rc::clone);
                return self.put(named.unwrap_or_else(|| Rc::new(Node { line, kind: Kind::Opaque })), line);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let kind = scalar(&text, style, tag.as_deref());
                return self.put_new(Node { line, kind }, anchor);
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(anchor, line, tag.as_deref(), None),
            Event::MappingStart(_, anchor, tag) => self.begin(anchor, line, tag.as_deref(), Some(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, line: usize, tag: Option<&granit_parser::Tag>, entries: Option<Vec<Entry>>) {
        let opaque = tag.is_some_and(granit_parser::Tag::is_custom);
        self.open.push(Open { anchor, line, opaque, items: Vec::new(), entries, key: None });
    }

    fn end(&mut self) -> Result<(), Unread> {
        let Some(done) = self.open.pop() else { return Ok(()) };
        let kind = match done.entries {
            _ if done.opaque => Kind::Opaque,
            Some(entries) => Kind::Map(entries),
            None => Kind::List(done.items),
        };
        self.put_new(Node { line: done.line, kind }, done.anchor)
    }

    fn put_new(&mut self, node: Node, anchor: usize) -> Result<(), Unread> {
        let (line, node) = (node.line, Rc::new(node));
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node, line)
    }

    fn put(&mut self, node: Rc<Node>, line: usize) -> Result<(), Unread> {
        self.nodes += 1;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.entries, open.key.take()) {
            (Some(entries), Some((key, line))) => entries.push(Entry { key, line, value: node }),
            (Some(_), None) => open.key = Some((node.scalar().map(|scalar| scalar.text().to_owned()), line)),
            (None, _) => open.items.push(node),
        }
        let entries = open.entries.as_ref().map_or(0, Vec::len);
        if entries > MOST_ENTRIES || self.nodes > MOST_NODES { Err(Unread::TooMuch) } else { Ok(()) }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&granit_parser::Tag>) -> Kind {
    let text = Zeroizing::new(text.to_owned());
    let plain = style == ScalarStyle::Plain;
    let tag = match tag.map(|tag| tag.core_suffix()) {
        None => None,
        // `! text` is how a text is forced without naming a type.
        Some(None) if tag.is_some_and(|tag| tag.original() == "!") => Some(Resolved::Text),
        Some(Some("str")) => Some(Resolved::Text),
        Some(Some("null")) => Some(Resolved::Null),
        Some(Some("bool")) => Some(match yaml_1_1(&text) {
            bool @ Resolved::Bool(_) => bool,
            _ => return Kind::Opaque,
        }),
        Some(Some("int")) => Some(match yaml_1_1(&text) {
            int @ Resolved::Int(_) => int,
            _ => return Kind::Opaque,
        }),
        Some(Some("float")) => Some(Resolved::Float),
        Some(_) => return Kind::Opaque,
    };
    Kind::Scalar(Scalar { text, plain, tag })
}

/// As syn2mas's parser has it, which is YAML 1.2's core schema (§10.3.2) and binary numbers.
fn core_schema(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        _ => {}
    }
    let (sign, digits) = signed(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(int) = digits.strip_prefix(prefix).and_then(|digits| whole(digits, radix)) {
            return Resolved::Int(sign * int);
        }
    }
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty();
    if decimal && digits.len() > 1 && digits.starts_with('0') {
        return Resolved::Text;
    }
    if decimal && let Ok(int) = digits.parse::<i128>() {
        return Resolved::Int(sign * int);
    }
    if is_special(text) || (!digits.starts_with(['+', '-']) && digits.parse::<f64>().is_ok_and(f64::is_finite)) {
        Resolved::Float
    } else {
        Resolved::Text
    }
}

fn signed(text: &str) -> (i128, &str) {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    (sign, text.strip_prefix(['+', '-']).unwrap_or(text))
}

/// Digits alone, without a sign; what is too large counts as the largest.
fn whole(digits: &str, radix: u32) -> Option<i128> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    all.then(|| i128::from_str_radix(digits, radix).unwrap_or(i128::MAX))
}

fn is_special(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `PyYAML`'s resolver: YAML 1.1 without the single letters for booleans.
fn yaml_1_1(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        _ if is_word(text, &["true", "yes", "on"]) => return Resolved::Bool(true),
        _ if is_word(text, &["false", "no", "off"]) => return Resolved::Bool(false),
        _ => {}
    }
    let (sign, digits) = signed(text);
    let bare = digits.replace('_', "");
    let int = if let Some(hex) = bare.strip_prefix("0x") {
        whole(hex, 16)
    } else if let Some(binary) = bare.strip_prefix("0b") {
        whole(binary, 2)
    } else if digits.starts_with('_') {
        None
    } else if digits.starts_with('0') {
        whole(&bare, 8)
    } else {
        whole(&bare, 10).or_else(|| sexagesimal(digits))
    };
    match int {
        Some(int) => Resolved::Int(sign * int),
        None if is_special(text) || is_old_float(text, &bare) => Resolved::Float,
        None => Resolved::Text,
    }
}

/// A point, and a sign in the exponent if there is one.
fn is_old_float(text: &str, bare: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = if text.starts_with(['+', '-']) {
        unsigned.starts_with(|first: char| first.is_ascii_digit())
    } else {
        unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
    };
    let exponent = bare.find(['e', 'E']).is_none_or(|at| bare[at + 1..].starts_with(['+', '-']));
    // Rust's parser also takes words, which hold no point.
    starts && exponent && bare.contains('.') && bare.parse::<f64>().is_ok()
}

/// `1:30`, which YAML 1.1 takes for 90.
fn sexagesimal(text: &str) -> Option<i128> {
    let (first, rest) = text.split_once(':')?;
    let mut total = whole(&first.replace('_', ""), 10)?;
    for part in rest.split(':') {
        let value = whole(part, 10).filter(|value| part.len() <= 2 && *value < 60)?;
        total = total.checked_mul(60)?.checked_add(value)?;
    }
    Some(total)
}

/// Written small, with a capital or in capitals, as YAML has it.
fn is_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        text == *word || text == word.to_ascii_uppercase() || {
            let mut chars = text.chars();
            let first = chars.next().map(|first| first.to_ascii_lowercase());
            text.starts_with(|c: char| c.is_ascii_uppercase()) && first.into_iter().chain(chars).eq(word.chars())
        }
    })
}

#[cfg(test)]
mod tests;
