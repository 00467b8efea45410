//! YAML 1.1 as a tree with line numbers, parsed as Synapse's `PyYAML` parses it.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, ExternalMessageSource, Options, Spanned};
use zeroize::Zeroizing;

/// Limit in bytes. ConfigMaps, Secrets and ElementDeployments stay below 1.5 MiB (etcd's limit for a request).
const LARGEST: usize = 2 << 20;

/// Why a text can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// Not YAML. `what` quotes nothing of the text.
    Broken {
        line: u64,
        what: &'static str,
    },
    Several,
    /// Larger or deeper than the limits, or with an unknown tag.
    TooMuch,
}

/// A value. It can be a secret, so it has no `Debug`.
pub(super) struct Node {
    /// First line, from 1; for an alias, the line of its anchor.
    pub(super) line: u64,
    pub(super) content: Yaml,
    at: Range<usize>,
}

pub(super) enum Yaml {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One entry of a mapping, in the text's order. Keys can repeat. Entries of a merge key (`<<`) come last.
pub(super) struct Entry {
    pub(super) key: Option<String>,
    pub(super) line: u64,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn is_null(&self) -> bool {
        matches!(self.content, Yaml::Null)
    }

    pub(super) fn list(&self) -> &[Self] {
        match &self.content {
            Yaml::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.content {
            Yaml::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The effective entry: the last one with that name.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key.as_deref() == Some(key))
    }

    pub(super) fn at(&self, path: &[&str]) -> Option<&Entry> {
        let (first, rest) = path.split_first()?;
        let entry = self.entry(first)?;
        if rest.is_empty() { Some(entry) } else { entry.value.at(rest) }
    }

    /// Whether the value of this key is truthy.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|entry| entry.value.is_true())
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Yaml::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Python's truth value.
    pub(super) fn is_true(&self) -> bool {
        match &self.content {
            Yaml::Null => false,
            Yaml::Bool(value) => *value,
            Yaml::Int(value) => *value != 0,
            Yaml::Float(value) => *value != 0.0,
            Yaml::Text(text) => !text.is_empty(),
            Yaml::List(items) => !items.is_empty(),
            Yaml::Map(entries) => !entries.is_empty(),
        }
    }

    /// `strtobool(str(value))`, as Synapse reads `enable_registration`; `None` if that fails.
    pub(super) fn str_to_bool(&self) -> Option<bool> {
        let text = match &self.content {
            Yaml::Bool(value) => return Some(*value),
            Yaml::Int(value) => value.to_string(),
            Yaml::Text(text) => text.to_ascii_lowercase(),
            _ => return None,
        };
        match text.as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// Whether a duration is set and not zero: milliseconds, or a number with one of `s m h d w y`.
    pub(super) fn is_duration(&self) -> bool {
        match &self.content {
            Yaml::Text(text) => {
                let number = text.trim().trim_end_matches(['s', 'm', 'h', 'd', 'w', 'y']).trim();
                number.parse::<i128>() != Ok(0)
            }
            Yaml::Int(value) => *value != 0,
            Yaml::Bool(value) => *value,
            Yaml::Float(_) => true,
            Yaml::Null | Yaml::List(_) | Yaml::Map(_) => false,
        }
    }

    /// Turns spellings of false and zero that `PyYAML` doesn't know into texts, which are truthy.
    fn restore_texts(&mut self, text: &str) {
        const FALSE: [&str; 9] = ["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
        let spelt = text.get(self.at.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        let is_text = match &mut self.content {
            Yaml::Bool(false) => !FALSE.contains(&spelt),
            Yaml::Int(0) => spelt.contains(['o', 'O']),
            Yaml::Float(0.0) => !spelt.contains('.'),
            Yaml::List(items) => return items.iter_mut().for_each(|item| item.restore_texts(text)),
            Yaml::Map(entries) => return entries.iter_mut().for_each(|entry| entry.value.restore_texts(text)),
            _ => false,
        };
        if is_text {
            self.content = Yaml::Text(spelt.to_owned().into());
        }
    }
}

/// Reads one document. An empty text is `null`, as for Synapse.
pub(super) fn read(text: &str) -> Result<Node, Unread> {
    if text.len() > LARGEST {
        return Err(Unread::TooMuch);
    }
    let mut root: Node = serde_saphyr::from_str_with_options(text, options()).map_err(|error| unread(&error))?;
    root.restore_texts(text);
    Ok(root)
}

fn options() -> Options {
    serde_saphyr::options! {
        // The library recurses, and a thread has 2 MiB of stack. Synapse's settings are less than ten levels deep.
        budget: serde_saphyr::budget! { max_depth: 32, max_nodes: 200_000 },
        // Against "billion laughs".
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 200_000 },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        ignore_binary_tag_for_string: true,
        // A snippet would quote the text, which can contain secrets.
        with_snippet: false,
    }
}

fn unread(error: &Error) -> Unread {
    let what = match error {
        Error::AliasError { error, .. } => return unread(error),
        Error::MultipleDocuments { .. } => return Unread::Several,
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::TaggedScalarCannotDeserializeIntoString { .. } => return Unread::TooMuch,
        Error::UnknownAnchor { .. } => "an alias refers to an unknown anchor",
        Error::ExternalMessage { source, .. } => match &**source {
            ExternalMessageSource::Parser(error) if *error.kind() == ErrorKind::RecursionLimitExceeded => {
                return Unread::TooMuch;
            }
            ExternalMessageSource::Parser(error) => syntax(error.kind()),
            _ => UNREADABLE,
        },
        _ => UNREADABLE,
    };
    Unread::Broken { line: error.location().map_or(1, |location| location.line()), what }
}

const UNREADABLE: &str = "the text is not YAML from there on";

/// Not in the library's words, which quote the text.
fn syntax(kind: &ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar => {
            "it contains a tab where YAML allows only spaces"
        }
        E::InvalidIndentation => "the indentation is wrong",
        E::MappingValueNotAllowed | E::InvalidColonPlacement | E::SimpleKeyExpected | E::InvalidSimpleKey => {
            "a key is missing, or a colon is misplaced"
        }
        E::UnclosedFlowCollection { .. } | E::UnclosedQuotedScalar => "a bracket or a quote is not closed",
        _ => UNREADABLE,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: content, defined, .. } = Spanned::deserialize(deserializer)?;
        let byte = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        let start = byte(defined.span().byte_offset());
        Ok(Self { line: defined.line(), content, at: start..start + byte(defined.span().byte_len()) })
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Yaml, E> {
        Ok(Yaml::Int(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        Ok(Yaml::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(value.to_owned().into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Yaml, E> {
        Ok(Yaml::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Yaml, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some((Spanned { value: key, defined, .. }, value)) = map.next_entry()? {
            entries.push(Entry { key, line: defined.line(), value });
        }
        Ok(Yaml::Map(entries))
    }
}

#[cfg(test)]
mod tests;
