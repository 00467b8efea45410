//! Programs that a test needs and cannot bring itself.

use std::io::{self, Write as _};

/// Says that a test did not run, for want of what a person can install. In CI, where the variable `CI` is set, that is a failure: a
/// test that passes silently holds nothing.
///
/// # Panics
/// In CI.
pub fn cannot_run(what: &str, remedy: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{what} was not tested. {remedy}");
    // Not `eprintln!`, which a test harness keeps to itself.
    let _ = writeln!(io::stderr(), "SKIPPED: {what} was not tested. {remedy}");
}
