//! Completion through a real kubectl, in a real bash, with any behaviour of the network.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use rexpect::session::spawn_command;
use tempfile::TempDir;

use crate::common::scene::Scene;

/// A PATH with kubectl, the plugin and its completion helper, as installed.
struct Installed {
    folder: TempDir,
    kubeconfig: PathBuf,
}

impl Installed {
    fn new(kubeconfig: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/kubectl_complete-ess_mas");
        let programs = [
            ("kubectl", Client::Kubectl.program().unwrap()),
            ("kubectl-ess_mas", env!("CARGO_BIN_EXE_kubectl-ess_mas").into()),
            ("kubectl_complete-ess_mas", helper),
        ];
        for (name, program) in programs {
            symlink(program, folder.path().join(name)).unwrap();
        }
        Self { folder, kubeconfig: kubeconfig.to_owned() }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        command
            .env_clear()
            .envs([ess_mas_sandbox::owner()])
            .env("PATH", path)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder.path());
        command.env("TERM", "dumb").env("LANG", "C.UTF-8").stdin(Stdio::null());
        command
    }

    fn kubectl(&self, words: &[&str]) -> Output {
        self.command(self.folder.path().join("kubectl").to_str().unwrap()).args(words).output().unwrap()
    }

    /// The same, repeated until the cluster responds in time, for a busy machine.
    fn offers_live(&self, words: &[&str]) -> Vec<String> {
        let tries = (0..20).map(|_| self.offers(words).0);
        tries.into_iter().find(|offers| !offers.is_empty()).unwrap_or_default()
    }

    /// The completions of kubectl at the end of `kubectl ess-mas …`, and its last line.
    fn offers(&self, words: &[&str]) -> (Vec<String>, String) {
        let done = self.kubectl(&[&["__complete", "ess-mas"], words].concat());
        let text = String::from_utf8(done.stdout).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let directive = lines.pop().unwrap_or_default();
        (lines.iter().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect(), directive)
    }

    /// Runs the helper itself.
    fn helper(&self, words: &[&str]) -> (Output, Duration) {
        let begun = Instant::now();
        let done = self.command("kubectl_complete-ess_mas").args(words).output().unwrap();
        (done, begun.elapsed())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn kubectl_calls_the_plugin_by_both_names_and_passes_everything_through() {
    let scene = Scene::new(Behaviour::default()).await;
    let installed = Installed::new(&scene.namespace.kubeconfig().unwrap());
    for name in ["ess-mas", "ess_mas"] {
        let done = installed.kubectl(&[name, "status", "-o", "json"]);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        assert!(text(&done.stdout).contains("\"chat-of-ours\""), "{done:?}");
        let done = installed.kubectl(&[name, "status", "--tokn"]);
        assert_eq!(done.status.code(), Some(2));
        assert!(text(&done.stderr).contains("Usage: kubectl ess-mas status [NAME] [flags]"), "{done:?}");
    }
    // The same words and exit code if it is called by its path.
    for (words, code) in [(&["dry-run", "--yes", "--accept", "no-such-code"][..], 2), (&[], 2), (&["activate", "x"], 1)]
    {
        let by_path = installed.command(env!("CARGO_BIN_EXE_kubectl-ess_mas")).args(words).output().unwrap();
        let done = installed.kubectl(&[&["ess-mas"], words].concat());
        assert_eq!((done.status.code(), done.stdout.len()), (Some(code), 0), "{done:?}");
        assert_eq!((by_path.status.code(), text(&by_path.stderr)), (Some(code), text(&done.stderr)));
    }
}

#[tokio::test]
async fn kubectl_completes_commands_flags_values_and_live_names() {
    let scene = Scene::new(Behaviour::default()).await;
    let installed = Installed::new(&scene.namespace.kubeconfig().unwrap());
    let namespace = scene.namespace.name();
    let no_files = ":4".to_owned();
    assert_eq!(installed.offers(&["act"]), (vec!["activate".to_owned()], no_files.clone()));
    assert_eq!(installed.offers(&["dry-run", "--via"]), (vec!["--via-owner".to_owned()], no_files.clone()));
    assert_eq!(installed.offers(&["status", "-o", "j"]), (vec!["json".to_owned()], no_files.clone()));
    assert_eq!(installed.offers_live(&["status", ""]), ["chat-of-ours"]);
    assert_eq!(installed.offers_live(&["status", "-n", namespace]), [namespace]);
    // The namespace on the command line has priority over the context's.
    assert_eq!(installed.offers(&["status", "-n", "kube-system", ""]), (vec![], no_files));
    let (contexts, _) = installed.offers(&["--context", ""]);
    assert!(!contexts.is_empty());
    assert_eq!(installed.offers(&["check", "--kubeconfig", ""]).1, ":0", "files are the shell's business");
    let (_, took) = installed.helper(&["status", ""]);
    println!("a live name after {} ms", took.as_millis());
}

/// Errors and waits must not disturb a command line.
#[test]
fn completion_failures_are_silent_and_quick() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = TempDir::new().unwrap();
    let kubeconfig = |name: &str, server: &str, user: &str| {
        let path = folder.path().join(name);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\nusers: [{{name: u, user: {user}}}]\n"
        );
        fs::write(&path, text).unwrap();
        path
    };
    let plugin = folder.path().join("login-helper");
    fs::write(&plugin, "#!/bin/sh\necho 'Please log in:' >&2\nread answer || echo 'nobody there' >&2\nexec sleep 30\n")
        .unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
    let silent = format!("https://{}", listener.local_addr().unwrap());
    let asks = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: IfAvailable}}}}",
        plugin.display()
    );
    let broken = folder.path().join("broken");
    fs::write(&broken, "{{{").unwrap();
    for (what, path) in [
        ("a server that never answers", kubeconfig("silent", &silent, "{}")),
        ("nobody there", kubeconfig("closed", "https://127.0.0.1:1", "{}")),
        ("a login helper that asks", kubeconfig("asks", &silent, &asks)),
        ("a broken kubeconfig", broken),
        ("none", folder.path().join("absent")),
    ] {
        let installed = Installed::new(&path);
        for words in
            [&["status", ""][..], &["status", "-n", ""], &["--context", "x"], &["status", "--context", "absent", ""]]
        {
            let (done, took) = installed.helper(words);
            println!("{what}, {words:?}: {} ms", took.as_millis());
            assert_eq!(
                (done.status.code(), text(&done.stdout), text(&done.stderr)),
                (Some(0), ":4\n".to_owned(), String::new())
            );
            // Half a second on an idle machine; a hang would take ten seconds.
            assert!(took < Duration::from_secs(4), "{what}: {took:?}");
        }
    }
}

