//! The pages for readers: short, without broken links, with commands that exist, in plain words.

mod commands;
mod generated;
mod output;
mod page;

use page::Page;

/// Phrases that no page may contain, with replacements.
const RETIRED: &str = include_str!("../../texts/retired-phrases.txt");
/// Words of the longest sentence.
const LONGEST: usize = 30;

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_readme_and_the_map_are_short() {
    for (name, most) in [("README.md", 200), ("docs/architecture.md", 150)] {
        let lines = Page::read(name, &page::text(name)).lines;
        assert!(lines <= most, "{name} has {lines} lines; {most} are allowed");
    }
}

#[test]
fn every_link_within_the_repository_has_a_target() {
    let pages = page::all();
    let mut problems = Vec::new();
    let mut count = 0;
    for page in &pages {
        let folder = page.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in page.links.iter().filter(|link| !link.starts_with("https://")) {
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.name.clone(),
                file => format!("{folder}/{file}").trim_start_matches('/').to_owned(),
            };
            let is_there = match pages.iter().find(|page| page.name == target) {
                Some(page) => anchor.is_empty() || page.anchors.contains(anchor),
                None => anchor.is_empty() && page::path(&target).exists(),
            };
            if !is_there {
                problems.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert_none(&problems);
    assert!(count > 40, "{count} links were found");
}

#[test]
fn no_sentence_is_longer_than_thirty_words() {
    let mut problems = Vec::new();
    for page in page::all() {
        let long = page.sentences().filter(|(words, _)| *words > LONGEST);
        problems.extend(long.map(|(words, sentence)| format!("{}, {words} words: {sentence}", page.name)));
    }
    assert_none(&problems);
}

/// The retired phrases in a text of this file.
fn retired(name: &str, text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && !"'-…".contains(c)).filter(|word| !word.is_empty());
    let text = format!(" {} ", words.collect::<Vec<_>>().join(" ").to_lowercase());
    let retired = RETIRED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let retired = retired.map(|line| line.split_once(" | ").unwrap_or_else(|| panic!("{line:?} has no replacement")));
    let found = retired.filter(|(phrase, _)| text.contains(&format!(" {phrase} ")));
    found.map(|(phrase, instead)| format!("{name}: {phrase:?} (write: {instead}) in{text}")).collect()
}

#[test]
fn retired_phrases_do_not_come_back() {
    assert!(!retired("", "The rehearsal passed.").is_empty(), "the list was found");
    let mut problems = Vec::new();
    for page in page::all() {
        // A heading of one word is a code.
        problems.extend(page.texts.iter().filter(|text| text.contains(' ')).flat_map(|text| retired(&page.name, text)));
    }
    assert_none(&problems);
}
