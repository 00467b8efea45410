//! What needs no cluster: keys, and the size of what is downloaded.

use std::fs;

use ess_mas_sandbox::Result;

use crate::measure::by_turns;
use crate::place::Programs;
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

#[expect(clippy::cast_precision_loss, reason = "no program has 2^52 bytes")]
fn megabytes(path: &std::path::Path) -> Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / 1_000_000.0)
}
