//! The examples in docs/ show what the program prints: every `console` block runs against a real API server, and its output is
//! compared with the page. `README_UPDATE=1 cargo test --test e2e readme` writes the output of this run into the pages.
//!
//! A block belongs to the scene that an HTML comment before it names, `<!-- scene: dry-run-fails -->`. A scene starts
//! with a reconciled deployment without MAS, in namespace `element-onprem`. The user has the permissions of the Role in
//! docs/reference.md and no others.

mod network;
mod normal;
mod page;
#[cfg(unix)]
mod picture;
mod scene;
#[cfg(unix)]
mod screen;

use std::path::Path;
use std::{env, fs};

use ess_mas_sandbox::prelude::*;

use page::Page;
use scene::Scene;

/// The pages with examples.
const PAGES: [&str; 2] = ["docs/guide.md", "docs/troubleshooting.md"];

fn read(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn the_examples_in_the_pages_are_what_the_program_prints() {
    let update = env::var_os("README_UPDATE").is_some();
    let sandbox = Sandbox::start(Release::Current).unwrap();
    scene::build_stage(&sandbox, page::role(&read("docs/reference.md"))).await;
    let mut differences = Vec::new();
    for name in PAGES {
        let mut page = Page::read(&read(name));
        assert!(page.examples().count() >= 5, "{name} has examples");
        let mut scene: Option<Scene<'_>> = None;
        for example in page.examples() {
            if let Some(next) = &example.scene {
                if let Some(last) = scene.take() {
                    last.end().await;
                }
                scene = Some(Scene::start(&sandbox, next, update).await);
            }
            let scene = scene.as_mut().expect("a comment before the first example names its scene");
            for command in &mut example.commands {
                let printed = scene.run(&command.line).await;
                if normal::lines(&printed) != normal::lines(&command.output) {
                    differences
                        .push(format!("$ {}\n--- {name}\n{}--- program\n{printed}", command.line, command.output));
                }
                command.output = printed;
            }
        }
        if let Some(last) = scene.take() {
            last.end().await;
        }
        if update {
            fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), page.text()).unwrap();
        }
    }
    assert!(
        update || differences.is_empty(),
        "examples are out of date; `README_UPDATE=1 cargo test --test e2e readme` updates them\n\n{}",
        differences.join("\n")
    );
}
