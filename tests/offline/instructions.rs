//! How much work it is to start: counted instructions, which repeat where seconds do not.
//!
//! The budgets are those of a debug build, a quarter above what was counted: room for another compiler, none for reading a
//! kubeconfig, starting a runtime or loading the system's certificates, each of which costs more than the whole start.

use std::io::{self, Write as _};
use std::process::Command;

/// Counts the instructions of a call, with valgrind; `None` where it is not installed.
fn count(words: &[&str]) -> Option<u64> {
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_kubectl-ess_mas"))
        .args(words)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output();
    let output = match valgrind {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => panic!("valgrind: {error}"),
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // `==123== Collected : 11839788`
    let counted = said.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse().ok());
    Some(counted.unwrap_or_else(|| panic!("no count: {said}")))
}

#[test]
fn starting_is_little_work() {
    for (words, budget) in [
        (["version"].as_slice(), 15_000_000),
        (&["--help"], 16_000_000),
        (&["__complete", "--", "status", "--out"], 36_000_000),
    ] {
        let Some(counted) = count(words) else {
            // Not `eprintln!`, which the harness keeps to itself.
            let _ = writeln!(io::stderr(), "SKIPPED: instructions were not counted, for want of valgrind.");
            return;
        };
        println!("{}: {counted} instructions", words.join(" "));
        assert!(counted <= budget, "{}: {counted} instructions, and {budget} is the budget", words.join(" "));
    }
}
