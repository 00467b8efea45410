//! The work queue of controller-runtime: one reconcile of an object at a time; changes during it cause one more.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1000);

pub(crate) struct Queue<K> {
    ready: VecDeque<K>,
    /// Queued, not started.
    wanted: HashSet<K>,
    working: HashSet<K>,
    failures: HashMap<K, u32>,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self { ready: VecDeque::new(), wanted: HashSet::new(), working: HashSet::new(), failures: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// Queues a reconcile. Several calls before its start count as one; a call during a reconcile queues another one after it.
    pub(crate) fn add(&mut self, key: K) {
        if self.wanted.insert(key.clone()) && !self.working.contains(&key) {
            self.ready.push_back(key);
        }
    }

    /// The next object to reconcile, until [`Self::finish`].
    pub(crate) fn take(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        self.wanted.remove(&key);
        self.working.insert(key.clone());
        Some(key)
    }

    pub(crate) fn finish(&mut self, key: &K) {
        self.working.remove(key);
        if self.wanted.contains(key) {
            self.ready.push_back(key.clone());
        }
    }

    /// Counts a failure and returns the pause before the retry.
    pub(crate) fn back_off(&mut self, key: &K) -> Duration {
        let failures = self.failures.entry(key.clone()).or_default();
        let pause = FIRST_PAUSE.saturating_mul(1 << (*failures).min(30)).min(LONGEST_PAUSE);
        *failures += 1;
        pause
    }

    /// Resets the count after a success.
    pub(crate) fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_before_a_reconcile_count_as_one_and_one_during_it_starts_another() {
        let mut queue = Queue::default();
        queue.add('a');
        queue.add('a');
        assert_eq!(queue.take(), Some('a'));
        assert_eq!(queue.take(), None);
        queue.add('a');
        queue.add('a');
        assert_eq!(queue.take(), None, "an object has one reconcile at a time");
        queue.finish(&'a');
        assert_eq!(queue.take(), Some('a'));
        queue.finish(&'a');
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour_and_start_again_after_a_success() {
        let mut queue = Queue::default();
        let pauses: Vec<u128> = (0..20).map(|_| queue.back_off(&'a').as_millis()).collect();
        assert_eq!(pauses[..6], [5, 10, 20, 40, 80, 160]);
        assert_eq!(pauses[17], 655_360);
        assert_eq!(pauses[18..], [1_000_000, 1_000_000]);
        queue.forget(&'a');
        assert_eq!(queue.back_off(&'a').as_millis(), 5);
    }
}
