//! The structure of the sources: no import cycles among files, imports among rooms (the folders and files directly in `src`) point one
//! way, decisions do no I/O, and only `terminal` prints.

mod circles;
mod file;
mod imports;
mod tokens;

use std::collections::BTreeMap;
use std::path::Path;

use circles::circles;
use imports::Sources;

/// The rooms from top to bottom. Rooms in one line may import each other without cycles.
const FLOORS: [&[&str]; 10] = [
    &["main", "lib"],
    &["commands"],
    &["cli"],
    &["migration"],
    &["session"],
    &["error"],
    &["terminal"],
    &["cluster", "net"],
    &["checks", "diagnosis", "plan", "record", "verdict"],
    &[
        "answers",
        "connection_failure",
        "deployment",
        "duration",
        "field_manager",
        "hardening",
        "redact",
        "secrets",
        "workloads",
        "x509",
    ],
];

/// Lower rooms that a room may not import.
const UNKNOWN: [(&str, &[&str]); 6] = [
    ("migration", &["cli"]),
    ("terminal", &["cluster", "net"]),
    // Only Kubernetes, not its use.
    ("cluster", &["checks", "deployment", "diagnosis", "plan", "record", "workloads"]),
    ("net", &["checks", "cluster"]),
    ("plan", &["checks", "record"]),
    ("verdict", &["checks", "plan", "record", "workloads"]),
];

/// The room that prints and prompts.
const USES_TERMINAL: [&str; 7] = ["main", "lib", "commands", "cli", "migration", "session", "error"];

/// The pure rooms.
const PURE: [&str; 10] =
    ["answers", "checks", "deployment", "diagnosis", "plan", "redact", "secrets", "verdict", "workloads", "x509"];

/// Names that a pure room may not use.
const WORLD: [&str; 25] = [
    "clap",
    "futures",
    "hyper",
    "hyper_util",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::system",
    "kube",
    "reqwest",
    "rustix",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "tokio_postgres",
];

/// Macros that print.
const PRINTING: [&str; 7] =
    ["dbg!", "eprint!", "eprintln!", "print!", "println!", "std::io::stderr", "std::io::stdout"];

fn sources() -> Sources {
    Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn floor(room: &str) -> usize {
    let found = FLOORS.iter().position(|floor| floor.contains(&room));
    found.unwrap_or_else(|| panic!("src/{room} has no place among the rooms; give it one here"))
}

fn words<'a>(all: impl IntoIterator<Item = &'a String>) -> String {
    all.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[test]
fn files_have_no_import_cycles() {
    let sources = sources();
    assert!(sources.paths().count() > 100, "the sources were found");
    let arrows = sources.arrows();
    let found = circles(arrows.keys().map(|(from, to)| (from.as_str(), to.as_str())));
    let told: Vec<String> = found
        .iter()
        .map(|circle| {
            let inside =
                arrows.iter().filter(|((from, to), _)| circle.contains(from.as_str()) && circle.contains(to.as_str()));
            let lines = inside.map(|((from, to), names)| format!("\n  {from} takes from {to}: {}", words(names)));
            format!("a circle of {} files{}", circle.len(), lines.collect::<String>())
        })
        .collect();
    assert!(told.is_empty(), "{} circles\n{}", told.len(), told.join("\n"));
}

#[test]
fn imports_among_rooms_point_one_way() {
    let sources = sources();
    sources.paths().map(room).for_each(|room| assert!(floor(room) < FLOORS.len()));
    let mut rooms: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for ((from, to), names) in sources.arrows() {
        let arrow = format!("{from} takes from {to}: {}", words(&names));
        rooms.entry((room(&from).to_owned(), room(&to).to_owned())).or_default().push(arrow);
    }
    rooms.retain(|(from, to), _| from != to);
    let beside = |from: &str, to: &str| floor(from) == floor(to);
    let circles =
        circles(rooms.keys().map(|(from, to)| (from.as_str(), to.as_str())).filter(|(from, to)| beside(from, to)));
    let wrong = rooms.iter().filter(|((from, to), _)| {
        let unknown = UNKNOWN.iter().any(|(room, unknown)| room == from && unknown.contains(&to.as_str()));
        let prints = to == "terminal" && !USES_TERMINAL.contains(&from.as_str());
        let round = circles.iter().any(|circle| circle.contains(from.as_str()) && circle.contains(to.as_str()));
        floor(from) > floor(to) || unknown || prints || round
    });
    let told: Vec<String> = wrong.flat_map(|(_, arrows)| arrows).cloned().collect();
    assert!(told.is_empty(), "{} arrows\n{}", told.len(), told.join("\n"));
}

#[test]
fn pure_rooms_do_no_io() {
    let sources = sources();
    assert_none(&sources, &WORLD, |path| PURE.contains(&room(path)));
    // The record is a value; these two write files.
    let writes = |(from, to): &&(String, String)| PURE.contains(&room(from)) && to.starts_with("record/failure_file");
    let arrows = sources.arrows();
    assert_eq!(arrows.keys().filter(writes).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
    assert_none(&sources, &["kube", "tokio"], |path| room(path) == "record");
    assert_none(&sources, &["kube"], |path| matches!(room(path), "net" | "terminal"));
}

#[test]
fn only_the_terminal_prints() {
    assert_none(&sources(), &PRINTING, |path| room(path) != "terminal");
}

#[track_caller]
fn assert_none(sources: &Sources, unwanted: &[&str], of: impl Fn(&str) -> bool) {
    let names = |path: &str, unwanted: &str| {
        path.strip_prefix(unwanted).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let mut told = Vec::new();
    for (file, paths) in sources.foreign().iter().filter(|(file, _)| of(file)) {
        let found = paths.iter().filter(|path| unwanted.iter().any(|one| names(path, one)));
        told.extend(found.map(|path| format!("{file} names {path}")));
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn grouped_renamed_and_reexported_imports_are_resolved() {
    let sources = Sources::of([
        ("lib.rs", "mod a; pub mod b;"),
        ("a/mod.rs", "//! use crate::b::no;\nmod leaf; pub use leaf::{Leaf, other as renamed}; pub struct Own;"),
        ("a/leaf.rs", "pub struct Leaf; pub fn other() { println!(\"use crate::b::no;\") }"),
        (
            "b.rs",
            "use crate::{a::{Leaf, renamed as again}, a};\nuse std::{fs, io};\nfn f() { a::Own; io::stdin(); }\nfn g() -> impl Sized + use<> { a::Own }\n\
             #[cfg(test)]\nmod tests { use super::c::Never; }\n#[cfg(test)] mod c;",
        ),
        ("b/c.rs", "use crate::a::Own; pub struct Never;"),
    ]);
    let arrows: Vec<String> =
        sources.arrows().iter().map(|((from, to), names)| format!("{from} {to} {}", words(names))).collect();
    assert_eq!(arrows, ["a/mod.rs a/leaf.rs Leaf, other", "b.rs a/leaf.rs Leaf, renamed", "b.rs a/mod.rs Own"]);
    let foreign = sources.foreign();
    assert_eq!(words(&foreign["b.rs"]), "std::fs, std::io, std::io::stdin");
    assert_eq!(words(&foreign["a/leaf.rs"]), "println!");
}

#[test]
fn circles_are_found() {
    let found = circles([("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].iter().copied().collect::<Vec<_>>(), ["b", "c"]);
}
