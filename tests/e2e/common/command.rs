//! Runs the plugin with a cleared environment, a separate home and a time limit; the result is one value.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// No command of a test takes longer unless it hangs.
const LIMIT: Duration = Duration::from_mins(3);

/// A proxy that refuses immediately: nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// An environment for the plugin: a kubeconfig and a home.
pub struct Shell {
    kubeconfig: PathBuf,
    home: TempDir,
}

/// The result of a command.
#[must_use = "look at the exit code at least"]
pub struct Done {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    line: String,
}

impl Shell {
    /// An administrator's shell in a namespace.
    pub fn new(namespace: &Namespace<'_>) -> Self {
        Self::with_kubeconfig(&namespace.kubeconfig().expect("a kubeconfig"))
    }

    /// A shell of this user.
    pub fn with_kubeconfig(kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), home: TempDir::new().expect("a home") }
    }

    /// The home, which is also the working directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The directory of failure files.
    pub fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// The command, ready to be started.
    pub fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        // A shell starts background jobs, and `nohup` starts everything, with signals ignored; then no signal would end
        // the program.
        let mut command = Command::new("env");
        if cfg!(target_os = "linux") {
            command.arg("--default-signal=INT,QUIT");
        }
        command
            .arg(env!("CARGO_BIN_EXE_kubectl-ess_mas"))
            .args(words)
            .env_clear()
            .envs([ess_mas_sandbox::owner()])
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.state())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            // No request reaches a host outside the test, whatever DNS returns.
            .env("HTTPS_PROXY", NOWHERE)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .current_dir(self.home.path())
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The same on a pseudo-terminal, which provides the streams.
    #[cfg(unix)]
    pub fn on_terminal<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> std::process::Command {
        let mut command = self.command(words).into_std();
        command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit()).env("TERM", "xterm");
        command
    }

    /// Starts a command line in the background.
    pub fn start(&self, line: &str) -> Child {
        self.command(line.split_whitespace()).spawn().expect("the plugin starts")
    }

    /// Writes a file into the home and returns its name.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.home.path().join(name), content).expect("a file in the test's home");
        name.to_owned()
    }

    /// The failure files, oldest first.
    pub fn failure_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state().join("kubectl-ess-mas")).into_iter().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    /// Runs a command line; words are split at spaces.
    pub async fn run(&self, line: &str) -> Done {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>(), None).await
    }

    /// Runs a command with these arguments and this standard input.
    pub async fn run_words(&self, words: &[&str], input: Option<&str>) -> Done {
        let mut command = self.command(words);
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().expect("the plugin starts");
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            // A program that refuses before it reads closes its end first; its output is checked.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
        finish(child, words.join(" ")).await
    }
}

/// Waits until a started command ends. Kills one that hangs, and shows its output.
pub async fn finish(mut child: Child, line: String) -> Done {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(LIMIT, async {
        let read = async {
            if let Some(out) = &mut out {
                let _ = out.read_to_end(&mut stdout).await;
            }
        };
        let read_errors = async {
            if let Some(err) = &mut err {
                let _ = err.read_to_end(&mut stderr).await;
            }
        };
        let (status, (), ()) = tokio::join!(child.wait(), read, read_errors);
        status.expect("the plugin's end")
    })
    .await;
    let text = |bytes: Vec<u8>, name: &str| String::from_utf8(bytes).unwrap_or_else(|_| panic!("{name} is not UTF-8"));
    let code = ended.as_ref().ok().and_then(std::process::ExitStatus::code).unwrap_or(-1);
    let done = Done { code, stdout: text(stdout, "stdout"), stderr: text(stderr, "stderr"), line };
    assert!(ended.is_ok(), "it did not end within {LIMIT:?}\n{done}");
    done
}

impl Done {
    /// Asserts the exit code; shows the whole result if it differs.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(self.code == code, "exit code {} where {code} was expected\n{self}", self.code);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error})\n{self}"))
    }

    /// Standard output as YAML, in the same form as JSON.
    #[track_caller]
    pub fn yaml(&self) -> Value {
        serde_yaml::from_str(&self.stdout).unwrap_or_else(|error| panic!("no YAML ({error})\n{self}"))
    }

    /// The codes of a `check -o json` that are not ok, except for those that depend on DNS, whose results differ
    /// between machines.
    #[track_caller]
    pub fn open_findings(&self) -> Vec<String> {
        let report = self.json();
        let open = report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] != "ok");
        let codes = open.map(|one| one["code"].as_str().unwrap().to_owned());
        codes
            .filter(|code| !["mas-host-unresolved", "mas-reachable", "synapse-reachable"].contains(&code.as_str()))
            .collect()
    }

    /// Asserts that stdout contains a text.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "stdout does not show {text:?}\n{self}");
        self
    }

    /// Asserts that neither stream contains a text.
    #[track_caller]
    pub fn is_silent_about(&self, text: &str) -> &Self {
        let both = [&self.stdout, &self.stderr];
        assert!(!both.iter().any(|stream| stream.contains(text)), "{text:?} is somewhere in\n{self}");
        self
    }

    /// Asserts that stderr contains a text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "stderr does not say {text:?}\n{self}");
        self
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "$ kubectl ess-mas {}\n--- stdout\n{}--- stderr\n{}--- exit {}",
            self.line, self.stdout, self.stderr, self.code
        )
    }
}
