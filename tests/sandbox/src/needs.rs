//! Tests that need programs from the machine.

use std::io::{self, Write as _};

/// Reports that a test was skipped because a program is missing. In CI (variable `CI`) this is a failure.
///
/// # Panics
/// In CI.
pub fn cannot_run(what: &str, remedy: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{what} was not tested. {remedy}");
    // Not `eprintln!`, which the test harness captures.
    let _ = writeln!(io::stderr(), "SKIPPED: {what} was not tested. {remedy}");
}
