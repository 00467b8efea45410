//! A failure text, freed from what lay between its author and us: colours, quoting in JSON (more than once), wrapping,
//! another case. Phrases are looked for in what is left.

/// Nothing useful stands further behind; a message in the status of an object cannot be much longer.
const LONGEST: usize = 512 * 1024;
/// Ansible's results quote JSON within JSON, and not deeper than this.
const DEEPEST: usize = 4;

/// One message.
pub(super) struct Message {
    /// Without quoting and colours, lines as they are.
    pub(super) plain: String,
    /// The same without spaces, every kind of quotation mark the same.
    dense: String,
    /// That in lower case, byte for byte at the same places.
    lower: String,
}

impl Message {
    pub(super) fn read(text: &str) -> Self {
        let mut plain = beginning(text).to_owned();
        for _ in 0..DEEPEST {
            match unescaped(&plain) {
                Some(less) => plain = less,
                None => break,
            }
        }
        let plain = without_colours(&plain);
        let dense = dense(&plain);
        let lower = dense.to_ascii_lowercase();
        Self { plain, dense, lower }
    }

    /// Whether this phrase stands in it.
    pub(super) fn says(&self, phrase: &str) -> bool {
        self.lower.contains(&dense(phrase).to_ascii_lowercase())
    }

    /// Where this phrase ends, each time it stands in it.
    pub(super) fn ends_of(&self, phrase: &str) -> Vec<usize> {
        let phrase = dense(phrase).to_ascii_lowercase();
        self.lower.match_indices(&phrase).map(|(at, found)| at + found.len()).collect()
    }

    /// What stands from there up to a phrase; empty where that does not come soon.
    pub(super) fn until(&self, from: usize, phrase: &str) -> &str {
        const LONGEST_NAME: usize = 300;
        let phrase = dense(phrase).to_ascii_lowercase();
        let rest = self.lower.get(from..).unwrap_or_default();
        match rest.find(&phrase) {
            Some(length) if length <= LONGEST_NAME => &self.dense[from..from + length],
            _ => "",
        }
    }

    /// The beginning of the sentence that ends there, from this phrase on, is preceded directly by another one.
    pub(super) fn is_preceded(&self, until: usize, from: &str, by: &str) -> bool {
        let from = dense(from).to_ascii_lowercase();
        let before = self.lower.get(..until).and_then(|text| text.rfind(&from).map(|at| &text[..at]));
        before.is_some_and(|before| before.ends_with(&dense(by).to_ascii_lowercase()))
    }

    /// What stands before that place, back to another phrase; empty where that is not near.
    pub(super) fn back_to(&self, until: usize, phrase: &str) -> &str {
        const FURTHEST: usize = 300;
        let phrase = dense(phrase).to_ascii_lowercase();
        match self.lower.get(..until).and_then(|before| before.rfind(&phrase)) {
            Some(at) if until - at <= FURTHEST => &self.dense[at + phrase.len()..until],
            _ => "",
        }
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// One layer of backslashes less; `None` where there is none.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut changed = false;
    while let Some(c) = chars.next() {
        let replaced = match (c, chars.peek()) {
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some(quoted @ ('"' | '\'' | '\\' | '/'))) => Some(*quoted),
            ('\\', Some('u')) => {
                let digits: String = chars.clone().skip(1).take(4).collect();
                match u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4).and_then(char::from_u32) {
                    Some(c) => {
                        chars.nth(3);
                        Some(c)
                    }
                    None => None,
                }
            }
            _ => None,
        };
        match replaced {
            Some(replaced) => {
                chars.next();
                out.push(replaced);
                changed = true;
            }
            None => out.push(c),
        }
    }
    changed.then_some(out)
}

/// Takes out ECMA-48's control sequences, also where some log has spelled the escape character.
fn without_colours(text: &str) -> String {
    const SPELLED: [&str; 5] = ["\u{1b}[", "\\x1b[", "\\033[", "#033[", "^[["];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, mark)) =
        SPELLED.iter().filter_map(|mark| rest.find(mark).map(|at| (at, *mark))).min_by_key(|(at, _)| *at)
    {
        out.push_str(&rest[..at]);
        rest = rest[at + mark.len()..].trim_start_matches(|c: char| c.is_ascii_digit() || ";?".contains(c));
        // The final letter.
        let mut chars = rest.chars();
        if chars.next().is_some_and(|c| c.is_ascii_alphabetic()) {
            rest = chars.as_str();
        }
    }
    out + rest
}

fn dense(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{feff}'))
        .map(|c| if matches!(c, '"' | '`' | '‘' | '’' | '“' | '”' | '„') { '\'' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn layers_of_json_colours_and_wrapping_are_seen_through() {
        let text = "could not obtain lock on relation \"users\"";
        let once = serde_json::to_string(text).unwrap();
        let twice = serde_json::to_string(&format!("{{\"msg\": {once}}}")).unwrap();
        for changed in [
            text.to_owned(),
            text.to_uppercase(),
            once,
            twice,
            "could not obtain\n    lock on rel\n    ation “users”".to_owned(),
            "\u{1b}[0;31mcould not obtain lock\u{1b}[0m on relation \\u001b[1m`users`".to_owned(),
            "#033[31mcould not obtain lock on relation 'users'#033[0m".to_owned(),
        ] {
            let message = Message::read(&changed);
            assert!(message.says("could not obtain lock on relation 'users'"), "{changed}");
        }
    }

    #[test]
    fn what_is_captured_keeps_its_case_and_ends_where_it_should() {
        let message = Message::read("provider 'oidc-01JABC' but the rest");
        let from = message.ends_of("provider '")[0];
        assert_eq!(message.until(from, "' but"), "oidc-01JABC");
        assert_eq!(message.until(from, "' and"), "");
        let at = message.ends_of("but")[0] - 3;
        assert_eq!(message.back_to(at, "provider"), "'oidc-01JABC'");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), phrase in "[a-z'\"\\\\ ]{1,8}") {
            let message = Message::read(&text);
            for at in message.ends_of(&phrase) {
                let _ = message.until(at, "'");
                let _ = message.back_to(at, "'");
            }
        }
    }
}
