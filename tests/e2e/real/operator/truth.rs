//! What the operator really did, from the playbook's log, and whether a verdict agrees with it.

use ess_mas_sandbox::Result;
use serde_json::Value;

/// How a reconcile ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Good,
    Failed(String),
}

/// One execution of the playbook.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name, which is in every message of its failures.
    pub name: String,
    /// The resourceVersion of the object that it reconciled.
    pub version: u64,
    /// The spec of that object.
    pub spec: Value,
    /// Whether it wrote `status.mas_active`.
    pub reported: bool,
    /// `None`: it is still running, or was killed.
    pub end: Option<End>,
}

/// All reconciles, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub runs: Vec<Run>,
}

impl Truth {
    /// Parses the playbook's log.
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

    /// The reconciles that count for a write: they reconciled an object that is at least as new and contains the write.
    pub fn counting(&self, written: u64, carries: impl Fn(&Value) -> bool) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.version >= written && carries(&run.spec))
    }
}

impl Run {
    /// Whether a failure that the operator reported with this message belongs to this reconcile.
    pub fn failed_with(&self, message: &str) -> bool {
        match &self.end {
            Some(End::Failed(own)) => {
                // The operator does not report the output of a hidden task.
                own == message || (message == "unknown playbook failure" && own.starts_with("a secret of"))
            }
            _ => false,
        }
    }
}
