//! The sentences of the output and of the comments, read from the sources: short, and without retired phrases.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use serde_yaml::Value;

use super::{LONGEST, assert_none, page, retired};

/// Keys of data files whose texts are other programs' or name sources.
const FOREIGN: [&str; 5] = ["patterns", "pattern", "source", "unless", "choices"];

/// A text of a file that people read.
struct Text {
    file: String,
    words: String,
    is_comment: bool,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" && name != "snapshots" {
            files(&path, found);
        } else if path.is_file() && !matches!(name.as_str(), "tests.rs" | "stub.rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<Text> {
    let mut found = Vec::new();
    files(&page::path("src"), &mut found);
    let mut texts = Vec::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(page::path("")).unwrap().display().to_string();
        let mut words = Vec::new();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {
                let program = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                literals(program.parse().unwrap(), &mut words);
            }
            Some("yaml") => strings(&serde_yaml::from_str(&text).unwrap(), &mut words),
            _ => {}
        }
        texts.extend(words.into_iter().map(|(is_comment, words)| Text { file: file.clone(), words, is_comment }));
    }
    texts
}

/// The texts in quotation marks, and those of doc comments.
fn literals(code: TokenStream, found: &mut Vec<(bool, String)>) {
    let mut before = [String::new(), String::new()];
    for token in code {
        match &token {
            TokenTree::Group(group) => literals(group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(text) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                    found.push((before == ["doc", "="], plain(text)));
                }
            }
            _ => {}
        }
        before = [std::mem::take(&mut before[1]), token.to_string()];
    }
}

fn strings(value: &Value, found: &mut Vec<(bool, String)>) {
    match value {
        Value::String(text) => found.push((false, plain(text))),
        Value::Sequence(all) => all.iter().for_each(|one| strings(one, found)),
        Value::Mapping(all) => {
            let own = all.iter().filter(|(key, _)| !key.as_str().is_some_and(|key| FOREIGN.contains(&key)));
            own.for_each(|(_, value)| strings(value, found));
        }
        _ => {}
    }
}

/// The text with its escapes resolved, and `…` for code and for values.
fn plain(text: &str) -> String {
    let mut joined = String::new();
    let mut parts = text.split("\\\n");
    joined.push_str(parts.next().unwrap_or_default());
    parts.for_each(|part| joined.push_str(part.trim_start()));
    let text = joined.replace("\\n", ". ").replace("\\\"", "\"");
    let mut plain = String::new();
    for (at, part) in text.split('`').enumerate() {
        plain.push_str(if at % 2 == 0 { part } else { "…" });
    }
    let mut words = String::new();
    let mut depth = 0_usize;
    for sign in plain.chars() {
        match sign {
            '{' => depth += 1,
            '}' if depth > 0 => {
                depth -= 1;
                words.push('…');
            }
            sign if depth == 0 => words.push(sign),
            _ => {}
        }
    }
    words
}

#[test]
fn no_sentence_of_the_output_is_longer_than_thirty_words() {
    let mut problems = Vec::new();
    let texts = all();
    assert!(texts.len() > 3000, "{} texts were found", texts.len());
    for Text { file, words, is_comment } in texts.into_iter().filter(|text| !text.words.starts_with("SELECT ")) {
        let long = page::sentences(&words).into_iter().filter(|(count, _)| !is_comment && *count > LONGEST);
        problems.extend(long.map(|(count, sentence)| format!("{file}, {count} words: {sentence}")));
    }
    assert_none(&problems);
}

#[test]
fn retired_phrases_do_not_come_back_into_the_sources() {
    let texts = all().into_iter().filter(|text| text.words.split_whitespace().count() > 2);
    let problems = texts.flat_map(|text| retired(&text.file, &text.words));
    assert_none(&problems.collect::<Vec<_>>());
}
