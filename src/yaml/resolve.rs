//! What a plain scalar stands for.

use super::Resolved;

/// As syn2mas's parser has it, which is YAML 1.2's core schema (§10.3.2) and binary numbers.
pub(super) fn core_schema(text: &str) -> Resolved {
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
pub(super) fn yaml_1_1(text: &str) -> Resolved {
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
