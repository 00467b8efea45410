//! Flags, exit codes, and codes of findings and causes are those before the texts were rewritten, except for the changes that
//! `contract.yaml` lists. Sentences may change in any release; these may not.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, ArgAction, Command};
use ess_mas::checks::explain;
use ess_mas::cli::command;
use ess_mas::diagnosis;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Contract {
    exit_codes: BTreeMap<String, u8>,
    flags: BTreeMap<String, BTreeSet<String>>,
    findings: BTreeSet<String>,
    causes: BTreeSet<String>,
    removed: Change,
    added: Change,
}

/// A part of the contract that was removed or added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    flags: BTreeMap<String, BTreeSet<String>>,
    findings: BTreeSet<String>,
    causes: BTreeSet<String>,
}

fn contract() -> Contract {
    serde_yaml::from_str(include_str!("contract.yaml")).unwrap()
}

/// The entries after the changes. Every removed entry existed, and no added one did.
#[track_caller]
fn changed(before: &BTreeSet<String>, removed: &BTreeSet<String>, added: &BTreeSet<String>) -> BTreeSet<String> {
    assert!(removed.is_subset(before), "not in the contract: {:?}", removed - before);
    assert!(added.is_disjoint(before), "already in the contract: {:?}", added & before);
    &(before - removed) | added
}

/// A flag or positional argument in the notation of `contract.yaml`.
fn notation(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default().first().map(ToString::to_string).unwrap_or_default();
    if arg.is_positional() {
        return if arg.is_required_set() { value } else { format!("[{value}]") };
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut text = short.into_iter().chain(long).collect::<Vec<_>>().join(" ");
    if matches!(arg.get_action(), ArgAction::Append | ArgAction::Count) {
        text += "...";
    }
    if arg.get_action().takes_values() {
        let optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
        text.extend(if optional { [" [", &value, "]"] } else { [" ", &value, ""] });
        let values: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        // Codes have a list of their own.
        if !values.is_empty() && value != "CODE" {
            text.extend([" (", &values.join(" "), ")"]);
        }
    }
    if arg.is_required_set() { format!("{text} required") } else { text }
}

/// The arguments of a command and of those below it, by the words that call them.
fn collect(command: &Command, path: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let own = command.get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"));
    found.insert(path.to_owned(), own.map(notation).collect());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        collect(below, format!("{path} {}", below.get_name()).trim_start(), found);
    }
}

#[test]
fn flags_are_those_of_the_contract() {
    let contract = contract();
    let none = BTreeSet::new();
    let before = contract.flags.into_iter();
    let expected: BTreeMap<String, BTreeSet<String>> = before
        .map(|(command, flags)| {
            let [removed, added] =
                [&contract.removed, &contract.added].map(|one| one.flags.get(&command).unwrap_or(&none));
            let flags = changed(&flags, removed, added);
            (command, flags)
        })
        .collect();
    let mut found = BTreeMap::new();
    collect(&command::definition(), "", &mut found);
    assert!(
        contract.removed.flags.keys().chain(contract.added.flags.keys()).all(|command| expected.contains_key(command))
    );
    assert_eq!(found, expected);
}

#[test]
fn codes_of_findings_and_causes_are_those_of_the_contract() {
    let Contract { findings, causes, removed, added, .. } = contract();
    let found: BTreeSet<String> = explain::all().map(|one| one.code.to_owned()).collect();
    assert_eq!(found, changed(&findings, &removed.findings, &added.findings));
    let found: BTreeSet<String> = diagnosis::codes().map(str::to_owned).collect();
    assert_eq!(found, changed(&causes, &removed.causes, &added.causes));
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let source = include_str!("../../src/error.rs");
    let (_, list) = source.split_once("pub enum Exit {").unwrap();
    let (list, _) = list.split_once('}').unwrap();
    let codes = list.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "));
    let found: BTreeMap<String, u8> = codes.map(|(name, code)| (name.to_owned(), code.parse().unwrap())).collect();
    assert_eq!(found, contract().exit_codes);
}
