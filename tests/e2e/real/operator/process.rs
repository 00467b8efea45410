//! The operator as a process that can be killed and restarted.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ess_mas_sandbox::assets::target_directory;
use ess_mas_sandbox::{Result, Supervisor};
use serde_json::{Value, json};

use super::install::{self, Programs, Telling};
use super::truth::Truth;

/// The operator's fixed ports.
const PORTS: [u16; 2] = [8888, 5050];

/// How a reconcile of each kind ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Good,
    Fail,
    /// In a task whose output is hidden.
    Censored,
    /// After everything is done and reported.
    Late,
}

/// The behaviour of the playbook from the next reconcile on.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    pub seconds: f64,
    pub plain: Outcome,
    pub dry_run: Outcome,
    pub activation: Outcome,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { seconds: 1.0, plain: Outcome::Good, dry_run: Outcome::Good, activation: Outcome::Good }
    }
}

impl Behaviour {
    fn to_json(self) -> Value {
        let word = |outcome| match outcome {
            Outcome::Good => "good",
            Outcome::Fail => "fail",
            Outcome::Censored => "censored",
            Outcome::Late => "late",
        };
        json!({
            "seconds": self.seconds, "plain": word(self.plain), "rehearsal": word(self.dry_run),
            "activation": word(self.activation),
        })
    }
}

/// What is killed with the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Only its process: a started reconcile continues as far as it can.
    Alone,
    /// All of its child processes too, as when its container ends.
    WithItsRun,
}

/// One operator at a time on this machine. Dropping it ends all its processes.
pub struct RealOperator {
    supervisor: Supervisor,
    programs: Programs,
    kubeconfig: PathBuf,
    namespace: String,
    starts: usize,
    running: Option<u32>,
    // Dropped last, so that the next operator starts after this one has ended.
    _turn: File,
}

impl RealOperator {
    /// Waits for its turn, installs missing parts and starts; existing deployments are reconciled.
    pub fn start(kubeconfig: &Path, namespace: &str, behaviour: Behaviour, telling: Telling) -> Result<Self> {
        let programs = install::programs(telling)?;
        let turn = File::create(target_directory().join("ansible/turn"))?;
        turn.lock()?;
        let mut operator = Self {
            supervisor: Supervisor::start()?,
            programs,
            kubeconfig: kubeconfig.to_owned(),
            namespace: namespace.to_owned(),
            starts: 0,
            running: None,
            _turn: turn,
        };
        let playbook = install::here().join("project/playbook.yml");
        let watches = fs::read_to_string(install::here().join("project/watches.yaml"))?;
        fs::write(operator.file("watches.yaml"), watches.replace("PLAYBOOK", &playbook.to_string_lossy()))?;
        fs::write(operator.file("truth"), "")?;
        operator.set(behaviour)?;
        operator.resume()?;
        Ok(operator)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.supervisor.directory().join(name)
    }

    /// Changes the behaviour from the next stage of a reconcile on.
    pub fn set(&self, behaviour: Behaviour) -> Result<()> {
        // Replaced atomically, because the playbook may be reading it.
        fs::write(self.file("behaviour.new"), behaviour.to_json().to_string())?;
        Ok(fs::rename(self.file("behaviour.new"), self.file("behaviour"))?)
    }

    /// The playbook's log.
    pub fn truth(&self) -> Result<Truth> {
        Truth::read(&fs::read_to_string(self.file("truth"))?)
    }

    /// Restarts it after a kill.
    pub fn resume(&mut self) -> Result<()> {
        let limit = Instant::now() + Duration::from_secs(30);
        while let Some(port) = PORTS.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_err()) {
            if Instant::now() > limit {
                return Err(format!("port {port} of 127.0.0.1, which ansible-operator has built in, is taken").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.starts += 1;
        let name = format!("operator-{}", self.starts);
        let python = self.programs.python.join("bin/python3");
        let mut arguments: Vec<OsString> = Vec::new();
        // In a separate process group, so that its child processes can be ended with it.
        arguments.extend(["-c", "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"].map(Into::into));
        arguments.extend(["env", "-i"].map(Into::into));
        let mut path = self.programs.python.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        for (key, value) in [
            ("PATH", path),
            ("VIRTUAL_ENV", self.programs.python.clone().into()),
            ("HOME", self.supervisor.directory().into()),
            ("LANG", "C.UTF-8".into()),
            ("KUBECONFIG", self.kubeconfig.clone().into()),
            ("WATCH_NAMESPACE", self.namespace.clone().into()),
            ("ANSIBLE_LIBRARY", install::here().join("project/library").into()),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
            ("ESS_MAS_BEHAVIOUR", self.file("behaviour").into()),
            ("ESS_MAS_TRUTH", self.file("truth").into()),
        ] {
            let mut setting = OsString::from(key);
            setting.push("=");
            setting.push(value);
            arguments.push(setting);
        }
        arguments.push(self.programs.operator.clone().into());
        arguments.push("run".into());
        let mut watches = OsString::from("--watches-file=");
        watches.push(self.file("watches.yaml"));
        arguments.push(watches);
        arguments.extend(["--metrics-bind-address=0", "--health-probe-bind-address=0"].map(Into::into));
        self.supervisor.run(&name, &python, &arguments)?;
        self.running = Some(self.supervisor.pid(&name)?);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill(&mut self, kill: Kill) -> Result<()> {
        let Some(pid) = self.running.take() else { return Ok(()) };
        let of = if kill == Kill::Alone { pid.to_string() } else { format!("-{pid}") };
        let status = Command::new("kill").args(["-KILL", "--", &of]).status()?;
        if !status.success() {
            return Err(format!("the operator was gone already; its log ends with\n{}", self.log()).into());
        }
        Ok(())
    }

    /// The end of the log of the operator that was started last.
    pub fn log(&self) -> String {
        self.supervisor.log_tail(&format!("operator-{}", self.starts), 40)
    }
}

impl Drop for RealOperator {
    fn drop(&mut self) {
        let _ = self.kill(Kill::WithItsRun);
        // The operator's directory for the files of its reconciles; no other test uses this namespace.
        let runs = Path::new("/tmp/ansible-operator/runner/matrix.element.io/v1alpha2/ElementDeployment");
        let _ = fs::remove_dir_all(runs.join(&self.namespace));
    }
}
