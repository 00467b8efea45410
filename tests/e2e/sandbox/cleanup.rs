//! No process and no file remains, however the owner of a control plane ends.
//!
//! Each test starts this binary again as a process that holds servers, ends it in one way, and lists the remaining
//! processes and the files in its temporary directory. A supervisor treats an idle program like a control plane, which
//! takes seconds to start.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ess_mas_sandbox::Supervisor;
use ess_mas_sandbox::prelude::*;

/// Tells [`holder`] what to hold and how to end.
const HOLD: &str = "ESS_MAS_SANDBOX_HOLD";
const END: &str = "ESS_MAS_SANDBOX_END";
/// In a static, like the shared sandbox, so that no destructor runs.
static HELD: OnceLock<Held> = OnceLock::new();

enum Held {
    ControlPlane(Box<ControlPlane>),
    Idle(Supervisor),
}

impl Held {
    fn start(what: &str) -> Self {
        if what == CONTROL_PLANE[0] {
            return Self::ControlPlane(Box::new(ControlPlane::start().unwrap()));
        }
        let mut supervisor = Supervisor::start().unwrap();
        let file = supervisor.directory().join("nothing");
        fs::write(&file, "").unwrap();
        supervisor.run(IDLE[0], Path::new("tail"), &["-f".into(), file.into()]).unwrap();
        supervisor.pid(IDLE[0]).unwrap();
        if cfg!(target_os = "linux") {
            // A program that a test started itself.
            let (name, owner) = ess_mas_sandbox::owner();
            let mut program = Command::new("sh");
            program.args(["-c", "sh -c 'sleep 600; :' \"$0\" \"$1\" &", &owner, OWN]).env(name, &owner);
            assert!(program.process_group(0).stdout(Stdio::null()).status().unwrap().success());
        }
        Self::Idle(supervisor)
    }

    fn directory(&self) -> &Path {
        match self {
            Self::ControlPlane(held) => held.directory(),
            Self::Idle(held) => held.directory(),
        }
    }
}

/// The held object, and the text that identifies its processes.
const CONTROL_PLANE: &[&str] = &["kube-apiserver", "etcd", "for-process-"];
const IDLE: &[&str] = &["tail", "for-process-", if cfg!(target_os = "linux") { OWN } else { "tail" }];
const OWN: &str = "started-by-a-test";

#[test]
#[ignore = "started by the tests of this file as a process of its own"]
fn holder() {
    let Ok(end) = std::env::var(END) else { return };
    let held = HELD.get_or_init(|| Held::start(&std::env::var(HOLD).unwrap()));
    println!("\nready {}", held.directory().display());
    match end.as_str() {
        "return" => {}
        "panic" => panic!("as it was told to"),
        "exit" => std::process::exit(3),
        _ => sleep(Duration::from_mins(10)),
    }
}

#[test]
fn nothing_is_left_after_the_tests_are_over() {
    Holder::start(IDLE, "return").leaves_nothing(|holder| assert!(holder.wait()));
}

#[test]
fn nothing_is_left_after_a_panic() {
    Holder::start(IDLE, "panic").leaves_nothing(|holder| assert!(!holder.wait()));
}

#[test]
fn nothing_is_left_after_an_exit_that_runs_no_destructor() {
    Holder::start(IDLE, "exit").leaves_nothing(|holder| assert!(!holder.wait()));
}

#[test]
fn nothing_is_left_after_ctrl_c() {
    // A terminal sends the signal to every process of the group.
    Holder::start(IDLE, "wait")
        .shows_its_processes()
        .leaves_nothing(|holder| kill("-INT", &format!("-{}", holder.child.id())));
}

#[test]
fn nothing_is_left_after_the_process_is_killed() {
    let holder = Holder::start(CONTROL_PLANE, "wait").shows_its_processes();
    holder.leaves_nothing(|holder| kill("-KILL", &holder.child.id().to_string()));
}

#[test]
fn nothing_is_left_after_the_whole_group_is_killed() {
    // Like `timeout` and CI systems.
    let holder = Holder::start(IDLE, "wait").shows_its_processes();
    holder.leaves_nothing(|holder| kill("-KILL", &format!("-{}", holder.child.id())));
}

#[test]
fn nothing_is_left_when_the_process_is_killed_while_the_servers_start() {
    for milliseconds in [0, 10, 20, 40, 300, 1000] {
        let mut holder = Holder::spawn(CONTROL_PLANE, "wait");
        sleep(Duration::from_millis(milliseconds));
        kill("-KILL", &holder.child.id().to_string());
        holder.wait();
        holder.assert_nothing_is_left();
    }
}

struct Holder {
    held: &'static [&'static str],
    child: Child,
    /// Kept open: a test harness that cannot print its summary fails.
    output: BufReader<ChildStdout>,
    temporary: PathBuf,
}

impl Holder {
    fn spawn(held: &'static [&'static str], end: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // The shared sandbox has built the programs, so the holder doesn't. Files of a failed test are deleted with the
        // shared sandbox's directory.
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = Sandbox::shared().directory().join(format!("holder-{number}"));
        fs::create_dir(&temporary).unwrap();
        // A shell starts background jobs, and `nohup` starts everything, with signals ignored; an ignored SIGINT ends
        // no process.
        let mut child = Command::new("env")
            .arg("--default-signal=INT")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "sandbox::cleanup::holder", "--ignored", "--nocapture"])
            .env(HOLD, held[0])
            .env(END, end)
            .env("TMPDIR", &temporary)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { held, child, output, temporary }
    }

    fn start(held: &'static [&'static str], end: &str) -> Self {
        let mut holder = Self::spawn(held, end);
        let lines = holder.output.by_ref().lines();
        let directory = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ready ").map(PathBuf::from));
        assert!(directory.is_some_and(|one| one.starts_with(&holder.temporary)), "the holder did not start");
        holder
    }

    fn leaves_nothing(mut self, end: impl FnOnce(&mut Self)) {
        end(&mut self);
        self.wait();
        self.assert_nothing_is_left();
    }

    /// Proves that the search finds existing processes.
    fn shows_its_processes(self) -> Self {
        let processes = self.processes();
        for part in self.held {
            assert!(processes.iter().any(|line| line.contains(part)), "{part} is not among {processes:?}");
        }
        assert!(!self.temporary_is_empty());
        self
    }

    fn wait(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    fn temporary_is_empty(&self) -> bool {
        fs::read_dir(&self.temporary).unwrap().next().is_none()
    }

    /// The two servers, whose arguments contain the directory, and the supervisor with its two waiting subshells, whose
    /// arguments contain the holder's ID.
    fn processes(&self) -> Vec<String> {
        let output = Command::new("ps").args(["-A", "-o", "pid=", "-o", "args="]).output().unwrap();
        let marks = [self.temporary.display().to_string(), format!("for-process-{}", self.child.id())];
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| marks.iter().any(|mark| line.contains(mark))).map(str::to_owned).collect()
    }

    fn assert_nothing_is_left(&self) {
        let begin = Instant::now();
        while !self.processes().is_empty() || !self.temporary_is_empty() {
            let left = fs::read_dir(&self.temporary).unwrap().count();
            assert!(begin.elapsed() < Duration::from_secs(20), "left: {left} files and {:?}", self.processes());
            sleep(Duration::from_millis(50));
        }
        fs::remove_dir(&self.temporary).unwrap();
    }
}

fn kill(signal: &str, target: &str) {
    assert!(Command::new("kill").args([signal, "--", target]).status().unwrap().success());
}
