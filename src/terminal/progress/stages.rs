//! Renders the stages of progress. Has no clock and prints nothing.

use jiff::{Timestamp, tz::TimeZone};

use crate::terminal::style::{Line, RenderOptions, Style, Symbol};
use crate::terminal::{text, time};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stage: `running the dry run`.
    what: String,
    since: Timestamp,
    ends_at: Option<Timestamp>,
}

impl Waiting {
    pub fn new(what: impl Into<String>, since: Timestamp) -> Self {
        Self { what: what.into(), since, ends_at: None }
    }

    #[must_use]
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Finished stages and a live line.
    Live,
    /// A line per change, and a heartbeat after [`HEARTBEAT`] seconds.
    Lines,
    Silent,
}

pub(super) struct Stages {
    pub(super) mode: Mode,
    zone: TimeZone,
    waiting: Option<Waiting>,
    /// The observed state of workloads: `MAS pod running, migration job 1 of 1 running`.
    observed: Option<String>,
    updated: Option<Timestamp>,
    /// The time of the last line.
    printed: Timestamp,
}

/// Columns before the words: `  ✔ 10:41:07  `.
const MARGIN: usize = 14;
/// The largest width of the live line, unless its text is longer.
const WIDEST: usize = 110;
/// Seconds without updates before they are shown; shorter pauses of the operator are normal.
const SILENCE: i64 = 30;
/// Seconds between the last line and a heartbeat.
const HEARTBEAT: i64 = 30;

impl Stages {
    pub(super) fn new(mode: Mode, zone: TimeZone) -> Self {
        Self { mode, zone, waiting: None, observed: None, updated: None, printed: Timestamp::UNIX_EPOCH }
    }

    /// Ends a stage. Returns its line.
    pub(super) fn finish(&mut self, now: Timestamp, symbol: Symbol, text: &Line, options: RenderOptions) -> String {
        self.waiting = None;
        self.line(now, symbol, text, options)
    }

    pub(super) fn updated(&mut self, now: Timestamp) -> String {
        self.updated = Some(now);
        String::new()
    }

    /// Adds observed events with their symbols, and the current state. Returns the lines to print.
    pub(super) fn observe(
        &mut self,
        now: Timestamp,
        happened: &[(Symbol, Line)],
        observed: Option<String>,
        options: RenderOptions,
    ) -> String {
        let changed = self.observed != observed;
        self.observed = observed;
        if changed || !happened.is_empty() {
            self.updated = Some(now);
        }
        let mut lines: String = happened.iter().map(|(symbol, text)| self.line(now, *symbol, text, options)).collect();
        let news = changed && self.observed.is_some() && self.mode == Mode::Lines;
        if let Some(waiting) = self.waiting.as_ref().filter(|_| news) {
            let words = self.words(waiting);
            lines += &self.line(now, Symbol::Note, &Line::from(words), options);
        }
        lines
    }

    pub(super) fn wait(&mut self, now: Timestamp, waiting: Waiting, options: RenderOptions) -> String {
        let before = self.waiting.replace(waiting);
        let Some(waiting) = &self.waiting else { return String::new() };
        let same = |before: Waiting| before.what == waiting.what && before.ends_at == waiting.ends_at;
        if before.is_some_and(same) || self.mode != Mode::Lines {
            return String::new();
        }
        let words: Vec<String> = [self.words(waiting)].into_iter().chain(self.end(waiting, now)).collect();
        self.line(now, Symbol::Note, &Line::from(words.join(", ")), options)
    }

    /// Returns a heartbeat that is due.
    pub(super) fn tick(&mut self, now: Timestamp, options: RenderOptions) -> String {
        let due = self.mode == Mode::Lines && now.duration_since(self.printed).as_secs() >= HEARTBEAT;
        let Some(waiting) = self.waiting.as_ref().filter(|_| due) else { return String::new() };
        let mut times = self.times(waiting, now);
        times[0].push_str(" so far");
        let still = format!("still {}; {}", self.words(waiting), times.join(", "));
        self.line(now, Symbol::Note, &Line::from(still), options)
    }

    pub(super) fn is_live(&self) -> bool {
        self.mode == Mode::Live && self.waiting.is_some()
    }

    /// The live line after its symbol, narrower than the window, so that even an echoed `^C` doesn't wrap it. `None` if nothing
    /// is awaited.
    pub(super) fn live(&self, now: Timestamp, options: RenderOptions) -> Option<String> {
        let waiting = self.waiting.as_ref()?;
        let mut words = self.words(waiting);
        let times = self.times(waiting, now);
        let whole = MARGIN + text::width(&words) + 3 + text::width(&times.join(", "));
        let room = options.columns?.saturating_sub(4).min(WIDEST.max(whole));
        // Times are omitted from the end until the line fits; the elapsed time always stays.
        let fits = |words: &str, times: &str| MARGIN + text::width(words) + 3 + text::width(times) <= room;
        if let Some(detail) = self.observed.as_deref().filter(|_| !fits(&words, &times[0])) {
            // The detail is more important than the stage.
            words = one_line(detail);
        }
        let shown = (1..=times.len()).rev().map(|count| times[..count].join(", ")).find(|times| fits(&words, times));
        let shown = shown.unwrap_or_else(|| times[0].clone());
        let space = room.saturating_sub(MARGIN + 3 + text::width(&shown));
        let words = text::cut(&words, space, &options.encode("…"));
        let line = Line::new()
            .styled(Style::Dim, format!(" {}", time::time_of_day(now, &self.zone)))
            .text(format!("  {}   ", console::pad_str(&words, space, console::Alignment::Left, None)))
            .styled(Style::Dim, shown);
        // In a very narrow window even the elapsed time is cut.
        Some(text::cut(&line.render(options), room.saturating_sub(3), ""))
    }

    /// The elapsed time, the time without updates, and the end of the wait.
    fn times(&self, waiting: &Waiting, now: Timestamp) -> Vec<String> {
        let mut times = vec![time::elapsed(waiting.since, now)];
        if let Some(updated) = self.updated
            && now.duration_since(updated).as_secs() >= SILENCE
        {
            times.push(format!("no updates for {}", time::elapsed(updated, now)));
        }
        times.extend(self.end(waiting, now));
        times
    }

    fn end(&self, waiting: &Waiting, now: Timestamp) -> Option<String> {
        waiting.ends_at.map(|at| format!("waiting until {}", time::hour_and_minute(at, now, &self.zone)))
    }

    /// A permanent line, wrapped on a terminal.
    pub(super) fn line(&mut self, now: Timestamp, symbol: Symbol, words: &Line, options: RenderOptions) -> String {
        self.printed = now;
        if self.mode == Mode::Silent {
            return String::new();
        }
        let head = Line::new()
            .text("  ")
            .symbol(symbol)
            .styled(Style::Dim, format!(" {}", time::time_of_day(now, &self.zone)))
            .text("  ");
        let room = options.columns.map(|columns| columns.saturating_sub(MARGIN));
        let words = text::wrap(&words.render(options), room, 0).replace('\n', &format!("\n{}", " ".repeat(MARGIN)));
        format!("{}{words}\n", head.render(options))
    }

    /// `running the dry run: MAS pod running`, on one line.
    fn words(&self, waiting: &Waiting) -> String {
        one_line(&match &self.observed {
            Some(detail) => format!("{}: {detail}", waiting.what),
            None => waiting.what.clone(),
        })
    }
}

fn one_line(words: &str) -> String {
    text::harmless(words).replace('\n', " ")
}
