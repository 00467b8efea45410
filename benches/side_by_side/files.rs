//! What needs no cluster: keys, the size of what is downloaded, and its build.

use std::fs;

use ess_mas_sandbox::Result;
use serde_json::Value;
use tempfile::TempDir;

use crate::measure::{by_turns, measure_here};
use crate::place::{Programs, cargo};
use crate::table::Row;

/// RSA keys, each made by a whole program.
pub fn keys(programs: &Programs, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (bits, runs) in [("2048", runs), ("4096", runs.div_ceil(2))] {
        let kind = format!("rsa{bits}");
        let words = ["tls", "request", "--host", "auth.example.com", "--key-type", &kind, "--force"];
        let both = by_turns(runs, (&programs.ours, &words), (&programs.openssl, &["genrsa", bits]))?;
        let ((ours, cpu, _), (theirs, their_cpu, _)) = (both.0.medians(), both.1.medians());
        rows.push(Row {
            what: format!("RSA-{bits}, {runs} keys"),
            ours: format!("median {ours:.0} ms, mean {:.0} ms", both.0.mean()),
            against: format!("`openssl genrsa {bits}`"),
            theirs: format!("median {theirs:.0} ms, mean {:.0} ms", both.1.mean()),
            ratio: format!(
                "{:.1}× by medians ({:.1}× in CPU), {:.1}× by means",
                theirs / ours,
                their_cpu / cpu,
                both.1.mean() / both.0.mean()
            ),
            goal: "≥ 2×",
            reached: Some(theirs / ours >= 2.0),
        });
    }
    Ok(rows)
}

/// The released program.
pub fn size(programs: &Programs) -> Result<Row> {
    let (ours, theirs) = (megabytes(&programs.ours.path)?, megabytes(&programs.kubectl.path)?);
    Ok(Row {
        what: "program, released and stripped".to_owned(),
        ours: format!("{ours:.1} MB"),
        against: "kubectl".to_owned(),
        theirs: format!("{theirs:.1} MB"),
        ratio: format!("{:.2}", ours / theirs),
        goal: "≤ 9 MB",
        reached: Some(ours <= 9.0),
    })
}

/// Everything from source, where nothing is built yet; sources are downloaded already.
pub fn build() -> Result<Row> {
    let target = TempDir::new()?;
    let folder = target.path().to_str().ok_or("a folder without a name")?;
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let words = ["build", "--quiet", "--release", "--timings", "--bin", "kubectl-ess_mas"];
    let words = [&words[..], &["--manifest-path", manifest, "--target-dir", folder]].concat();
    let cost = measure_here(&cargo(), &words)?;
    let report = fs::read_to_string(target.path().join("cargo-timings/cargo-timing.html"))?;
    let data = report.split_once("UNIT_DATA = ").and_then(|(_, rest)| rest.split_once(";\n")).map(|(data, _)| data);
    let mut units: Vec<Value> = serde_json::from_str(data.ok_or("cargo told no times")?)?;
    let took = |unit: &Value| unit["duration"].as_f64().unwrap_or_default();
    units.sort_by(|one, other| took(other).total_cmp(&took(one)));
    let word = |unit: &Value, key: &str| unit[key].as_str().unwrap_or_default().trim().to_owned();
    let longest = units.iter().take(4).map(|unit| {
        let name = format!("{} {}", word(unit, "name"), word(unit, "target"));
        format!("{} {:.0} s", name.trim(), took(unit))
    });
    Ok(Row {
        what: format!("cold build, `cargo build --release`, {} steps", units.len()),
        ours: format!("{:.0} s ({:.0} s CPU)", cost.wall.as_secs_f64(), cost.cpu.as_secs_f64()),
        against: String::new(),
        theirs: String::new(),
        ratio: format!("longest: {}", longest.collect::<Vec<_>>().join(", ")),
        goal: "measured",
        reached: None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "no program has 2^52 bytes")]
fn megabytes(path: &std::path::Path) -> Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / 1_000_000.0)
}
