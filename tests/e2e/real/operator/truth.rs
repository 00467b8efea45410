//! What really happened, by the playbook's own words, and whether a verdict agrees with it.

use ess_mas_sandbox::Result;
use serde_json::Value;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Good,
    Failed(String),
}

/// One run of the playbook.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name, which is in every message that it fails with.
    pub name: String,
    /// The resourceVersion of the object that it worked on.
    pub version: u64,
    /// That object's spec.
    pub spec: Value,
    /// Whether it wrote `status.mas_active`.
    pub reported: bool,
    /// `None`: it goes on, or was cut off.
    pub end: Option<End>,
}

/// All runs, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub runs: Vec<Run>,
}

impl Truth {
    /// Reads the playbook's words.
    pub fn read(text: &str) -> Result<Self> {
        let mut truth = Self::default();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line)?;
            let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            if word("what") == "started" {
                truth.runs.push(Run {
                    name: word("run"),
                    version: word("version").parse()?,
                    spec: line["spec"].clone(),
                    reported: false,
                    end: None,
                });
                continue;
            }
            let name = word("run");
            let run = truth.runs.iter_mut().find(|run| run.name == name).ok_or("a run that never started")?;
            match word("what").as_str() {
                "reported" => run.reported = true,
                "good" => run.end = Some(End::Good),
                _ => run.end = Some(End::Failed(word("message"))),
            }
        }
        Ok(truth)
    }

    /// The runs that say something about a write: they worked on an object that is not older, and that carried it.
    pub fn counting(&self, written: u64, carries: impl Fn(&Value) -> bool) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.version >= written && carries(&run.spec))
    }
}

impl Run {
    /// Whether a failure that the operator reported with this message was this run's.
    pub fn failed_with(&self, message: &str) -> bool {
        match &self.end {
            Some(End::Failed(own)) => {
                // The operator does not tell what a hidden task said.
                own == message || (message == "unknown playbook failure" && own.starts_with("a secret of"))
            }
            _ => false,
        }
    }
}
