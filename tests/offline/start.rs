//! The cost of starting the program.

use std::path::Path;
use std::process::{Command, Output};

const COMMANDS: [&[&str]; 3] = [&["version"], &["--help"], &["__complete", "--", "status", "--out"]];

fn run(program: &str, words: &[&str], command: &[&str], pipe: Option<&Path>) -> Output {
    let mut started = Command::new(program);
    started.args(words).arg(env!("CARGO_BIN_EXE_kubectl-ess_mas")).args(command).env_clear();
    started.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    if let Some(pipe) = pipe {
        started.env("KUBECONFIG", pipe).env("SSL_CERT_FILE", pipe);
    }
    started.output().unwrap_or_else(|error| panic!("{program} does not start: {error}"))
}

/// The files are named pipes without a writer, so a command that reads them never ends.
#[test]
fn commands_without_a_cluster_read_no_kubeconfig_and_no_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for command in COMMANDS {
        let done = run("timeout", &["--signal=KILL", "20"], command, Some(&pipe));
        assert!(done.status.success(), "{command:?}: {done:?}");
    }
    let read = run("timeout", &["--signal=KILL", "1"], &["status"], Some(&pipe));
    assert!(!read.status.success() && read.stdout.is_empty(), "the pipe holds up nobody: {read:?}");
}

#[test]
fn a_signal_ends_a_command_that_blocks_on_its_kubeconfig() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let done = run("timeout", &["--preserve-status", "--kill-after=20", "1"], &["status"], Some(&pipe));
    assert_eq!(done.status.code(), Some(130), "{done:?}");
}

/// Counts instructions, because they are reproducible and times are not.
///
/// The budgets are a quarter above the count of a debug build: enough for another compiler, but not for reading a kubeconfig,
/// starting a runtime or loading the system's certificates, each of which costs more than the whole start.
#[test]
#[ignore = "counts with valgrind; .ci/run does it where that is installed"]
fn starting_takes_few_instructions() {
    for (command, budget) in COMMANDS.into_iter().zip([15_000_000, 16_000_000, 27_000_000]) {
        let done = run("valgrind", &["--tool=callgrind", "--callgrind-out-file=/dev/null"], command, None);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        // `==123== Collected : 11839788`
        let counted = said.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse::<u64>().ok());
        let counted = counted.unwrap_or_else(|| panic!("no count: {said}"));
        println!("{command:?}: {counted} instructions");
        assert!(counted <= budget, "{command:?}: {counted} instructions, and {budget} is the budget");
    }
}
