//! Generates the manual pages from the clap definitions: one for the program, one for each command.

use std::collections::BTreeMap;
use std::io;

use clap::Command;
use ess_mas::cli::{command, examples};

/// The pages by file name, such as `kubectl-ess_mas-dry-run.1`.
pub fn all() -> io::Result<BTreeMap<String, String>> {
    // `man` requires a name without spaces; users type one with a space.
    let mut root = command::definition()
        .name("kubectl-ess_mas")
        .display_name("kubectl-ess_mas")
        .bin_name("kubectl ess-mas")
        .disable_help_subcommand(true);
    root.build();
    let mut pages = BTreeMap::new();
    add(&root, "", &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, path: &str, pages: &mut BTreeMap<String, String>) -> io::Result<()> {
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        add(below, format!("{path} {}", below.get_name()).trim_start(), pages)?;
    }
    let version = env!("CARGO_PKG_VERSION");
    let man = clap_mangen::Man::new(command.clone())
        .date("")
        .manual("kubectl ess-mas")
        .source(format!("kubectl ess-mas {version}"));
    let mut page = Vec::new();
    man.render(&mut page)?;
    // clap_mangen names the section below the flags "EXTRA".
    let mut page = String::from_utf8_lossy(&page).replace("\n.SH EXTRA\n", "\n.SH NOTES\n");
    if let Some(text) = examples::plain(&examples::all().collect::<Vec<_>>(), path) {
        let mut section = Vec::new();
        clap_mangen::Man::new(Command::new("examples").after_help(text)).render_extra_section(&mut section)?;
        let section = String::from_utf8_lossy(&section);
        let (_, lines) = section.split_once(".SH EXTRA\n").unwrap_or_default();
        // `.EX` keeps line breaks, so that the lines can be copied.
        page = format!("{page}.SH EXAMPLES\n.EX\n{}\n.EE\n", lines.trim_end());
    }
    pages.insert(man.get_filename(), page);
    Ok(())
}
