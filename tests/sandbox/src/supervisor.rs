//! Processes and files that are removed with their owner, however it ends.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Result;

/// A temporary directory and the processes started in it. When this value is dropped, or its process ends in any way, the processes
/// are killed and the directory is removed.
///
/// A shell script in its own process group, which Ctrl-C does not reach, waits for the end of its standard input and does that.
pub struct Supervisor {
    script: Child,
    directory: PathBuf,
}

/// An environment variable for programs that a test starts. Those that remain when this process ends are killed, on Linux.
pub fn owner() -> (&'static str, String) {
    ("ESS_MAS_SANDBOX_OWNER", format!("for-process-{}", std::process::id()))
}

impl Supervisor {
    /// Starts the script; the directory exists when this returns.
    pub fn start() -> Result<Self> {
        let mut script = Command::new("sh")
            .args(["-c", include_str!("supervisor.sh"), "ess-mas-sandbox-supervisor"])
            // The owner, visible in the list of processes.
            .arg(owner().1)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A reader of our standard error must not wait for the script.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start `sh`, which looks after the test servers: {error}"))?;
        let mut line = String::new();
        if let Some(output) = script.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let directory = PathBuf::from(line.trim_end_matches('\n'));
        if !directory.is_dir() {
            return Err("cannot create a temporary directory for the test servers; is TMPDIR writable?".into());
        }
        Ok(Self { script, directory })
    }

    /// Readable by its owner only, as `mktemp -d` creates it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts a program under a name that is unique in this directory; its output goes to `NAME.log`.
    pub fn run(&mut self, name: &str, program: &Path, arguments: &[OsString]) -> Result<()> {
        let mut line = format!("exec {}", quote(&program.to_string_lossy()));
        for argument in arguments {
            write!(line, " {}", quote(&argument.to_string_lossy()))?;
        }
        fs::write(self.file(name, "sh"), line)?;
        let input = self.script.stdin.as_mut().ok_or("the supervisor has no input")?;
        writeln!(input, "{name}")?;
        input.flush()?;
        Ok(())
    }

    /// The process ID of a started program.
    pub fn pid(&self, name: &str) -> Result<u32> {
        // Another process writes it.
        for _ in 0..500 {
            if let Ok(text) = fs::read_to_string(self.file(name, "pid")) {
                return Ok(text.trim().parse()?);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Err(format!("`{name}` was not started").into())
    }

    /// The exit code of a program that has ended; `None` while it runs.
    pub fn exit_code(&self, name: &str) -> Option<String> {
        let code = fs::read_to_string(self.file(name, "exit")).ok()?;
        let code = code.trim();
        (!code.is_empty()).then(|| code.to_owned())
    }

    /// The last lines of a program's output.
    pub fn log_tail(&self, name: &str, lines: usize) -> String {
        let log = fs::read(self.file(name, "log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{name}.{extension}"))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        // Wait, so that the processes have ended when the value is dropped.
        let _ = self.script.wait();
    }
}

/// Quotes a word for the shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_program_unchanged() {
        for word in ["plain", "two words", "it's", "$HOME `id` \\ \"", "*", ""] {
            let output = Command::new("sh").args(["-c", &format!("printf %s {}", quote(word))]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }

    #[test]
    fn dropping_ends_the_processes_and_removes_the_directory() {
        let mut supervisor = Supervisor::start().unwrap();
        let directory = supervisor.directory().to_owned();
        supervisor.run("sleeper", Path::new("sleep"), &["1000".into()]).unwrap();
        supervisor.run("ended", Path::new("sh"), &["-c".into(), "echo said; exit 7".into()]).unwrap();
        while supervisor.exit_code("ended").is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(supervisor.exit_code("ended").as_deref(), Some("7"));
        assert_eq!(supervisor.log_tail("ended", 5), "said");
        assert_eq!(supervisor.exit_code("sleeper"), None);
        let pid = fs::read_to_string(directory.join("sleeper.pid")).unwrap();
        drop(supervisor);
        assert!(!directory.exists());
        let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().unwrap();
        assert!(!alive.success(), "process {pid} is still there");
    }

    #[test]
    fn a_process_that_was_only_just_started_is_not_missed() {
        for _ in 0..10 {
            let mut supervisor = Supervisor::start().unwrap();
            for name in ["a", "b", "c"] {
                supervisor.run(name, Path::new("sleep"), &["30".into()]).unwrap();
            }
            let begin = std::time::Instant::now();
            drop(supervisor);
            assert!(begin.elapsed().as_secs() < 20, "the supervisor waited for a process that it should have ended");
        }
    }

    /// SIGPIPE must not kill the script before it has removed the directory.
    #[test]
    fn holder_killed_before_it_knows_the_directory_leaves_none() {
        let outer = Supervisor::start().unwrap();
        let temporary = outer.directory().join("temporary");
        fs::create_dir(&temporary).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut script = Command::new("sh");
        script.args(["-c", include_str!("supervisor.sh")]).env("TMPDIR", &temporary);
        script.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null()).status().unwrap();
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    }
}
