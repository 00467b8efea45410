//! The manual pages in `man/` are those that the grammar of the command line gives.
//!
//! `MAN_UPDATE=1 cargo test --test offline man` writes them anew.

mod pages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ess_mas::cli::command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// What is in the folder, by file name.
fn kept() -> BTreeMap<String, String> {
    let pages = fs::read_dir(folder()).unwrap().map(|page| {
        let page = page.unwrap();
        // A checkout may have given the file this machine's line ends.
        let text = fs::read_to_string(page.path()).unwrap().replace("\r\n", "\n");
        (page.file_name().into_string().unwrap(), text)
    });
    pages.collect()
}

#[test]
fn the_manual_pages_in_the_repository_are_those_of_the_program() {
    let pages = pages::all().unwrap();
    if env::var_os("MAN_UPDATE").is_some() {
        let _ = fs::remove_dir_all(folder());
        fs::create_dir_all(folder()).unwrap();
        for (name, text) in &pages {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let kept = kept();
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept), names(&pages), "write them anew with MAN_UPDATE=1 cargo test --test offline man");
    for (name, text) in &pages {
        assert!(
            &kept[name] == text,
            "man/{name} is out of date; write all of them anew with MAN_UPDATE=1 cargo test --test offline man"
        );
    }
}

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
        "only a backup undoes",
    ] {
        assert!(activate.contains(words), "{words:?} is missing in\n{activate}");
    }
}
