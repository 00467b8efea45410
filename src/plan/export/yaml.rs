//! YAML that kubectl, Helm and YAML 1.1 readers understand alike, written without leaving copies of secrets behind.
//!
//! Every string stands in double quotes, in ASCII, so that no `yes`, `1_000`, `0777`, `12:30:45`, date, `:` or `#` is
//! anything but text. PEM is a block, as the guide has it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;
use zeroize::Zeroizing;

/// A tree that may borrow secrets.
pub(super) enum Node<'a> {
    /// Keys and values, in this order.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
    /// A string; what is secret is borrowed.
    Text(Cow<'a, str>),
    /// A string that was made of a secret.
    Secret(Zeroizing<String>),
    /// A number, `true`, `false`, `null` or a list without strings that matter: JSON on one line is YAML.
    Bare(String),
}

impl<'a> Node<'a> {
    /// A map with fixed keys.
    pub(super) fn map<const N: usize>(entries: [(&'a str, Self); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, node)| (Cow::Borrowed(key), node)).collect())
    }

    /// The same tree; `order` says which keys come first, because people read it.
    pub(super) fn of(value: &'a Value, order: &[&str]) -> Self {
        match value {
            Value::Object(fields) => {
                let place = |key: &str| order.iter().position(|one| *one == key).unwrap_or(order.len());
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by_key(|(key, _)| place(key));
                Self::Map(sorted.into_iter().map(|(key, value)| (key.into(), Self::of(value, order))).collect())
            }
            Value::String(text) => Self::Text(text.into()),
            other => Self::Bare(other.to_string()),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Map(entries) => entries.iter().map(|(key, node)| key.len() + 64 + node.size()).sum(),
            // The longest form of one byte, `\u0000`, and what a template's braces become.
            Self::Text(text) => 8 * text.len() + 64,
            Self::Secret(text) => 8 * text.len() + 64,
            Self::Bare(text) => text.len(),
        }
    }
}

/// Writes documents.
pub(super) struct Writer {
    text: Zeroizing<String>,
    /// Whether Helm's `tpl` will read what is written.
    template: bool,
}

impl Writer {
    /// With comment lines at the beginning.
    pub(super) fn new(comments: &[String], template: bool) -> Self {
        let size = comments.iter().map(|line| line.len() + 3).sum();
        let mut text = Zeroizing::new(String::with_capacity(size));
        for line in comments {
            text.push_str("# ");
            text.push_str(line);
            text.push('\n');
        }
        Self { text, template }
    }

    /// Writes a tree and gives the whole text back.
    pub(super) fn finish(mut self, node: &Node<'_>) -> Zeroizing<String> {
        // Room for everything, so that no half-written secret is left behind where the text has moved from.
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + node.size() + 256));
        text.push_str(&self.text);
        self.text = text;
        self.node(node, 0);
        self.text
    }

    fn node(&mut self, node: &Node<'_>, depth: usize) {
        let Node::Map(entries) = node else { return };
        for (key, value) in entries {
            self.indent(depth);
            if is_bare_key(key) {
                self.text.push_str(key);
            } else {
                self.quoted(key, false);
            }
            self.text.push(':');
            match value {
                Node::Map(inner) if inner.is_empty() => self.text.push_str(" {}\n"),
                Node::Map(_) => {
                    self.text.push('\n');
                    self.node(value, depth + 1);
                }
                Node::Text(text) if is_block(text) => {
                    self.text.push_str(" |\n");
                    for line in text.lines() {
                        self.indent(depth + 1);
                        self.text.push_str(line);
                        self.text.push('\n');
                    }
                }
                Node::Text(text) => {
                    self.text.push(' ');
                    self.quoted(text, self.template);
                    self.text.push('\n');
                }
                Node::Secret(text) => {
                    self.text.push(' ');
                    self.quoted(text, self.template);
                    self.text.push('\n');
                }
                Node::Bare(text) => {
                    self.text.push(' ');
                    self.text.push_str(text);
                    self.text.push('\n');
                }
            }
        }
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    /// In double quotes, all ASCII. For a template, `{{` is written as an action that gives it back: with backticks, which mean
    /// nothing in any of YAML's quotes, so that it may pass through `toYaml` before `tpl` as well.
    fn quoted(&mut self, string: &str, template: bool) {
        self.text.push('"');
        let mut chars = string.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' if template && chars.peek() == Some(&'{') => {
                    chars.next();
                    self.text.push_str("{{`{{`}}");
                }
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\t' => self.text.push_str("\\t"),
                '\r' => self.text.push_str("\\r"),
                ' '..='~' => self.text.push(c),
                // Writing into a string cannot fail.
                c if u32::from(c) <= 0xffff => drop(write!(self.text, "\\u{:04x}", u32::from(c))),
                c => drop(write!(self.text, "\\U{:08x}", u32::from(c))),
            }
        }
        self.text.push('"');
    }
}

/// A key of ours. Those of a Secret may be anything that looks like a number or a truth value.
fn is_bare_key(key: &str) -> bool {
    const VALUES: [&str; 9] = ["yes", "off", "nan", "nil", "inf", "null", "none", "true", "false"];
    key.len() > 2
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|c| c.is_ascii_alphanumeric())
        && !VALUES.iter().any(|value| value.eq_ignore_ascii_case(key))
}

/// PEM, and anything like it: several full lines of printable ASCII, one line end at the end, nothing a template reads.
fn is_block(text: &str) -> bool {
    let line_ok = |line: &str| {
        !line.is_empty()
            && !line.starts_with(' ')
            && !line.ends_with(' ')
            && line.bytes().all(|c| (b' '..=b'~').contains(&c) && c != b'{')
    };
    let Some(body) = text.strip_suffix('\n') else { return false };
    body.contains('\n') && body.split('\n').all(line_ok)
}
