//! Counts over many schedules, and the table in docs/performance.md.

use super::play::{Played, Said};

/// The number of each `Said` for a rule.
#[derive(Debug, Clone, Copy, Default)]
struct Tally([u64; Said::COUNT]);

impl Tally {
    fn add(&mut self, said: Said) {
        self.0[said as usize] += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    fn of(&self, said: Said) -> u64 {
        self.0[said as usize]
    }

    fn line(&self, rule: &str) -> String {
        let falsely = self.of(Said::DoneFalsely);
        let done = self.of(Said::Done) + falsely;
        let nothing = percent(self.of(Said::Nothing), self.0.iter().sum());
        format!(
            "| {rule} | {done} | {falsely} ({}) | {} | {} | {nothing} |",
            percent(falsely, done),
            self.of(Said::Failed),
            self.of(Said::Overtaken) + self.of(Said::Gone),
        )
    }
}

/// To one decimal, rounded.
fn percent(part: u64, whole: u64) -> String {
    let tenths = (part * 2000).checked_div(whole).unwrap_or(0).div_ceil(2);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    schedules: u64,
    owed: u64,
    unproven: u64,
    ours: Tally,
    naive: [Tally; 2],
}

impl Numbers {
    pub(crate) fn add(&mut self, played: Played) {
        self.schedules += 1;
        self.owed += u64::from(played.owed);
        self.unproven += u64::from(played.unproven);
        self.ours.add(played.ours);
        for (tally, said) in self.naive.iter_mut().zip(played.naive) {
            tally.add(said);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.owed += other.owed;
        self.unproven += other.unproven;
        self.ours.merge(&other.ours);
        for (mine, theirs) in self.naive.iter_mut().zip(&other.naive) {
            mine.merge(theirs);
        }
    }

    /// A Markdown table of our rule and the simple ones. `what` describes the schedules.
    pub(crate) fn lines(&self, what: &str) -> Vec<String> {
        vec![
            format!("{} {what}:", self.schedules),
            String::new(),
            "| rule | says \"done\" | of these false | says \"failed\" | says \"taken back\" or \"gone\" | says nothing |"
                .to_owned(),
            "| --- | --: | --: | --: | --: | --: |".to_owned(),
            self.naive[0].line("`kubectl wait --for=condition=Successful`"),
            self.naive[1].line("a new completion and `Successful`"),
            self.ours.line("`kubectl ess-mas`"),
            String::new(),
            format!(
                "In {} of them `kubectl ess-mas` still waited when success had come: nothing in the object proved it yet.",
                self.unproven
            ),
        ]
    }

    /// A generator without events would prove nothing.
    pub(crate) fn assert_worth_something(&self) {
        let at_least = |what: &str, part: u64, percent: u64| {
            assert!(part * 100 >= self.schedules * percent, "only {part} of {} schedules: {what}", self.schedules);
        };
        at_least("end in success", self.ours.of(Said::Done), 15);
        at_least("end in failure", self.ours.of(Said::Failed), 10);
        at_least("are overtaken", self.ours.of(Said::Overtaken), 5);
        at_least("lose their object", self.ours.of(Said::Gone), 1);
        at_least("fool kubectl wait", self.naive[0].of(Said::DoneFalsely), 20);
        at_least("fool a new completion", self.naive[1].of(Said::DoneFalsely), 5);
        at_least("owe a verdict", self.owed, 50);
        assert!(self.unproven * 20 <= self.schedules, "{} successes were left unsaid", self.unproven);
    }
}

#[test]
fn table_counts_the_verdicts() {
    let played = |naive| Played { ours: Said::Failed, naive: [naive; 2], owed: true, unproven: false };
    let mut numbers = Numbers::default();
    for naive in [Said::Done, Said::DoneFalsely, Said::DoneFalsely, Said::Nothing] {
        numbers.add(played(naive));
    }
    let mut both = numbers;
    both.merge(&numbers);
    let lines = both.lines("schedules");
    assert_eq!(lines[4], "| `kubectl wait --for=condition=Successful` | 6 | 4 (66.7 %) | 0 | 0 | 25.0 % |");
    assert_eq!(lines[6], "| `kubectl ess-mas` | 0 | 0 (0.0 %) | 8 | 0 | 0.0 % |");
}
