//! Measures a process: time, processor time and peak memory.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ess_mas_sandbox::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// Makes this program run another one and report its resource usage. A new process for each, because the system reports the sum and
/// the maximum over all children.
pub const MEASURE: &str = "--measure-one";

/// A program and its environment.
#[derive(Clone)]
pub struct Program {
    pub path: PathBuf,
    pub home: PathBuf,
    pub kubeconfig: PathBuf,
    /// `HTTPS_PROXY`.
    pub proxy: Option<String>,
}

/// The resource usage of a process.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// Peak memory in KiB.
    pub peak: u64,
}

/// Several measurements.
#[derive(Clone, Default)]
pub struct Series(Vec<Cost>);

impl Series {
    pub fn add(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    /// The median of each value, in milliseconds and MiB.
    pub fn medians(&self) -> (f64, f64, f64) {
        let of = |figure: &dyn Fn(&Cost) -> f64| median(self.0.iter().map(figure).collect());
        (
            of(&|cost| cost.wall.as_secs_f64() * 1000.0),
            of(&|cost| cost.cpu.as_secs_f64() * 1000.0),
            of(&|cost| mebibytes(cost.peak)),
        )
    }

    /// The mean time, for random durations: a median would hide the long ones.
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.0.iter().map(|cost| cost.wall.as_secs_f64() * 1000.0).sum();
        sum / f64::from(u32::try_from(self.0.len().max(1)).unwrap_or(1))
    }
}

/// The median.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// KiB in MiB.
#[expect(clippy::cast_precision_loss, reason = "nobody's memory has 2^52 KiB")]
pub fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

impl Program {
    /// The same with another kubeconfig.
    pub fn with(&self, kubeconfig: &std::path::Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), ..self.clone() }
    }

    fn environment(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("XDG_STATE_HOME", self.home.join("state"))
            .env("KUBECONFIG", &self.kubeconfig)
            .envs(self.proxy.as_ref().map(|proxy| ("HTTPS_PROXY", proxy)))
            .current_dir(&self.home)
            .stdin(Stdio::null());
    }

    /// The command without output.
    pub fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.path);
        self.environment(&mut command);
        command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it; an error if it fails.
    pub fn run(&self, words: &[&str]) -> Result<()> {
        let output = self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{} {} ended with {}: {said}", self.path.display(), words.join(" "), output.status).into())
    }

    /// Runs it once and measures that.
    pub fn measure(&self, words: &[&str]) -> Result<Cost> {
        let mut command = Command::new(std::env::current_exe()?);
        self.environment(&mut command);
        cost(command, self.path.as_os_str(), words)
    }
}

/// Runs a program in the environment of this one and measures that.
pub fn measure_here(program: &OsStr, words: &[&str]) -> Result<Cost> {
    cost(Command::new(std::env::current_exe()?), program, words)
}

fn cost(mut measuring: Command, program: &OsStr, words: &[&str]) -> Result<Cost> {
    let output = measuring.arg(MEASURE).arg(program).args(words).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, cpu, peak, code] = numbers[..] else {
        return Err(format!("{} could not be measured", program.display()).into());
    };
    if code != 0 {
        return Err(format!("{} {} ended with {code}", program.display(), words.join(" ")).into());
    }
    Ok(Cost { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), peak })
}

/// Runs two programs alternately, so that the load of the machine affects both alike.
pub fn by_turns(runs: usize, ours: (&Program, &[&str]), theirs: (&Program, &[&str])) -> Result<(Series, Series)> {
    // Warm caches, as from the second call on.
    ours.0.measure(ours.1)?;
    theirs.0.measure(theirs.1)?;
    let (mut first, mut second) = (Series::default(), Series::default());
    for _ in 0..runs {
        first.add(ours.0.measure(ours.1)?);
        second.add(theirs.0.measure(theirs.1)?);
    }
    Ok((first, second))
}

/// This program as the measuring process.
pub fn measured(words: &[OsString]) -> ExitCode {
    let measure = || -> io::Result<String> {
        let (program, words) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let begun = Instant::now();
        let status = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        let wall = begun.elapsed();
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Ok(format!("{} {cpu} {} {}", wall.as_micros(), usage.max_rss(), status.code().unwrap_or(255)))
    };
    match measure() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
