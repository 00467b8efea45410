//! The diff of a write, field by field. Prints values, so the trees must not contain secrets.

use serde_json::{Map, Value};
use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::data::yaml;
use super::style::{Line, Style};

/// A changed field. `None` means absent, which differs from `null`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The pieces of `.spec.ingress[0]`; see [`piece`].
    path: Vec<String>,
    before: Option<Value>,
    after: Option<Value>,
}

/// The changed leaves between two trees, in their order, also of added and removed subtrees. Elements of lists are matched after
/// insertions and deletions.
pub fn changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(&[], Some(before), Some(after), &mut found);
    found
}

fn compare(path: &[String], before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => fields(path, old, new, found),
        (Some(Value::Object(old)), None) if !old.is_empty() => fields(path, old, &Map::new(), found),
        (None, Some(Value::Object(new))) if !new.is_empty() => fields(path, &Map::new(), new, found),
        (Some(Value::Array(old)), Some(Value::Array(new))) => elements(path, old, new, found),
        (Some(Value::Array(old)), None) if !old.is_empty() => elements(path, old, &[], found),
        (None, Some(Value::Array(new))) if !new.is_empty() => elements(path, &[], new, found),
        _ => found.push(FieldChange { path: path.to_vec(), before: before.cloned(), after: after.cloned() }),
    }
}

fn fields(path: &[String], old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<FieldChange>) {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    for key in gone.chain(new.keys()) {
        compare(&[path, &[piece(key)]].concat(), old.get(key), new.get(key), found);
    }
}

fn elements(path: &[String], old: &[Value], new: &[Value], found: &mut Vec<FieldChange>) {
    let operations = capture_diff_slices(Algorithm::Myers, old, new);
    for op in operations.into_iter().filter(|op| op.tag() != DiffTag::Equal) {
        let (was, is) = (op.old_range(), op.new_range());
        for offset in 0..was.len().max(is.len()) {
            let index = if offset < is.len() { is.start } else { was.start } + offset;
            let at = [path, &[format!("[{index}]")]].concat();
            compare(&at, old[was.clone()].get(offset), new[is.clone()].get(offset), found);
        }
    }
}

/// A key in a path. A key with characters other than letters, digits, `-` and `_` is quoted: `["example.com/owner"]`.
fn piece(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { format!(".{key}") } else { format!("[{}]", Value::from(key)) }
}

fn name(path: &[String]) -> String {
    path.concat().trim_start_matches('.').to_owned()
}

/// Renders changes: their common path, and below it `-` and `+` lines. Values are YAML, so that `"yes"` and `yes` differ.
pub fn lines(changes: &[FieldChange]) -> Vec<Line> {
    let common = common_path(changes);
    let mut lines = Vec::new();
    if common > 0 {
        lines.push(Line::new().text("  ").styled(Style::Heading, name(&changes[0].path[..common])));
    }
    // Indented below their common path, which a single change doesn't have.
    let margin = if common > 0 { "    " } else { "  " };
    for change in changes {
        let name = name(&change.path[common..]);
        for (sign, style, value) in [('-', Style::Bad, &change.before), ('+', Style::Good, &change.after)] {
            let line = |value| Line::new().styled(style, format!("{margin}{sign} {name}: {}", shown(value)));
            lines.extend(value.as_ref().map(line));
        }
    }
    lines
}

/// The number of pieces that all paths share, at least one less than each has; 0 for a single change.
fn common_path(changes: &[FieldChange]) -> usize {
    let [first, rest @ ..] = changes else { return 0 };
    let shared = |change: &FieldChange| {
        let same = first.path.iter().zip(&change.path).take_while(|(a, b)| a == b).count();
        same.min(first.path.len().min(change.path.len()).saturating_sub(1))
    };
    rest.iter().map(shared).min().unwrap_or(0)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_string(),
        Value::String(text) if text.contains('\n') => value.to_string(),
        leaf => yaml(leaf).map_or_else(|_| leaf.to_string(), |text| text.trim_end_matches('\n').to_owned()),
    }
}

#[cfg(test)]
mod tests;
