//! The example's options.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;

pub const USAGE: &str = "\
Usage: cargo run --example sandbox -- [OPTIONS]

  --scenario NAME    Behaviour of the operator (default: all-goes-well):
                       all-goes-well         the dry run and the activation succeed
                       dry-run-fails         the first dry run fails, the second one succeeds
                       activation-fails      the first activation fails; after abort, the next one succeeds
                       censored-failure      the first dry run fails without a cause
                       slow                  every reconcile takes 20 seconds
                       operator-down         the operator does nothing; the commands time out
  --by-hand          Run no commands; print how to use the sandbox, until Enter or Ctrl-C
  --keep             Keep the sandbox running after the commands, until Enter or Ctrl-C
  --cluster CONTEXT  Use an existing test cluster; refused if it has ElementDeployments
  --help             Print this text
";

pub struct Options {
    pub scenario: Scenario,
    pub by_hand: bool,
    pub keep: bool,
    pub cluster: Option<String>,
}

/// Behaviour of the operator; see [`USAGE`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    AllGoesWell,
    DryRunFails,
    ActivationFails,
    CensoredFailure,
    Slow,
    OperatorDown,
}

const SCENARIOS: [(&str, Scenario); 6] = [
    ("all-goes-well", Scenario::AllGoesWell),
    ("dry-run-fails", Scenario::DryRunFails),
    ("activation-fails", Scenario::ActivationFails),
    ("censored-failure", Scenario::CensoredFailure),
    ("slow", Scenario::Slow),
    ("operator-down", Scenario::OperatorDown),
];

impl Options {
    /// Parses the command line; the error is the text to print.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { scenario: Scenario::AllGoesWell, by_hand: false, keep: false, cluster: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("error: {word} requires a value\n\n{USAGE}"));
            match word.as_str() {
                "--by-hand" => options.by_hand = true,
                "--keep" => options.keep = true,
                "--cluster" => options.cluster = Some(value()?),
                "--scenario" => {
                    let name = value()?;
                    let found = SCENARIOS.iter().find(|(known, _)| *known == name);
                    options.scenario = found
                        .map(|(_, scenario)| *scenario)
                        .ok_or_else(|| format!("error: unknown scenario {name:?}\n\n{USAGE}"))?;
                }
                "--help" | "-h" => return Err(USAGE.to_owned()),
                other => return Err(format!("error: unknown option {other:?}\n\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

impl Scenario {
    /// The stand-in operator's behaviour. A reconcile takes some seconds, so that its progress is visible.
    pub fn behaviour(self) -> Behaviour {
        let run = Duration::from_secs(if self == Self::Slow { 20 } else { 5 });
        let behaviour = Behaviour::default().lasting(run).reacting_after(Duration::from_millis(300)).with_workloads();
        let missing =
            "• Synapse config has `enable_3pid_changes` explicitly enabled, which must be disabled or removed.";
        let locked = "database error whilst locking Synapse table `users`: could not obtain lock on relation \"users\"";
        match self {
            Self::AllGoesWell | Self::Slow | Self::OperatorDown => behaviour,
            Self::DryRunFails => behaviour.dry_run(Script::times(1, &Outcome::fail(missing)).then(Outcome::Succeed)),
            Self::CensoredFailure => behaviour.dry_run(Script::times(1, &Outcome::FailCensored).then(Outcome::Succeed)),
            Self::ActivationFails => {
                behaviour.activation(Script::times(1, &Outcome::fail(locked)).then(Outcome::Succeed).by_switch())
            }
        }
    }
}
