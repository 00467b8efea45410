//! The table of codes and the Role in docs/reference.md are those of the program.

use std::path::Path;
use std::{env, fs};

use ess_mas::checks::explain::{self, Explanation};

const BEGIN: &str = "<!-- codes -->\n";
const END: &str = "<!-- /codes -->";

fn reference() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    (path, text)
}

/// The table of all codes, in Markdown.
fn table_of_codes() -> String {
    let mut table = "| code | about | may be |\n| --- | --- | --- |\n".to_owned();
    for Explanation { code, about, severities, .. } in explain::all() {
        let words: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
        table.extend(["| `", code, "` | ", about, " | ", &words.join(", "), " |\n"]);
    }
    table
}

#[test]
fn the_table_of_codes_is_made_from_their_explanations() {
    let (path, text) = reference();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning is marked");
    let (table, after) = rest.split_once(END).expect("the table's end is marked");
    let wanted = table_of_codes();
    if env::var_os("CODES_UPDATE").is_some() {
        fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert!(
            table == wanted,
            "docs/reference.md is out of date; `CODES_UPDATE=1 cargo test --test offline codes` updates its table"
        );
    }
}

#[test]
fn the_minimum_role_is_the_one_that_is_tested() {
    let (_, text) = reference();
    let (_, after) = text.split_once("<!-- role -->\n```yaml\n").expect("the page has a Role");
    let role = after.split_once("```").expect("the Role ends").0;
    assert_eq!(role, include_str!("../e2e/common/role.yaml").replace("\r\n", "\n"));
}
