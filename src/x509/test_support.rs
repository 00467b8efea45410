//! What several test modules of `x509` need.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// Runs `openssl` with some input and gives back everything it said.
pub(super) fn try_openssl(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test needs the openssl command");
    // A command that does not read its input closes the pipe; its own status then says what happened.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input);
    child.wait_with_output().expect("openssl ends")
}

/// Runs `openssl`, which must succeed, and gives back its standard output.
pub(super) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = try_openssl(arguments, input);
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
