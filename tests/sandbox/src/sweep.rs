//! Sweeps: a test runs a part of many cases, selected by a seed.
//!
//! `ESS_MAS_SWEEP` is the share in percent; more than 100 is possible for generated cases. `ESS_MAS_SEED` repeats an earlier selection.
//! Each run prints both.

use std::env;
use std::process;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::random::Rng;

const SHARE: &str = "ESS_MAS_SWEEP";
const SEED: &str = "ESS_MAS_SEED";
const DEFAULT_SHARE: u64 = 5;

/// The share of a sweep, and its seed.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    percent: usize,
    seed: u64,
}

impl Sweep {
    /// The values of the environment variables, or a small share and a random seed; the same for all tests of a process.
    ///
    /// # Panics
    /// If a variable is not a number.
    pub fn from_environment() -> Self {
        static SWEEP: OnceLock<Sweep> = OnceLock::new();
        let sweep = *SWEEP.get_or_init(|| Self {
            percent: number(SHARE).unwrap_or(DEFAULT_SHARE).try_into().expect("a small number"),
            seed: number(SEED).unwrap_or_else(fresh),
        });
        println!("{SHARE}={} {SEED}={} repeats this", sweep.percent, sweep.seed);
        sweep
    }

    /// The seed for generated cases.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The share of this number; at least one.
    pub fn share_of(&self, all: usize) -> usize {
        (all * self.percent).div_ceil(100).max(1)
    }

    /// The share of these cases, in their order.
    pub fn sample<T>(&self, cases: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut cases: Vec<(usize, T)> = cases.into_iter().enumerate().collect();
        let mut rng = Rng::new(self.seed);
        for _ in self.share_of(cases.len()).min(cases.len())..cases.len() {
            cases.swap_remove(rng.below(cases.len()));
        }
        cases.sort_by_key(|(place, _)| *place);
        cases.into_iter().map(|(_, case)| case).collect()
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// A random seed for each process.
fn fresh() -> u64 {
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    u64::from(nanoseconds ^ process::id().rotate_left(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_chooses_the_same_part_every_time_and_another_seed_another() {
        let part = |percent, seed| Sweep { percent, seed }.sample(0..200);
        assert_eq!(part(10, 7).len(), 20);
        assert_eq!(part(10, 7), part(10, 7));
        assert_ne!(part(10, 7), part(10, 8));
        assert!(part(10, 7).is_sorted());
        assert_eq!(part(100, 7), (0..200).collect::<Vec<_>>());
        assert_eq!(part(300, 7).len(), 200);
        assert_eq!(Sweep { percent: 300, seed: 7 }.share_of(50), 150);
        assert_eq!(Sweep { percent: 1, seed: 7 }.share_of(3), 1);
    }
}
