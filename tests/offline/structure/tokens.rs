//! Splits Rust source into the tokens that imports need.

/// Words, `::` and single characters; without comments, strings and numbers.
pub fn tokens(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let from = at;
        let rest = &text[at..];
        match bytes[at] {
            b'/' if rest.starts_with("//") => at += rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => at += rest.find("*/").expect("a comment ends") + 2,
            b'"' => at += text_length(rest),
            b'\'' => at += quote_length(rest),
            _ if raw(rest).is_some() => {
                let (head, end) = raw(rest).unwrap();
                at += head + rest[head..].find(&end).expect("a text ends") + end.len();
            }
            b'b' if rest.starts_with("b\"") => at += 1 + text_length(&rest[1..]),
            b'b' if rest.starts_with("b'") => at += 1 + quote_length(&rest[1..]),
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                at += rest.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(rest.len());
                found.push(&text[from..at]);
            }
            b':' if rest.starts_with("::") => {
                at += 2;
                found.push("::");
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                at += rest.chars().next().map_or(1, char::len_utf8);
                found.push(&text[from..at]);
            }
        }
    }
    found
}

fn text_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    panic!("a text ends");
}

/// Skips a character literal; a lifetime stays as a word.
fn quote_length(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    let Some((_, first)) = characters.next() else { return 1 };
    if first == '\\' {
        return 3 + rest[3..].find('\'').expect("a character ends");
    }
    match characters.next() {
        Some((at, '\'')) => at + 1,
        _ => 1,
    }
}

/// The length of the start of a raw string, and its end.
fn raw(rest: &str) -> Option<(usize, String)> {
    let from = if rest.starts_with("br") { 2 } else { usize::from(rest.starts_with('r')) };
    let hashes = rest[from..].bytes().take_while(|byte| *byte == b'#').count();
    (from > 0 && rest[from + hashes..].starts_with('"'))
        .then(|| (from + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// Removes code for tests; also returns the names of test modules in other files.
pub fn program<'a>(code: &[&'a str]) -> (Vec<&'a str>, Vec<String>) {
    let (mut kept, mut tests) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < code.len() {
        let end = if code[at] == "#" { attribute(code, at) } else { None };
        let Some(end) = end.filter(|end| is_for_tests(&code[at..*end])) else {
            kept.push(code[at]);
            at += 1;
            continue;
        };
        at = end;
        while let Some(next) = (code[at] == "#").then(|| attribute(code, at)).flatten() {
            at = next;
        }
        if let Some(place) = code[at..].iter().position(|token| matches!(*token, "mod" | ";" | "{"))
            && code[at + place] == "mod"
            && code[at + place + 2] == ";"
        {
            tests.push(code[at + place + 1].to_owned());
        }
        at = item(code, at);
    }
    (kept, tests)
}

/// The end of the attribute at `#`.
fn attribute(code: &[&str], at: usize) -> Option<usize> {
    let open = at + 1 + usize::from(code.get(at + 1) == Some(&"!"));
    (code.get(open) == Some(&"[")).then(|| closed(code, open))
}

fn is_for_tests(attribute: &[&str]) -> bool {
    let has = |word| attribute.contains(&word);
    attribute.get(2) == Some(&"cfg") && has("test") && !has("not") && !has("any")
}

/// The end of the item, statement, field or variant.
fn item(code: &[&str], mut at: usize) -> usize {
    let mut item = false;
    loop {
        match code[at] {
            ";" => return at + 1,
            "," if !item => return at + 1,
            "fn" | "impl" | "struct" | "enum" | "trait" | "type" | "use" => {
                item = true;
                at += 1;
            }
            "{" => return closed(code, at),
            // The enclosing block ends.
            "}" => return at,
            "(" | "[" => at = closed(code, at),
            _ => at += 1,
        }
    }
}

/// The position after the closing bracket.
fn closed(code: &[&str], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate().skip(open) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    panic!("a bracket is closed");
}
