//! What a setting's value means to Synapse, which is written in Python.

use super::super::oidc::{Fields, Look};
use super::tree::{Kind, Node};

pub(super) fn is_true(node: &Node) -> bool {
    match &node.kind {
        Kind::Null => false,
        Kind::Bool(value) => *value,
        Kind::Int(value) => *value != 0,
        Kind::Float(value) => *value != 0.0,
        Kind::Text(text) => !text.is_empty(),
        Kind::List(items) => !items.is_empty(),
        Kind::Map(entries) => !entries.is_empty(),
    }
}

/// `strtobool(str(value))`, by which Synapse reads `enable_registration`; `None` where it would fail at any time.
pub(super) fn str_to_bool(node: &Node) -> Option<bool> {
    let text = match &node.kind {
        Kind::Bool(value) => return Some(*value),
        Kind::Int(value) => value.to_string(),
        Kind::Text(text) => text.to_ascii_lowercase(),
        _ => return None,
    };
    match text.as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a duration is set and not nought: milliseconds, or a number with one of `s m h d w y`.
pub(super) fn is_duration(node: &Node) -> bool {
    match &node.kind {
        Kind::Text(text) => {
            let number = text.trim().trim_end_matches(['s', 'm', 'h', 'd', 'w', 'y']).trim();
            number.parse::<i128>() != Ok(0)
        }
        Kind::Int(value) => *value != 0,
        Kind::Bool(value) => *value,
        Kind::Float(_) => true,
        Kind::Null | Kind::List(_) | Kind::Map(_) => false,
    }
}

/// The text of a scalar that is one.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

impl Fields for Node {
    fn look(&self, path: &[&str]) -> Look {
        let Some(entry) = self.at(path) else { return Look::default() };
        let (truth, set) = match &entry.value.kind {
            Kind::Bool(value) => (Some(*value), true),
            Kind::Int(_) | Kind::Float(_) => (None, true),
            _ => (None, is_true(&entry.value)),
        };
        Look { set, truth, text: text(&entry.value).map(str::to_owned) }
    }
}
