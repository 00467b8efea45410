//! Helpers for the tests of `x509`.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// Executes `openssl` with this input, and returns its output and status.
pub(super) fn try_openssl(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test needs the openssl command");
    // A command that doesn't read its input closes the pipe; its status shows the result.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input);
    child.wait_with_output().expect("openssl ends")
}

/// Executes `openssl`, which must succeed, and returns its standard output.
pub(super) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = try_openssl(arguments, input);
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
