//! YAML as two programs read it: Synapse and the operator with `PyYAML` (YAML 1.1), syn2mas with YAML 1.2.
//!
//! A tree with lines, of bounded size. Aliases point at the node they name and are never copied, so a document that
//! multiplies itself stays as small as its text.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use zeroize::Zeroizing;

use resolve::{core_schema, yaml_1_1};

mod resolve;

/// syn2mas reads no deeper (the recursion limit of its parser).
const DEEPEST: usize = 127;

/// What is more than this is no longer read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of text.
    pub(crate) bytes: usize,
    /// Of one mapping.
    pub(crate) entries: usize,
    /// Scalars, lists and mappings together.
    pub(crate) nodes: usize,
}

/// A ConfigMap, a Secret and an ElementDeployment all stay below 1.5 MiB (etcd's limit for a request), and Synapse knows some
/// 400 settings.
const SETTINGS: Limits = Limits { bytes: 2 << 20, entries: 5_000, nodes: 200_000 };

/// What a document is, as far as anybody could tell.
pub(crate) type Document = Result<Rc<Node>, Unread>;

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
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
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
    /// An alias that names a node around it, or a tag of somebody's own.
    Opaque,
}

/// One entry of a mapping, in the text's order; the same key may come twice.
pub(crate) struct Entry {
    /// `None` for a key that is no scalar.
    pub(crate) key: Option<String>,
    pub(crate) line: usize,
    pub(crate) value: Rc<Node>,
}

/// A scalar, not yet resolved. It may be a secret, so it has no `Debug` and is overwritten when it goes.
pub(crate) struct Scalar {
    text: Zeroizing<String>,
    plain: bool,
    tag: Option<Resolved>,
}

/// What kind of value a scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    /// A whole number; 0 or not is all that anybody asks, and whether it fits.
    Int(i128),
    Float,
    Text,
}

impl Scalar {
    /// The text as written, without quotes.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// As syn2mas resolves it: YAML 1.2's core schema.
    pub(crate) fn new_reading(&self) -> Resolved {
        self.tag.unwrap_or_else(|| if self.plain { core_schema(&self.text) } else { Resolved::Text })
    }

    /// As `PyYAML` resolves it: YAML 1.1.
    pub(crate) fn old_reading(&self) -> Resolved {
        self.tag.unwrap_or_else(|| if self.plain { yaml_1_1(&self.text) } else { Resolved::Text })
    }
}

impl Node {
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Rc<Self>] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry that counts: the last of that name, else one that a merge key (`<<`) brings.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
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
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Entry> {
        let (first, rest) = path.split_first()?;
        let entry = self.entry(first)?;
        if rest.is_empty() { Some(entry) } else { entry.value.at(rest) }
    }

    /// Whether nothing is there: an empty text, a comment, `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.old_reading() == Resolved::Null)
    }
}

/// Reads settings: one document. An empty text is `null`, as for both programs.
pub(crate) fn read(text: &str) -> Document {
    let (root, more) = documents(text, SETTINGS)?;
    if more { Err(Unread::Several) } else { Ok(root) }
}

/// The first document, and whether there are more; what is after it is not read.
fn documents(text: &str, limits: Limits) -> Result<(Rc<Node>, bool), Unread> {
    if text.len() > limits.bytes {
        return Err(Unread::TooMuch);
    }
    let mut options = granit_parser::options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    options.set_emit_comments(false);
    let mut builder = Builder::new(limits);
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| {
            if matches!(error.kind(), granit_parser::ErrorKind::RecursionLimitExceeded) {
                return Unread::TooMuch;
            }
            Unread::Broken { line: error.marker().line(), what: broken(&error) }
        })?;
        if matches!(event, Event::DocumentStart(..)) && builder.begun {
            return Ok((builder.done(), true));
        }
        builder.take(event, &span)?;
    }
    Ok((builder.done(), false))
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

struct Builder {
    limits: Limits,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    nodes: usize,
    /// Whether the document has.
    begun: bool,
}

impl Builder {
    fn new(limits: Limits) -> Self {
        Self { limits, open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, begun: false }
    }

    fn done(self) -> Rc<Node> {
        let empty = || Kind::Scalar(Scalar { text: String::new().into(), plain: true, tag: None });
        self.root.unwrap_or_else(|| Rc::new(Node { line: 1, kind: empty() }))
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Unread> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(..) => self.begun = true,
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
        if entries > self.limits.entries || self.nodes > self.limits.nodes { Err(Unread::TooMuch) } else { Ok(()) }
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

#[cfg(test)]
mod tests;
