//! The paths and names in docs/architecture.md and docs/contributing.md exist.

use std::fs;
use std::path::Path;

/// The file of a path on the page. Paths without a leading folder are below `src`.
fn found(path: &str) -> Option<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.join(path), root.join("src").join(path)].into_iter().find(|path| path.exists())
}

fn is_path(word: &str) -> bool {
    let file = word.rsplit('/').next().unwrap_or_default();
    let kinds = [".rs", ".md", ".yaml", ".txt", ".sh", ".toml"];
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte));
    plain && !word.starts_with("target/") && (word.ends_with('/') || kinds.iter().any(|kind| file.contains(kind)))
}

#[track_caller]
fn assert_named(page: &str, least: usize) {
    let text = fs::read_to_string(found(page).expect(page)).unwrap();
    let words: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|word| is_path(word)).collect();
    assert!(words.len() >= least, "{page} names {} paths", words.len());
    for word in words {
        let (path, name) = word.split_once("::").unwrap_or((word, ""));
        let Some(path) = found(path) else { panic!("{page} names {word}, which does not exist") };
        if !name.is_empty() {
            let code = fs::read_to_string(path).unwrap();
            let is = |kind: &str| {
                let declared = format!("{kind} {name}");
                code.match_indices(&declared).any(|(at, _)| {
                    !code[at + declared.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
                })
            };
            assert!(
                ["fn", "struct", "enum", "const", "type"].into_iter().any(is),
                "{page} names {word}, which does not exist"
            );
        }
    }
}

#[test]
fn every_path_and_name_on_the_map_exists() {
    assert_named("docs/architecture.md", 100);
}

#[test]
fn every_path_and_name_on_the_page_for_contributors_exists() {
    assert_named("docs/contributing.md", 10);
}
