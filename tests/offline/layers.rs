//! The house's arrows point one way: what decides knows nothing of the cluster, the runtime, the terminal or the clock,
//! and only `terminal` writes to a stream. Held by reading the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules that decide.
const PURE: [&str; 9] =
    ["checks", "deployment", "diagnosis", "plan", "redact", "secrets", "verdict", "workloads", "x509"];

/// What a pure module may not name, whether imported or by its full path.
const WORLD: [&str; 28] = [
    "kube::",
    "kube_",
    "tokio",
    "futures::",
    "hyper",
    // Its traits may be used on what is in memory.
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "std::fs",
    "std::env",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "crate::cli",
    "crate::cluster",
    "crate::commands",
    // The record itself is a value and may be looked at; this part of `record` writes files.
    "failure_file",
    "FailureFile",
    "crate::terminal",
    "crate::net",
    "clap::",
];

/// What writes to a stream by itself.
const PRINTING: [&str; 7] = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr"];

/// A source file without what is compiled for tests only, and without comments.
struct Source {
    path: PathBuf,
    code: String,
}

#[test]
fn what_decides_knows_nothing_of_the_world() {
    for module in PURE {
        let sources = sources(module);
        assert!(!sources.is_empty(), "src/{module} holds no sources");
        assert_none(&sources, &WORLD);
    }
}

#[test]
fn what_is_below_does_not_name_what_is_above() {
    let middle = ["crate::plan", "crate::checks", "crate::verdict", "crate::record"];
    for module in ["deployment", "secrets", "x509"] {
        assert_none(&sources(module), &middle);
    }
    assert_none(&sources("verdict"), &["crate::checks", "crate::record", "crate::plan", "crate::workloads"]);
    assert_none(&sources("plan"), &["crate::checks", "crate::record"]);
}

#[test]
fn only_the_terminal_prints() {
    let outside: Vec<_> = sources("").into_iter().filter(|source| !source.path.starts_with("terminal")).collect();
    assert!(outside.len() > 50, "{} sources were found", outside.len());
    assert_none(&outside, &PRINTING);
}

#[test]
fn talking_to_the_cluster_needs_neither_a_command_nor_a_terminal() {
    for module in ["cluster", "record"] {
        assert_none(&sources(module), &["crate::cli", "crate::commands", "crate::terminal", "crate::checks"]);
    }
    assert_none(&sources("terminal"), &["crate::cli", "crate::commands", "crate::cluster", "kube::"]);
    assert_none(&sources("net"), &["crate::cli", "crate::commands", "crate::cluster", "crate::terminal", "kube::"]);
}

#[test]
fn a_word_is_found_in_code_and_not_in_comments_tests_or_longer_words() {
    let code = program("//! kube::Client\nuse std::fs; // tokio\n#[cfg(test)]\nmod tests {\n    use tokio::x;\n}\n");
    assert!(names(&code, "std::fs"));
    assert!(!names(&code, "kube::"));
    assert!(!names(&code, "tokio"));
    assert!(names("use tokio::time;", "tokio"));
    assert!(names("kube::Client", "kube::"));
    assert!(!names("the_kube::x; MyInstant", "Instant"));
    assert!(names("eprintln!()", "eprintln!") && !names("eprintln!()", "println!"));
    assert!(program("\"https://example.com\"; std::fs").contains("std::fs"));
}

/// Reads the sources below a folder of `src`; an empty name stands for all of them. Paths are relative to `src`.
fn sources(module: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            // Named so throughout: these are compiled for tests only.
            if matches!(path.file_stem().and_then(|stem| stem.to_str()), Some("tests" | "test_support" | "stub")) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = program(&fs::read_to_string(&path).unwrap());
                found.push(Source { path: path.strip_prefix(&root).unwrap().to_owned(), code });
            }
        }
    }
    found
}

/// The code that ends up in the program.
fn program(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    // `://` is an address, not a comment.
    let code = |line: &str| match line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')) {
        Some((at, _)) => line[..at].to_owned(),
        None => line.to_owned(),
    };
    shipped.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Whether code names this word, not just a longer one that ends in it.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_'))
}

#[track_caller]
fn assert_none(sources: &[Source], words: &[&str]) {
    let mut found = Vec::new();
    for source in sources {
        for word in words {
            if names(&source.code, word) {
                found.push(format!("src/{} names {word}", source.path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
