//! The examples in README.md are what the program says. Every `console` block is run against a real API server and
//! compared; `README_UPDATE=1 cargo test --test e2e readme` writes them anew.
//!
//! A block belongs to the scene that an HTML comment before it names, `<!-- scene: dry-run-fails -->`. A scene starts
//! with a reconciled deployment that nobody has touched, in namespace `element-onprem`. The person who types has the rights
//! of README.md's Role and no others.

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

#[tokio::test]
async fn the_examples_in_the_readme_are_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let update = env::var_os("README_UPDATE").is_some();
    let mut page = Page::read(&text);
    let sandbox = Sandbox::start(Release::Current).unwrap();
    scene::build_stage(&sandbox, page::role(&text)).await;
    let mut scene: Option<Scene<'_>> = None;
    let mut differences = Vec::new();
    assert!(page.examples().count() >= 6, "the examples were found");
    for example in page.examples() {
        if let Some(name) = &example.scene {
            if let Some(last) = scene.take() {
                last.end().await;
            }
            scene = Some(Scene::start(&sandbox, name, update).await);
        }
        let scene = scene.as_mut().expect("a comment before the first example names its scene");
        for command in &mut example.commands {
            let said = scene.run(&command.line).await;
            if normal::lines(&said) != normal::lines(&command.output) {
                differences.push(format!("$ {}\n--- README\n{}--- program\n{said}", command.line, command.output));
            }
            command.output = said;
        }
    }
    if let Some(last) = scene.take() {
        last.end().await;
    }
    if update {
        fs::write(&path, page.text()).unwrap();
    } else {
        assert!(
            differences.is_empty(),
            "README.md is out of date; `README_UPDATE=1 cargo test --test e2e readme` writes its examples anew\n\n{}",
            differences.join("\n")
        );
    }
}
