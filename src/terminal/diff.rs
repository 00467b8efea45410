//! What a write changes: field by field, with its path, and without any secret.

use std::fmt;

use serde_json::Value;
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices};

use super::data::yaml;
use super::style::{Line, Style};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// Where in a tree something is; shown as `spec.components.ingress[0]`, with keys that hold more than letters, digits, `-`
/// and `_` in brackets: `metadata.annotations["example.com/owner"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    #[must_use]
    pub fn join(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl<const N: usize> From<[&str; N]> for Path {
    fn from(keys: [&str; N]) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.to_owned())).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, f)
    }
}

fn show(steps: &[Step], f: &mut impl fmt::Write) -> fmt::Result {
    for (place, step) in steps.iter().enumerate() {
        match step {
            Step::Index(index) => write!(f, "[{index}]")?,
            Step::Key(key) => {
                let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
                match (bare, place) {
                    (true, 0) => write!(f, "{key}")?,
                    (true, _) => write!(f, ".{key}")?,
                    (false, _) => write!(f, "[{}]", Value::from(key.as_str()))?,
                }
            }
        }
    }
    Ok(())
}

/// One field that changes. `None` is "not there", which is something else than `null`.
///
/// Its `Debug` shows no value of a secret.
#[derive(Clone, PartialEq)]
pub struct Change {
    pub path: Path,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub secret: bool,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<Value>, mask| match value {
            None => "(absent)".to_owned(),
            Some(_) if self.secret => str::to_owned(mask),
            Some(value) => value.to_string(),
        };
        write!(f, "{}: {} -> {}", self.path, value(&self.before, MASK_BEFORE), value(&self.after, MASK_AFTER))
    }
}

/// What changes from one tree to another, field by field down to the leaves, in the trees' order; what comes whole or goes
/// whole is taken apart too, so that each field can be judged by its path. In lists, elements that stayed are found again
/// after others came or went.
///
/// `secret` says of a field's path whether its values must not be shown.
pub fn changes(before: &Value, after: &Value, secret: impl Fn(&Path) -> bool) -> Vec<Change> {
    let mut found = Vec::new();
    compare(&Path::default(), Some(before), Some(after), &mut found);
    for change in &mut found {
        change.secret = secret(&change.path);
    }
    found
}

fn compare(path: &Path, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            for key in gone.chain(new.keys()) {
                compare(&path.join(Step::Key(key.clone())), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => elements(path, old, new, found),
        (Some(Value::Object(map)), None) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| compare(&path.join(Step::Key(key.clone())), Some(value), None, found));
        }
        (None, Some(Value::Object(map))) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| compare(&path.join(Step::Key(key.clone())), None, Some(value), found));
        }
        (Some(Value::Array(list)), None) if !list.is_empty() => elements(path, list, &[], found),
        (None, Some(Value::Array(list))) if !list.is_empty() => elements(path, &[], list, found),
        _ => found.push(Change { path: path.clone(), before: before.cloned(), after: after.cloned(), secret: false }),
    }
}

fn elements(path: &Path, old: &[Value], new: &[Value], found: &mut Vec<Change>) {
    let at = |index| path.join(Step::Index(index));
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { old_index, old_len, .. } => {
                (old_index..old_index + old_len).for_each(|index| compare(&at(index), old.get(index), None, found));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                (new_index..new_index + new_len).for_each(|index| compare(&at(index), None, new.get(index), found));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                for offset in 0..old_len.max(new_len) {
                    let was = (offset < old_len).then(|| &old[old_index + offset]);
                    let is = (offset < new_len).then(|| &new[new_index + offset]);
                    compare(&at(if is.is_some() { new_index } else { old_index } + offset), was, is, found);
                }
            }
        }
    }
}

/// What stands in place of a secret: kubectl's words, which say that it changes and not to what.
const MASK_BEFORE: &str = "*** (before)";
const MASK_AFTER: &str = "*** (after)";

/// Changes as lines: what they have in common in their paths once, then below it `-` and `+` per field. Text of several lines is
/// compared line by line. Values are written as YAML would have them, so `"yes"` and `yes` can be told apart.
pub fn lines(changes: &[Change]) -> Vec<Line> {
    let common = common_path(changes);
    let mut lines = Vec::new();
    if common > 0 {
        let shown = named(&changes[0].path.0[..common]);
        lines.push(Line::new().text("  ").styled(Style::Heading, shown));
    }
    // Below their common path, so that a change that stands by itself cannot pass for one of them.
    let margin = if common > 0 { "    " } else { "  " };
    for change in changes {
        let name = named(&change.path.0[common..]);
        match (&change.before, &change.after) {
            (Some(Value::String(old)), Some(Value::String(new)))
                if !change.secret && (old.contains('\n') || new.contains('\n')) =>
            {
                lines.push(Line::new().text(format!("{margin}~ {name}:")));
                lines.extend(texts(old, new).into_iter().map(|line| Line::new().text(margin).text("  ").line(line)));
            }
            (before, after) => {
                let mut push = |sign, style, value: &Option<Value>, mask: &str| {
                    if let Some(value) = value {
                        let value = if change.secret { mask.to_owned() } else { shown(value) };
                        lines.push(Line::new().styled(style, format!("{margin}{sign} {name}: {value}")));
                    }
                };
                push('-', Style::Bad, before, MASK_BEFORE);
                push('+', Style::Good, after, MASK_AFTER);
            }
        }
    }
    lines
}

/// Two texts as a unified diff with three lines around each change; nothing when they are the same. The texts are shown, so
/// they must hold no secret.
pub fn texts(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(3) {
        if !lines.is_empty() {
            lines.push(Line::new().styled(Style::Dim, "..."));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("- ", Style::Bad),
                ChangeTag::Insert => ("+ ", Style::Good),
                ChangeTag::Equal => ("  ", Style::Dim),
            };
            let text = change.value().trim_end_matches(['\n', '\r']);
            lines.push(Line::new().styled(style, format!("{sign}{text}").trim_end()));
        }
    }
    if lines.is_empty() && before != after {
        lines.push(Line::new().styled(Style::Dim, "only the ends of lines differ"));
    }
    lines
}

/// How many steps all changes share, leaving each at least one; none for a single change, whose path stays whole.
fn common_path(changes: &[Change]) -> usize {
    let [first, rest @ ..] = changes else { return 0 };
    if rest.is_empty() {
        return 0;
    }
    let same = |path: &Path| first.path.0.iter().zip(&path.0).take_while(|(a, b)| a == b).count();
    let shortest = changes.iter().map(|change| change.path.0.len()).min().unwrap_or(0);
    rest.iter().map(|change| same(&change.path)).min().unwrap_or(0).min(shortest.saturating_sub(1))
}

fn named(steps: &[Step]) -> String {
    let mut name = String::new();
    // Writing into a string cannot fail.
    let _ = show(steps, &mut name);
    name
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
