//! Numbers of rows, for people.

/// How many names of others are shown.
pub(super) const FEW: usize = 12;

/// `1 user`, `12 users`.
pub(super) fn count(number: i64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", thousands(number)) }
}

/// `1 234 567`: numbers of this size are read by people.
pub(super) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Names with their numbers, a few of them.
pub(super) fn list(all: &[(String, i64)]) -> String {
    let few: Vec<String> =
        all.iter().take(FEW).map(|(name, number)| format!("{name} ({})", thousands(*number))).collect();
    let more = if all.len() > FEW { format!(" and {} more", all.len() - FEW) } else { String::new() };
    few.join(", ") + &more
}
