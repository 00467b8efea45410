//! Complete outputs on a terminal of four widths and in a pipe, with and without colours, with exit codes.
//!
//! `INSTA_UPDATE=always cargo test --test e2e outputs` updates them; read the difference before you commit it.

use std::fmt::Write as _;
use std::process::Command;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use rexpect::process::WaitStatus;
use rexpect::session::spawn_command;
use serde_json::json;

use crate::common::command::Shell;
use crate::common::scene::Scene;

const WIDTHS: [u16; 4] = [60, 80, 120, 200];

/// A deployment that is ready to migrate. Its times are days ago, so that a slow machine doesn't change their text.
async fn long_ago() -> Scene {
    let mut scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment
            .set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
            .set("/spec/components/synapse/config/delegatedAuth/oidc/0/idpName", "会社の認証 🎉")
    })
    .await;
    let _ = scene.prepare_with(&["--accept", &everything(&scene).await], "correct horse\n").await.expect(0);
    let _ = scene.shell.run(&format!("dry-run --yes --accept {}", everything(&scene).await)).await.expect(0);
    scene.operator.stop().await;
    let mut status = scene.object().await["status"].clone();
    for condition in status["conditions"].as_array_mut().unwrap() {
        condition["lastTransitionTime"] = json!("2020-01-01T00:00:00Z");
    }
    let (api, patch) = (scene.api(), Patch::Merge(json!({"status": {"conditions": status["conditions"]}})));
    api.patch_status(scene.deployment.name(), &PatchParams::default(), &patch).await.unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&scene.record_text().await.unwrap()).unwrap();
    record["rehearsal"]["at"] = json!("2020-01-01T00:00:00Z");
    record["rehearsal"]["seconds"] = json!(131);
    let records = Api::<ConfigMap>::namespaced(scene.namespace.client().unwrap(), scene.namespace.name());
    let patch = Patch::Merge(json!({"data": {"record.json": record.to_string()}}));
    records.patch("chat-of-ours-kubectl-ess-mas", &PatchParams::default(), &patch).await.unwrap();
    scene
}

/// The codes of all warnings, for a script to accept.
async fn everything(scene: &Scene) -> String {
    let report = scene.shell.run("check -o json").await.json();
    let warned = report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == "warning");
    let codes: Vec<&str> = warned.filter_map(|one| one["code"].as_str()).collect();
    if codes.is_empty() { "none".to_owned() } else { codes.join(",") }
}

/// On a terminal with this number of columns: both streams and the exit code.
async fn on_terminal(shell: &Shell, line: &str, columns: u16, colour: bool) -> String {
    let mut command: Command = shell.on_terminal(line.split_whitespace());
    command.env("COLUMNS", columns.to_string()).env("TERM", "xterm-256color");
    if !colour {
        command.env("NO_COLOR", "1");
    }
    tokio::task::spawn_blocking(move || {
        let mut session = spawn_command(command, Some(60_000)).unwrap();
        let shown = whole(&session.exp_eof().unwrap());
        let Ok(WaitStatus::Exited(_, code)) = session.process().wait() else { panic!("it was killed: {shown}") };
        format!("{}(exit code {code})\n", settled(&shown))
    })
    .await
    .unwrap()
}

/// Decodes characters beyond ASCII, which arrive as one character per byte.
fn whole(shown: &str) -> String {
    String::from_utf8(shown.chars().map(|c| u8::try_from(c).expect("a byte")).collect()).expect("UTF-8")
}

/// The visible rest of a line that was overwritten.
fn settled(shown: &str) -> String {
    let mut text = String::new();
    for line in shown.replace("\r\n", "\n").split_inclusive('\n') {
        text.push_str(line.rsplit("\r\u{1b}[K").next().unwrap_or(line));
    }
    text
}

/// Masks everything that differs between executions, in the same number of columns.
fn steady(text: &str, scene: &Scene) -> String {
    let text = text.replace(scene.namespace.name(), "ess-xxxxx").replace('\u{1b}', "^");
    let stamp = regex_lite::Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
    let days = regex_lite::Regex::new(r"\d{4} days").unwrap();
    let text = stamp.replace_all(&text, "2026-11-23T02:00:09Z");
    let text = days.replace_all(&text, "2500 days");
    without_network(&text)
}

/// Findings that depend on the machine's network.
const BY_THE_NETWORK: [&str; 4] =
    ["mas-host-unresolved", "mas-reachable", "synapse-reachable", "checking MAS, Synapse"];

/// Removes the findings that depend on the machine's network, and their counts.
fn without_network(text: &str) -> String {
    let numbers =
        regex_lite::Regex::new(r"(Checked \S+ in \S+: )\d+ checks?(,\s\d+\s(blockers?|warnings?|not\sknown))*")
            .unwrap();
    let text = numbers.replace_all(text, "${1}…");
    let mut within = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if !line.starts_with("      ") {
            within = BY_THE_NETWORK.iter().any(|code| line.contains(code));
        }
        if !within {
            kept.push_str(line);
        }
    }
    // They also affect the widths of columns.
    let gap = regex_lite::Regex::new(r"(?m)^(\S*(?:SEVERITY|blocker|warning|unknown|ok)\S*) {2,}.*$").unwrap();
    gap.replace_all(&kept, |row: &regex_lite::Captures| {
        row[0].split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>().join("   ")
    })
    .into_owned()
}

