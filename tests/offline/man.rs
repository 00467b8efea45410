//! The manual pages that a release contains. `cargo run --example man -- DIR` writes them.

#[path = "../../examples/man/pages.rs"]
pub mod pages;

use ess_mas::cli::command;

#[test]
fn every_command_has_a_page_with_its_flags_and_examples() {
    let pages = pages::all().unwrap();
    let mut count = 0;
    for (name, text) in &pages {
        assert!(text.contains("\n.SH SYNOPSIS\n"), "{name}");
        count += 1;
    }
    let tree = command::definition();
    let below = |one: &clap::Command| 1 + one.get_subcommands().filter(|two| !two.is_hide_set()).count();
    let commands: usize = tree.get_subcommands().filter(|one| !one.is_hide_set()).map(below).sum();
    assert_eq!(count, commands + 1);
    let activate = &pages["kubectl-ess_mas-activate.1"];
    for words in [
        "\n.SH EXAMPLES\n.EX\n",
        "\\-\\-backup",
        "\\-\\-timeout",
        "kubectl ess\\-mas activate first\\-element",
        &tree.find_subcommand("activate").and_then(clap::Command::get_about).unwrap().to_string(),
    ] {
        assert!(activate.contains(words), "{words:?} is missing in\n{activate}");
    }
}
