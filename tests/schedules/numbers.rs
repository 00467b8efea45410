//! Counts over many schedules, and the table that the README quotes.

use super::play::{Played, Said};

/// What one rule said over all schedules.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    done: u64,
    done_falsely: u64,
    failed: u64,
    overtaken: u64,
    gone: u64,
    nothing: u64,
}

impl Tally {
    fn add(&mut self, said: Said) {
        match said {
            Said::Done => self.done += 1,
            Said::DoneFalsely => self.done_falsely += 1,
            Said::Failed => self.failed += 1,
            Said::Overtaken => self.overtaken += 1,
            Said::Gone => self.gone += 1,
            Said::Nothing => self.nothing += 1,
        }
    }

    fn fields(&mut self) -> [&mut u64; 6] {
        [
            &mut self.done,
            &mut self.done_falsely,
            &mut self.failed,
            &mut self.overtaken,
            &mut self.gone,
            &mut self.nothing,
        ]
    }

    fn line(mut self, rule: &str) -> String {
        let all: u64 = self.fields().iter().map(|field| **field).sum();
        let said = self.done + self.done_falsely;
        let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
        format!(
            "| {rule} | {said} | {} ({:.1} %) | {} | {} | {:.1} % |",
            self.done_falsely,
            percent(self.done_falsely, said),
            self.failed,
            self.overtaken + self.gone,
            percent(self.nothing, all),
        )
    }
}

/// The counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    schedules: u64,
    empty: u64,
    owed: u64,
    unproven: u64,
    ours: Tally,
    naive: [Tally; 2],
}

impl Numbers {
    /// Counts one schedule; `None` is one without anything to follow.
    pub(crate) fn add(&mut self, played: Option<Played>) {
        let Some(played) = played else {
            self.empty += 1;
            return;
        };
        self.schedules += 1;
        self.owed += u64::from(played.owed);
        self.unproven += u64::from(played.unproven);
        self.ours.add(played.ours);
        for (tally, said) in self.naive.iter_mut().zip(played.naive) {
            tally.add(said);
        }
    }

    /// Adds another part's counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.empty += other.empty;
        self.owed += other.owed;
        self.unproven += other.unproven;
        let mut other = *other;
        for (mine, theirs) in [&mut self.ours]
            .into_iter()
            .chain(&mut self.naive)
            .zip([&mut other.ours].into_iter().chain(&mut other.naive))
        {
            for (mine, theirs) in mine.fields().into_iter().zip(theirs.fields()) {
                *mine += *theirs;
            }
        }
    }

    /// A Markdown table: ours beside the naive rules.
    pub(crate) fn lines(&self) -> Vec<String> {
        vec![
            format!("{} generated schedules:", self.schedules),
            "| rule | says \"done\" | of these false | says \"failed\" | says \"taken back\" or \"gone\" | says nothing |".to_owned(),
            "| --- | --: | --: | --: | --: | --: |".to_owned(),
            self.naive[0].line("`kubectl wait --for=condition=Successful`"),
            self.naive[1].line("a new completion and `Successful`"),
            self.ours.line("`kubectl ess-mas`"),
            format!(
                "{} times `kubectl ess-mas` still waited when success had come, because nothing in the object proved it.",
                self.unproven
            ),
        ]
    }

    /// A generator that makes nothing happen would prove nothing.
    pub(crate) fn assert_worth_something(&self) {
        let at_least = |what: &str, part: u64, percent: u64| {
            assert!(part * 100 >= self.schedules * percent, "only {part} of {} schedules: {what}", self.schedules);
        };
        at_least("end in success", self.ours.done, 15);
        at_least("end in failure", self.ours.failed, 10);
        at_least("are overtaken", self.ours.overtaken, 5);
        at_least("lose their object", self.ours.gone, 1);
        at_least("fool kubectl wait", self.naive[0].done_falsely, 20);
        at_least("fool a new completion", self.naive[1].done_falsely, 5);
        at_least("owe a verdict", self.owed, 50);
        assert!(self.empty * 10 <= self.schedules, "{} schedules have nothing to follow", self.empty);
    }
}