#[tokio::test]
async fn tab_works_in_a_real_bash_by_way_of_kubectl() {
    let scene = Scene::new(Behaviour::default()).await;
    let installed = Installed::new(&scene.namespace.kubeconfig().unwrap());
    // The two functions of the package bash-completion that kubectl's script calls.
    let set_up = "_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}; \
                  words=(\"${COMP_WORDS[@]}\"); cword=$COMP_CWORD; }\n__ltrim_colon_completions() { :; }\n\
                  source <(kubectl completion bash)\n";
    fs::write(installed.folder.path().join("set-up"), set_up).unwrap();
    let typed = "stty echo; source \"$HOME/set-up\"; PS1='rea''dy> '\n";
    dialogue(
        &installed,
        typed,
        &[("kubectl ess-mas act\t", "activate "), ("ch\t", "chat-of-ours"), ("--wa\t", "--wait")],
    );
}

#[tokio::test]
async fn the_script_for_the_programs_own_name_works_in_a_real_bash() {
    let scene = Scene::new(Behaviour::default()).await;
    let installed = Installed::new(&scene.namespace.kubeconfig().unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/kubectl-ess_mas.bash");
    let typed = format!("stty echo; source '{}'; PS1='rea''dy> '\n", script.display());
    dialogue(
        &installed,
        &typed,
        &[("kubectl-ess_mas act\t", "activate "), ("--prev\t", "--preview "), ("-o js\t", "json")],
    );
}

/// Types into a bash, and waits for the output after each Tab.
fn dialogue(installed: &Installed, set_up: &str, steps: &[(&str, &str)]) {
    let mut bash = installed.command("/bin/bash");
    bash.args(["--norc", "--noprofile", "-i"]).stdin(Stdio::inherit());
    let mut session = spawn_command(bash, Some(20_000)).unwrap();
    session.send(set_up).unwrap();
    session.flush().unwrap();
    session.exp_string("ready> ").unwrap();
    for (keys, comes_back) in steps {
        session.send(keys).unwrap();
        session.flush().unwrap();
        session
            .exp_string(comes_back)
            .unwrap_or_else(|error| panic!("{keys:?} is not completed to {comes_back:?}: {error}"));
        session.send(" ").unwrap();
    }
}
