//! The command line that scripts rely on: global flags, flags that no command takes, and the completion scripts.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use ess_mas::cli::Cli;

/// The global flags, each with a value if it needs one: kubectl's connection flags first, then our own.
const EVERYWHERE: [&[&str]; 23] = [
    &["--kubeconfig", "f"],
    &["--context", "c"],
    &["--cluster", "c"],
    &["--user", "u"],
    &["-n", "n"],
    &["--namespace", "n"],
    &["-s", "https://localhost"],
    &["--server", "https://localhost"],
    &["--tls-server-name", "h"],
    &["--insecure-skip-tls-verify"],
    &["--certificate-authority", "f"],
    &["--client-certificate", "f"],
    &["--client-key", "f"],
    &["--as", "u"],
    &["--as-uid", "1"],
    &["--as-group", "g"],
    &["--request-timeout", "5s"],
    &["--color", "auto"],
    &["--color", "never"],
    &["-v"],
    &["-vvv"],
    &["-q"],
    &["--quiet"],
];

/// Commands that take `-o`.
const WITH_DATA: [&str; 8] = ["status", "check", "dry-run", "activate", "abort", "verify", "report", "version"];

/// The scripts in `completions/`, with the name that each shell expects.
const SCRIPTS: [(&str, &str); 4] = [
    ("bash", "kubectl-ess_mas.bash"),
    ("zsh", "_kubectl-ess_mas"),
    ("fish", "kubectl-ess_mas.fish"),
    ("powershell", "_kubectl-ess_mas.ps1"),
];

#[test]
fn every_command_takes_the_global_flags_before_and_after_its_name() {
    for command in commands() {
        for flag in EVERYWHERE {
            let after = [&["kubectl-ess_mas"], &command[..], flag].concat();
            let before = [&["kubectl-ess_mas"], flag, &command[..]].concat();
            for words in [after, before] {
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{}\n{error}", words.join(" "));
                }
            }
        }
    }
}

#[test]
fn as_group_can_be_repeated() {
    Cli::try_parse_from(["kubectl-ess_mas", "status", "--as", "u", "--as-group", "a", "--as-group", "b"]).unwrap();
}

#[test]
fn no_command_takes_a_token_because_argv_is_public() {
    for command in commands() {
        for token in [&["--token", "t"][..], &["--token=t"]] {
            let words = [&["kubectl-ess_mas"], &command[..], token].concat();
            let error = Cli::try_parse_from(&words).expect_err(&words.join(" "));
            assert_eq!(error.kind(), ErrorKind::UnknownArgument, "{}", words.join(" "));
        }
    }
}

#[test]
fn a_command_with_data_takes_four_output_formats() {
    for command in WITH_DATA {
        for form in ["table", "wide", "json", "yaml"] {
            Cli::try_parse_from(["kubectl-ess_mas", command, "-o", form]).unwrap();
        }
        let error = Cli::try_parse_from(["kubectl-ess_mas", command, "-o", "xml"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
    }
}

#[test]
fn no_flag_takes_a_secret_as_its_value() {
    let cli = Cli::command();
    let below = cli.get_subcommands().flat_map(clap::Command::get_subcommands);
    for command in cli.get_subcommands().chain(below) {
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long() else { continue };
            let secret = ["password", "secret-key", "encryption-secret", "token", "passphrase"]
                .iter()
                .any(|word| long.contains(word));
            assert!(!secret || long.ends_with("-file"), "{} --{long} takes a secret from argv", command.get_name());
        }
    }
}

#[test]
fn wrong_usage_exits_with_2_and_is_reported_on_stderr() {
    let done = Command::new(env!("CARGO_BIN_EXE_kubectl-ess_mas")).args(["status", "--token", "t"]).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(done.stdout.is_empty());
    assert!(String::from_utf8_lossy(&done.stderr).contains("--token"));
}

#[test]
fn the_completion_scripts_in_the_repository_are_up_to_date() {
    for (shell, file) in SCRIPTS {
        let done = Command::new(env!("CARGO_BIN_EXE_kubectl-ess_mas")).args(["completion", shell]).output().unwrap();
        assert!(done.status.success() && done.stderr.is_empty(), "completion {shell}");
        let printed = String::from_utf8(done.stdout).unwrap();
        assert!(printed.contains("dry-run"), "completion {shell} knows no commands");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        // Git may have converted the line endings.
        let kept = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        assert!(kept == printed, "completions/{file} is out of date; run completions/update.sh");
    }
}

/// Bash shows the words in the order of the script.
#[test]
fn bash_completes_commands_before_flags() {
    let script =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/kubectl-ess_mas.bash")).unwrap();
    let lists: Vec<&str> = script.lines().filter_map(|line| line.trim().strip_prefix("opts=\"")).collect();
    assert!(lists.iter().any(|words| words.starts_with("status check prepare ")), "{lists:?}");
    for words in lists {
        let after_flags = words.split(' ').skip_while(|word| !word.starts_with('-'));
        assert_eq!(after_flags.filter(|word| !word.starts_with(['-', '"'])).count(), 0, "{words}");
    }
}

/// Every command with its required arguments.
fn commands() -> Vec<Vec<&'static str>> {
    let known = [
        vec!["status"],
        vec!["check"],
        vec!["prepare"],
        vec!["dry-run"],
        vec!["activate"],
        vec!["abort"],
        vec!["tls", "issue", "--host", "auth.example.com"],
        vec!["tls", "request", "--host", "auth.example.com"],
        vec!["tls", "check", "--host", "auth.example.com", "--live"],
        vec!["verify"],
        vec!["report"],
        vec!["completion", "bash"],
        vec!["version"],
    ];
    for command in Cli::command().get_subcommands() {
        assert!(
            known.iter().any(|words| words[0] == command.get_name()),
            "{} is missing in the list",
            command.get_name()
        );
    }
    known.into()
}
