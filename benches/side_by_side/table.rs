//! The printed table.

use std::fmt::Write as _;
use std::fs;

use crate::measure::Series;

/// One line.
pub struct Row {
    pub what: String,
    pub ours: String,
    pub against: String,
    pub theirs: String,
    pub ratio: String,
    pub goal: &'static str,
    /// Whether the goal is reached; `None` without a goal.
    pub reached: Option<bool>,
}

/// The goal of a comparison.
pub struct Goal {
    pub text: &'static str,
    /// The smallest ratio of the times.
    pub faster: f64,
    /// The largest ratio of the memory.
    pub memory: f64,
}

impl Row {
    /// Time and memory of two programs.
    pub fn compared(
        what: impl Into<String>,
        against: &str,
        (ours, theirs): &(Series, Series),
        goal: Option<Goal>,
    ) -> Self {
        let ((wall, cpu, peak), (their_wall, their_cpu, their_peak)) = (ours.medians(), theirs.medians());
        let cell = |wall: f64, cpu: f64, peak: f64| format!("{wall:.1} ms ({cpu:.1} ms CPU), {peak:.1} MiB");
        Self {
            what: what.into(),
            ours: cell(wall, cpu, peak),
            against: against.to_owned(),
            theirs: cell(their_wall, their_cpu, their_peak),
            ratio: format!(
                "{:.1}× faster ({:.1}× in CPU), {:.2} of the memory",
                their_wall / wall,
                their_cpu / cpu,
                peak / their_peak
            ),
            reached: goal.as_ref().map(|goal| their_wall / wall >= goal.faster && peak / their_peak <= goal.memory),
            goal: goal.map_or("", |goal| goal.text),
        }
    }
}

/// As Markdown.
pub fn print(rows: &[Row]) {
    let mut text = String::from(
        "| What | This program | Compared with | | Ratio | Goal |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let mark = match row.reached {
            Some(true) => " – reached",
            Some(false) => " – **missed**",
            None => "",
        };
        let Row { what, ours, against, theirs, ratio, goal, .. } = row;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {what} | {ours} | {against} | {theirs} | {ratio} | {goal}{mark} |");
    }
    println!("\n{text}");
}

/// A line about the machine and its load.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{cores} cores ({}), {} GiB, {} {}, load {} before it began",
        model.unwrap_or("of an unknown kind"),
        memory.div_ceil(1024 * 1024),
        std::env::consts::OS,
        std::env::consts::ARCH,
        load.split_whitespace().next().unwrap_or("unknown")
    )
}