/// Runs one command in every form.
async fn gallery(scene: &Scene, line: &str) -> String {
    let mut text = String::new();
    for columns in WIDTHS {
        let shown = on_terminal(&scene.shell, line, columns, false).await;
        write!(text, "--- {columns} columns\n{shown}\n").unwrap();
    }
    let shown = on_terminal(&scene.shell, line, 100, true).await;
    write!(text, "--- 100 columns, with colours\n{shown}\n").unwrap();
    for more in ["", " --color always"] {
        let done = scene.shell.run(&format!("{line}{more}")).await;
        write!(text, "--- piped{more}\n{}--- stderr\n{}(exit code {})\n\n", done.stdout, done.stderr, done.code)
            .unwrap();
    }
    steady(&text, scene)
}

#[tokio::test]
async fn outputs_match_their_snapshots() {
    let scene = long_ago().await;
    for (name, line) in [
        ("status", "status"),
        ("check", "check"),
        ("activate_preview", "activate --preview"),
        ("abort_preview", "abort --remove --preview"),
        ("no_such_deployment", "status nobody"),
        ("help", "abort --help"),
        ("the_way", ""),
        ("a_mistake", "activate --dry-run"),
    ] {
        insta::assert_snapshot!(name, gallery(&scene, line).await);
    }
}

#[tokio::test]
async fn a_script_gets_the_missing_flags() {
    let scene = long_ago().await;
    let mut text = String::new();
    for line in
        ["activate", "activate --yes", "activate --confirm somebody --backup shelf", "prepare --host https://a.example"]
    {
        let done = scene.shell.run(line).await;
        write!(text, "$ {line}\n{}--- stderr\n{}(exit code {})\n\n", done.stdout, done.stderr, done.code).unwrap();
    }
    insta::assert_snapshot!("a_script", steady(&text, &scene));
}

/// On a terminal, with one stream redirected to a file; returns both.
async fn parted(mut command: Command, redirect: &str) -> (String, String) {
    let file = command.get_current_dir().unwrap().join("parted");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {redirect} {}", file.display())]);
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().unwrap());
    command = shell;
    let shown = tokio::task::spawn_blocking(move || {
        let mut session = spawn_command(command, Some(60_000)).unwrap();
        session.exp_eof().unwrap()
    });
    let shown = shown.await.unwrap();
    (shown, std::fs::read_to_string(file).unwrap())
}

#[tokio::test]
async fn colours_and_signs_follow_the_environment_and_each_stream_by_itself() {
    let scene = long_ago().await;
    let on_terminal = |line: &str, environment: &[(&str, &str)]| {
        let mut command = scene.shell.on_terminal(line.split_whitespace());
        command.env("TERM", "xterm").env("COLUMNS", "100").envs(environment.iter().copied());
        command
    };
    for (environment, coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("NO_COLOR", "")], true),
        (&[("CLICOLOR", "0")], false),
        (&[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], true),
        (&[("TERM", "dumb")], false),
        (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
    ] {
        let command = on_terminal("status", environment);
        let shown = tokio::task::spawn_blocking(move || spawn_command(command, Some(60_000)).unwrap().exp_eof());
        let shown = shown.await.unwrap().unwrap();
        assert!(shown.contains("Ready to migrate"), "{shown}");
        assert_eq!(settled(&shown).contains("\u{1b}["), coloured, "{environment:?}: {shown:?}");
    }
    // A file gets no colours, although stderr is a terminal.
    let (_, file) = parted(on_terminal("status", &[]), ">").await;
    assert!(file.contains("Ready to migrate"), "{file}");
    assert!(!file.contains('\u{1b}'), "{file}");
    let (shown, file) = parted(on_terminal("status", &[]), "2>").await;
    assert!(shown.contains("\u{1b}[") && !file.contains('\u{1b}'), "{shown}\n{file}");
    let (shown, file) = parted(on_terminal("status", &[("CLICOLOR_FORCE", "1")]), ">").await;
    assert!(file.contains("\u{1b}["), "{shown}\n{file}");

    // Names stay unchanged; nothing else requires UTF-8.
    for line in ["status", "check", "dry-run --preview", "activate --preview", "abort --remove --preview", "--help"] {
        for locale in ["C", "C.UTF-8"] {
            let mut command = scene.shell.command(line.split_whitespace());
            let done = command.env("LANG", locale).output().await.unwrap();
            let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
            assert!(text.lines().count() > 3, "{line}: {text}");
            let left = text.replace("会社の認証 🎉", "");
            assert!(locale == "C.UTF-8" || left.is_ascii(), "{line}: {left}");
        }
    }
}

#[tokio::test]
async fn quiet_prints_only_warnings_and_errors() {
    let scene = Scene::new(Behaviour::default().dry_run(Outcome::fail("the database is full"))).await;
    let prepared = scene.prepare_with(&["-q"], "secret\n").await.expect(0);
    assert_eq!(prepared.stderr, "");
    prepared.shows("https://auth.example.com/upstream/callback/");
    let done = scene.shell.run("dry-run --yes -q").await.expect(1);
    done.says("the database is full").says("the dry run failed");
    done.is_silent_about("operator started").is_silent_about("matrixAuthenticationService");
    assert_eq!(done.stdout, "");
    // A preview prints only the change.
    scene.shell.run("abort --remove --preview -q").await.expect(0).says("- config.active: false");
}
