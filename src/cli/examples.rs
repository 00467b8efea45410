//! Examples for every command, shown by `--help`. A test runs each of them.

use std::fmt::Write as _;

use clap::builder::styling::{Effects, Style};

/// A command line and what it is for.
pub struct Example {
    /// The command that shows it: `dry-run`, `tls issue`.
    pub of: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The whole line.
    pub line: &'static str,
}

const fn example(of: &'static str, about: &'static str, line: &'static str) -> Example {
    Example { of, about, line }
}

/// All of them. They can be run in this order, from a deployment that nobody has touched to one that is migrated, with
/// another dry run after the component was taken out again.
pub const EXAMPLES: &[Example] = &[
    example("status", "Where does the migration stand, and what comes next?", "kubectl ess-mas status"),
    example("status", "Every deployment of the cluster, a row for each", "kubectl ess-mas status -A"),
    example("status", "For a script", "kubectl ess-mas status first-element -n element-onprem -o json"),
    example(
        "check",
        "Everything there is to know before the migration",
        "kubectl ess-mas check first-element -n element-onprem",
    ),
    example(
        "check",
        "For a script: the exit code is 10 where something stands in the way, 11 with warnings only",
        "kubectl ess-mas check first-element -n element-onprem -o json",
    ),
    example(
        "check",
        "Ask both databases as well, through the cluster where they cannot be reached from here",
        "kubectl ess-mas check first-element -n element-onprem --databases --through-cluster",
    ),
    example(
        "tls issue",
        "A certificate for the MAS host from a private CA that is made for it",
        "kubectl ess-mas tls issue --host auth.example.com",
    ),
    example(
        "tls request",
        "A key, and a request to hand in at the company's CA, in a folder that is there",
        "kubectl ess-mas tls request --host auth.example.com --out request",
    ),
    example(
        "tls check",
        "Are certificate, chain and key good for the host?",
        "kubectl ess-mas tls check --host auth.example.com --certificate auth.example.com.crt --private-key auth.example.com.key",
    ),
    example("prepare", "Be asked for everything, see it, and write nothing", "kubectl ess-mas prepare --preview"),
    example(
        "prepare",
        "The same without questions, with the database's password in a file",
        "kubectl ess-mas prepare first-element -n element-onprem --host auth.example.com --database-host pg.example.com --database-name mas --database-user mas --database-password-file mas-db-password --yes",
    ),
    example("dry-run", "What would be written?", "kubectl ess-mas dry-run first-element -n element-onprem --preview"),
    example(
        "dry-run",
        "Without questions, and give up waiting after ten minutes",
        "kubectl ess-mas dry-run first-element -n element-onprem --yes --timeout 10m",
    ),
    example(
        "verify",
        "Do MAS, Synapse and the identity providers answer as they should by now?",
        "kubectl ess-mas verify first-element -n element-onprem",
    ),
    example(
        "verify",
        "Where the ingress is reached under another address, and has a certificate of a private CA",
        "kubectl ess-mas verify --resolve auth.example.com:443:10.0.0.7 --resolve matrix.example.com:443:10.0.0.7 --ca-certificate auth.example.com-ca.crt",
    ),
    example(
        "report",
        "One file for support, without secrets",
        "kubectl ess-mas report first-element -n element-onprem",
    ),
    example(
        "abort",
        "What would be written to go back?",
        "kubectl ess-mas abort first-element -n element-onprem --preview",
    ),
    example(
        "abort",
        "Take the MAS component out again after a dry run",
        "kubectl ess-mas abort first-element -n element-onprem --remove --yes",
    ),
    example("activate", "What would be written?", "kubectl ess-mas activate first-element -n element-onprem --preview"),
    example(
        "activate",
        "Without questions",
        "kubectl ess-mas activate first-element -n element-onprem --confirm first-element --backup \"nas3:/dumps/2026-11-23, synapse and mas\"",
    ),
    example(
        "report",
        "Everything that support needs, into a new file in the working folder",
        "kubectl ess-mas report first-element -n element-onprem",
    ),
    example(
        "completion",
        "For the shell at hand; kubectl itself completes `kubectl ess-mas` with kubectl_complete-ess_mas",
        "kubectl ess-mas completion bash",
    ),
    example("version", "Which release is this?", "kubectl ess-mas version"),
];

/// The text above a command's flags.
pub fn help(of: &str) -> Option<String> {
    let bold = Style::new().effects(Effects::BOLD);
    Some(format!("{bold}Examples:{bold:#}\n{}", plain(of)?))
}

/// The examples of a command, each with what it is for.
pub fn plain(of: &str) -> Option<String> {
    let mut text = String::new();
    for example in EXAMPLES.iter().filter(|example| example.of == of) {
        // Writing into a string cannot fail.
        let _ = write!(text, "  # {}\n  {}\n\n", example.about, example.line);
    }
    text.truncate(text.trim_end().len());
    (!text.is_empty()).then_some(text)
}
