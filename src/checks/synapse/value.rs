//! What a setting's value means to Synapse, which is written in Python.

use super::super::oidc::{Fields, Look};
use crate::yaml::{Kind, Node, Resolved};

/// Python's truth of a value.
pub(super) fn is_true(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.old_reading() {
            Resolved::Null => false,
            Resolved::Bool(value) => value,
            Resolved::Int(value) => value != 0,
            Resolved::Float => {
                scalar.text().bytes().any(|byte| matches!(byte, b'1'..=b'9' | b'n' | b'N' | b'i' | b'I'))
            }
            Resolved::Text => !scalar.text().is_empty(),
        },
        Kind::List(items) => !items.is_empty(),
        Kind::Map(entries) => !entries.is_empty(),
        Kind::Opaque => true,
    }
}

/// `strtobool(str(value))`, by which Synapse reads `enable_registration`; `None` where it would fail at any time.
pub(super) fn str_to_bool(node: &Node) -> Option<bool> {
    let scalar = node.scalar()?;
    let text = match scalar.old_reading() {
        Resolved::Bool(value) => return Some(value),
        Resolved::Int(value) => value.to_string(),
        Resolved::Text => scalar.text().to_ascii_lowercase(),
        Resolved::Null | Resolved::Float => return None,
    };
    match text.as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a duration is set and not nought: milliseconds, or a number with one of `s m h d w y`.
pub(super) fn is_duration(node: &Node) -> bool {
    let Some(scalar) = node.scalar() else { return false };
    match scalar.old_reading() {
        Resolved::Null | Resolved::Bool(false) => false,
        Resolved::Int(value) => value != 0,
        _ => {
            let number = scalar.text().trim().trim_end_matches(['s', 'm', 'h', 'd', 'w', 'y']).trim();
            number.parse::<i128>() != Ok(0)
        }
    }
}

/// The text of a scalar that is one.
pub(super) fn text(node: &Node) -> Option<&str> {
    node.scalar().filter(|scalar| scalar.old_reading() == Resolved::Text).map(crate::yaml::Scalar::text)
}

impl Fields for Node {
    fn look(&self, path: &[&str]) -> Look {
        let Some(entry) = self.at(path) else { return Look::default() };
        let scalar = entry.value.scalar();
        Look {
            set: match scalar {
                Some(scalar) => !entry.value.is_null() && !scalar.text().is_empty(),
                None => is_true(&entry.value),
            },
            truth: scalar.and_then(|scalar| match scalar.old_reading() {
                Resolved::Bool(value) => Some(value),
                _ => None,
            }),
            text: text(&entry.value).map(str::to_owned),
        }
    }
}
