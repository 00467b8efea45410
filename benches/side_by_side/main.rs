//! Compares this program with the alternatives: `cargo run --example side_by_side`.
//!
//! Builds the release program, kubectl and a control plane, and measures alternately. Prints the ratios as the table in
//! docs/performance.md. Arguments select parts (see [`PARTS`]); `--quick` is shorter and less exact.

mod files;
mod links;
mod measure;
mod place;
mod reads;
mod table;
mod waits;

use std::ffi::OsString;
use std::process::ExitCode;

use ess_mas_sandbox::Result;

use place::Programs;
use table::Row;

/// The measurements.
const PARTS: [&str; 9] = ["start", "status", "many", "memory", "promptness", "requests", "keys", "size", "build"];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == measure::MEASURE) {
        return measure::measured(&words[1..]);
    }
    let words: Vec<String> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(word) = words.iter().find(|word| *word != "--quick" && !PARTS.contains(&word.as_str())) {
        eprintln!("{word} is no part; there are: --quick {}", PARTS.join(" "));
        return ExitCode::from(2);
    }
    let (rows, result) = compare(&words);
    table::print(&rows);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the comparison ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the selected measurements, until one fails.
fn compare(words: &[String]) -> (Vec<Row>, Result<()>) {
    let mut rows = Vec::new();
    let result = fill(&mut rows, words);
    (rows, result)
}

fn fill(rows: &mut Vec<Row>, words: &[String]) -> Result<()> {
    let machine = table::machine();
    println!("{}: {machine}", jiff::Zoned::now().date());
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let quick = words.iter().any(|word| word == "--quick");
    let chosen = |part: &str| words.iter().all(|word| word == "--quick") || words.iter().any(|word| word == part);
    let runs = if quick { 5 } else { 25 };
    let programs = Programs::find()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let began = |part: &str| eprintln!("measuring: {part}");
    for part in PARTS.into_iter().filter(|part| chosen(part)) {
        began(part);
        match part {
            "start" => rows.extend(reads::start(&programs, runs)?),
            "status" => rows.extend(reads::status(&runtime, &programs, runs)?),
            "many" if quick => reads::many(rows, &runtime, &programs, &[100, 1000], &[10_000])?,
            "many" => reads::many(rows, &runtime, &programs, &[100, 1000, 10_000], &[100, 10_000, 100_000])?,
            "memory" => rows.push(waits::memory(&runtime, &programs, if quick { 500 } else { 5000 })?),
            "promptness" => rows.extend(waits::promptness(&runtime, &programs, runs)?),
            "requests" => rows.push(waits::requests(&runtime, &programs)?),
            "keys" => rows.extend(files::keys(&programs, runs)?),
            "size" => rows.push(files::size(&programs)?),
            _ => rows.push(files::build()?),
        }
    }
    Ok(())
}
