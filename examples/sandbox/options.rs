//! The example's own few options.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;

/// How to use it.
pub const USAGE: &str = "\
Usage: cargo run --example sandbox -- [OPTIONS]

  --scenario NAME    how the operator behaves (default: all-goes-well):
                       all-goes-well         both steps succeed
                       dry-run-fails         the first rehearsal fails, the second one passes
                       activation-fails      the first activation fails; after abort, the next one succeeds
                       censored-failure      the first rehearsal fails without saying why
                       slow                  every run takes 20 seconds
                       operator-down         the operator does nothing; the commands give up waiting
  --by-hand          do not walk; print how to reach it, and leave the way to you
  --keep             leave everything up afterwards and print how to reach it, until Enter or Ctrl-C
  --cluster CONTEXT  use a throw-away cluster that is there already; refused if it has ElementDeployments of its own
  --help             this text
";

/// What was asked for.
pub struct Options {
    /// The operator's behaviour.
    pub scenario: Scenario,
    /// `--by-hand`.
    pub by_hand: bool,
    /// `--keep`.
    pub keep: bool,
    /// `--cluster`.
    pub cluster: Option<String>,
}

/// A way things can go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Both steps succeed.
    AllGoesWell,
    /// The first rehearsal fails.
    DryRunFails,
    /// The first migration fails.
    ActivationFails,
    /// The first rehearsal fails without a message.
    CensoredFailure,
    /// Everything takes long.
    Slow,
    /// Nothing ever happens.
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
    /// Reads the command line; the error is what to print.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { scenario: Scenario::AllGoesWell, by_hand: false, keep: false, cluster: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n\n{USAGE}"));
            match word.as_str() {
                "--by-hand" => options.by_hand = true,
                "--keep" => options.keep = true,
                "--cluster" => options.cluster = Some(value()?),
                "--scenario" => {
                    let name = value()?;
                    let found = SCENARIOS.iter().find(|(known, _)| *known == name);
                    options.scenario = found
                        .map(|(_, scenario)| *scenario)
                        .ok_or_else(|| format!("there is no scenario {name:?}\n\n{USAGE}"))?;
                }
                "--help" | "-h" => return Err(USAGE.to_owned()),
                other => return Err(format!("there is no option {other:?}\n\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

impl Scenario {
    /// What the stand-in operator is told. A run takes some seconds, so that a person sees something.
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
