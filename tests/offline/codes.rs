//! What README.md says of the findings and of the Role is what the program has.

use std::path::Path;
use std::{env, fs};

use ess_mas::checks::explain::{self, Explanation};

const BEGIN: &str = "<!-- codes -->\n";
const END: &str = "<!-- /codes -->";

fn readme() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
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
fn the_table_of_codes_in_the_readme_is_made_from_their_explanations() {
    let (path, text) = readme();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning is marked");
    let (table, after) = rest.split_once(END).expect("the table's end is marked");
    let wanted = table_of_codes();
    if env::var_os("CODES_UPDATE").is_some() {
        fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert!(
            table == wanted,
            "README.md is out of date; `CODES_UPDATE=1 cargo test --test offline codes` writes its table anew"
        );
    }
}

#[test]
fn the_role_in_the_readme_is_the_one_that_is_tested() {
    let (_, text) = readme();
    let (_, after) = text.split_once("<!-- role -->\n```yaml\n").expect("the page has a Role");
    let role = after.split_once("```").expect("the Role ends").0;
    assert_eq!(role, include_str!("../e2e/common/role.yaml").replace("\r\n", "\n"));
}
