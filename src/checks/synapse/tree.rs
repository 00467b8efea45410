//! YAML 1.1 as a tree with line numbers, as Synapse's `PyYAML` reads it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, ExternalMessageSource, Options, Span, Spanned};

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
    /// Its place in the text.
    span: Span,
    pub(super) content: Yaml,
}

pub(super) enum Yaml {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
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
    pub(super) fn is_set(&self) -> bool {
        !matches!(self.content, Yaml::Null)
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
        let (last, sections) = path.split_last()?;
        sections.iter().try_fold(self, |node, key| Some(&node.entry(key)?.value))?.entry(last)
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

    /// The value without lines. The last one of duplicate keys counts.
    pub(super) fn value(&self) -> Value {
        match &self.content {
            Yaml::Null => Value::Null,
            Yaml::Bool(value) => Value::Bool(*value),
            Yaml::Number(value) => Value::Number(value.clone()),
            Yaml::Text(text) => Value::String(text.clone()),
            Yaml::List(items) => items.iter().map(Self::value).collect(),
            Yaml::Map(all) => all.iter().filter_map(|one| Some((one.key.clone()?, one.value.value()))).collect(),
        }
    }

    /// Python's truth value.
    pub(super) fn is_true(&self) -> bool {
        match &self.content {
            Yaml::Null => false,
            Yaml::Bool(value) => *value,
            Yaml::Number(value) => value.as_f64() != Some(0.0),
            Yaml::Text(text) => !text.is_empty(),
            Yaml::List(items) => !items.is_empty(),
            Yaml::Map(entries) => !entries.is_empty(),
        }
    }

    /// Makes texts of the scalars that only the library takes for `false` or zero, such as `n`, `oFF`, `0o0` and `0e0`: for
    /// `PyYAML` they are texts, and so true.
    fn keep_texts(&mut self, source: &str) {
        let (from, length) = (self.span.byte_offset().unwrap_or_default(), self.span.byte_len().unwrap_or_default());
        let written = usize::try_from(from).ok().zip(usize::try_from(from + length).ok());
        let written = written.and_then(|(from, to)| source.get(from..to)).unwrap_or_default().trim();
        let is_text = match &mut self.content {
            Yaml::List(items) => return items.iter_mut().for_each(|item| item.keep_texts(source)),
            Yaml::Map(entries) => return entries.iter_mut().for_each(|entry| entry.value.keep_texts(source)),
            Yaml::Bool(false) => !["no", "false", "off"].iter().any(|word| {
                let capitalised = word[..1].to_uppercase() + &word[1..];
                [*word, capitalised.as_str(), word.to_uppercase().as_str()].contains(&written)
            }),
            Yaml::Number(number) if number.as_f64() == Some(0.0) => {
                let lower = written.to_ascii_lowercase();
                lower.contains('o') || lower.contains('e') && !lower.contains('.')
            }
            _ => false,
        };
        // A quoted value has a tag.
        if is_text && !written.is_empty() && !written.starts_with(['"', '\'']) {
            self.content = Yaml::Text(written.to_owned());
        }
    }

    /// `strtobool(str(value))`, as Synapse reads `enable_registration`; `None` if that fails.
    pub(super) fn str_to_bool(&self) -> Option<bool> {
        let text = match &self.content {
            Yaml::Bool(value) => return Some(*value),
            Yaml::Number(value) => value.to_string(),
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
            Yaml::Text(text) => text.trim().trim_end_matches(['s', 'm', 'h', 'd', 'w', 'y']).trim().parse() != Ok(0),
            Yaml::List(_) | Yaml::Map(_) => false,
            _ => self.is_true(),
        }
    }
}

/// Reads one document. An empty text is `null`, as for Synapse.
pub(super) fn read(text: &str) -> Result<Node, Unread> {
    if text.len() > LARGEST {
        return Err(Unread::TooMuch);
    }
    let mut node: Node = serde_saphyr::from_str_with_options(text, options()).map_err(|error| unread(&error))?;
    node.keep_texts(text);
    Ok(node)
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
            ExternalMessageSource::Parser(error) => match error.kind() {
                ErrorKind::RecursionLimitExceeded => return Unread::TooMuch,
                ErrorKind::TabNotAllowed
                | ErrorKind::TabInBlockIndentation
                | ErrorKind::TabInIndentation
                | ErrorKind::TabInPlainScalar => "it contains a tab where YAML allows only spaces",
                _ => UNREADABLE,
            },
            _ => UNREADABLE,
        },
        _ => UNREADABLE,
    };
    Unread::Broken { line: error.location().map_or(1, |location| location.line()), what }
}

/// Not in the library's words, which quote the text.
const UNREADABLE: &str = "the text from this line on is not valid YAML";

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: content, defined, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { line: defined.line(), span: defined.span(), content })
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
        Ok(Yaml::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Yaml, E> {
        Ok(Yaml::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        Ok(Number::from_f64(value).map_or_else(|| Yaml::Text(value.to_string()), Yaml::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(value.to_owned()))
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
