//! Every example of the help works, and every command has one.

use clap::Command;
use ess_mas::cli::{command, examples};
use ess_mas_sandbox::prelude::*;

use crate::common::command::Done;
use crate::common::scene::Scene;
use crate::common::terminal::dialogue;

/// The words of every command that has an effect.
fn commands(parent: &Command, path: &str, found: &mut Vec<String>) {
    for one in parent.get_subcommands().filter(|one| !one.is_hide_set()) {
        let path = format!("{path} {}", one.get_name()).trim_start().to_owned();
        if one.has_subcommands() {
            commands(one, &path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_command_has_an_example_and_every_example_a_command() {
    let mut all = Vec::new();
    commands(&command::definition(), "", &mut all);
    assert!(all.len() >= 11, "{all:?}");
    for path in &all {
        let own = examples::all().any(|example| example.of == path);
        assert!(own, "`{path}` has no example; add one to src/cli/examples.txt");
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_kubectl-ess_mas"))
            .args(path.split(' '))
            .arg("--help")
            .output()
            .unwrap();
        let help = String::from_utf8(done.stdout).unwrap();
        assert!(help.contains(&format!("Usage: kubectl ess-mas {path} ")), "{help}");
        let (usage, arguments) = (help.find("Examples:"), help.find("Options:"));
        assert!(usage.is_some() && usage < arguments, "examples stand above the flags: {help}");
    }
    for example in examples::all() {
        assert!(all.iter().any(|path| path == example.of), "there is no command `{}`", example.of);
        assert!(example.line.starts_with(&format!("kubectl ess-mas {}", example.of)), "{}", example.line);
    }
}

#[tokio::test]
async fn every_example_of_the_help_runs() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.shell.file("mas-db-password", "correct horse\n");
    std::fs::create_dir(scene.shell.home().join("request")).unwrap();
    for example in examples::all() {
        if example.of == "activate" && example.line.contains("--preview") {
            // The previous examples have rolled back.
            let _ = scene.shell.run("dry-run --yes").await.expect(0);
        }
        let words = words(
            &example
                .line
                .replace("\\\n", "")
                .replace("first-element", "chat-of-ours")
                .replace("element-onprem", scene.namespace.name())
                .replace("10.0.0.7", "127.0.0.1"),
        );
        let words: Vec<&str> = words.iter().map(String::as_str).skip(2).collect();
        if words == ["prepare", "--preview"] {
            let enter = ("]", "\r");
            let steps = vec![enter, enter, enter, enter, ("(not shown)", "pw\r"), ("nothing was written", "")];
            dialogue(scene.shell.on_terminal(words), steps, 0).await;
            continue;
        }
        let done: Done = scene.shell.run_words(&words, None).await;
        let fine: &[i32] = match example.of {
            // Findings have their own exit codes: the private CA is not trusted yet, and the host doesn't resolve.
            "check" | "verify" | "tls check" => &[0, 11],
            _ => &[0],
        };
        assert!(fine.contains(&done.code), "{}\n{done}", example.line);
    }
    assert_eq!(scene.object().await["status"]["mas_active"], true);
}

/// Splits a line like a shell, as far as the examples require.
fn words(line: &str) -> Vec<String> {
    line.split('"')
        .enumerate()
        .flat_map(|(turn, part)| match turn % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}
