//! Compares the rules for Synapse's settings with Synapse itself, from the Python Package Index. With MAS, Synapse must
//! refuse each setting that the rules call a blocker, and load each that they accept.
//!
//! Installs Synapse below `target/synapse`. Run by hand: `cargo test --test e2e real::synapse -- --ignored`. Needs
//! Python 3.10.

pub mod install;
mod settings;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use ess_mas::checks::synapse::{Process, scan};
use serde_json::{Value, json};

/// Synapse's errors for each text: with its own logins, and with MAS.
fn ask(texts: &[String]) -> Vec<(Option<String>, Option<String>)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/synapse/load.py");
    let mut child = Command::new(install::python())
        .args(["-W", "ignore"])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: Vec<String> = texts.iter().map(|text| json!({ "text": text }).to_string()).collect();
    let writer = std::thread::spawn(move || {
        for line in lines {
            if writeln!(stdin, "{line}").is_err() {
                break;
            }
        }
    });
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let answers = answers.map(|line| {
        let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        (text("legacy"), text("mas"))
    });
    let answers = answers.collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    answers
}

/// Whether the rules claim that Synapse refuses this with MAS; `None` if they call it unknown.
fn we_say_fatal(text: &str) -> Option<bool> {
    let scan = scan(text, Process::Worker);
    let fatal = |setting: &str| {
        matches!(
            setting,
            "password-login"
                | "registration"
                | "captcha"
                | "consent"
                | "threepid-changes"
                | "existing-session"
                | "lifetime"
                | "password-module"
                | "oidc"
                | "saml"
                | "cas"
                | "jwt"
        )
    };
    if scan.hits.iter().any(|hit| fatal(hit.setting)) {
        return Some(true);
    }
    let open = scan.hits.iter().any(|hit| matches!(hit.setting, "unknown-module" | "too-much"));
    (!open).then_some(false)
}

/// Counts of one comparison.
#[derive(Default, Debug)]
struct Tally {
    refused: usize,
    loaded: usize,
    /// Synapse does not start with it without MAS either, so no deployment has it.
    broken_anyway: usize,
    open: usize,
    wrong: Vec<String>,
}

fn compare(texts: &[String]) -> Tally {
    let mut tally = Tally::default();
    for (text, (legacy, mas)) in texts.iter().zip(ask(texts)) {
        match (legacy, we_say_fatal(text)) {
            (Some(_), _) => tally.broken_anyway += 1,
            (None, None) => tally.open += 1,
            (None, Some(fatal)) if fatal == mas.is_some() => {
                *(if fatal { &mut tally.refused } else { &mut tally.loaded }) += 1;
            }
            (None, Some(fatal)) => tally.wrong.push(format!("{text:?}: we say fatal {fatal}, Synapse says {mas:?}")),
        }
    }
    tally
}

#[test]
#[ignore = "installs Synapse from PyPI"]
fn what_is_called_fatal_synapse_refuses_and_what_is_passed_it_loads() {
    let single = compare(&settings::single());
    println!("one setting at a time: {single:#?}");
    assert!(single.wrong.is_empty(), "{:#?}", single.wrong);
    assert!(single.refused > 100 && single.loaded > 200, "{single:#?}");
    let mixed = compare(&settings::mixed(600));
    println!("several settings: {mixed:#?}");
    assert!(mixed.wrong.is_empty(), "{:#?}", mixed.wrong);
    assert!(mixed.refused > 50 && mixed.loaded > 50, "{mixed:#?}");
}

#[test]
#[ignore = "installs Synapse from PyPI"]
fn synapse_starts_with_an_unknown_module_or_does_not() {
    let module = |name: &str| format!("modules: [{{module: our_modules.{name}, config: {{}}}}]\n");
    let (checks, harmless) = (module("Checks"), module("Harmless"));
    assert_eq!((we_say_fatal(&checks), we_say_fatal(&harmless)), (None, None), "we cannot know");
    let answers = ask(&[checks, harmless]);
    assert!(answers[0].0.is_none() && answers[0].1.as_ref().is_some_and(|why| why.contains("password auth provider")));
    assert_eq!(answers[1], (None, None));
}
