//! The stages of progress as text. Knows the time only from what it is told, and prints nothing itself.

use jiff::{Timestamp, tz::TimeZone};

use crate::terminal::style::{Line, RenderOptions, Style, Symbol};
use crate::terminal::{text, time};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stage, as a participle or noun: `rehearsing`.
    what: String,
    /// What can be seen of it: `MAS pod running, migration job 1 of 1 running`.
    detail: Option<String>,
    since: Timestamp,
    ends_at: Option<Timestamp>,
}

impl Waiting {
    pub fn new(what: impl Into<String>, since: Timestamp) -> Self {
        Self { what: what.into(), detail: None, since, ends_at: None }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn ends_at(mut self, at: Timestamp) -> Self {
        self.ends_at = Some(at);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Finished stages, and below them a line that is redrawn.
    Live,
    /// A line per change, and one after [`HEARTBEAT`] without any.
    Lines,
    Silent,
}

pub(super) struct Stages {
    mode: Mode,
    zone: TimeZone,
    waiting: Option<Waiting>,
    /// What is seen of the work from elsewhere, whatever is awaited of it.
    seen: Option<String>,
    heard: Option<Timestamp>,
    told: Timestamp,
}

/// Columns before the words: `  ✔ 10:41:07  `.
const MARGIN: usize = 14;
/// The live line uses no more columns than this unless its words need them, or the duration at its end would be far from
/// them.
const WIDEST: usize = 110;
/// Silence shorter than this is not worth a word: the operator often says nothing for so long.
const SILENCE: i64 = 30;
/// In a pipe, seconds between the last line and one that says that the waiting goes on.
const HEARTBEAT: i64 = 30;

impl Stages {
    pub(super) fn new(mode: Mode, zone: TimeZone) -> Self {
        Self { mode, zone, waiting: None, seen: None, heard: None, told: Timestamp::UNIX_EPOCH }
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// A stage is over, well or badly. Gives what is to be printed for good.
    pub(super) fn over(&mut self, now: Timestamp, symbol: Symbol, text: &Line, options: RenderOptions) -> String {
        self.waiting = None;
        self.line(now, symbol, text, options)
    }

    pub(super) fn heard(&mut self, now: Timestamp) -> String {
        self.heard = Some(now);
        String::new()
    }

    /// More is seen of what goes on: what has happened, each with its sign, and what is going on now.
    pub(super) fn see(
        &mut self,
        now: Timestamp,
        happened: &[(Symbol, Line)],
        seen: Option<String>,
        options: RenderOptions,
    ) -> String {
        let changed = self.seen != seen;
        self.seen = seen;
        if changed || !happened.is_empty() {
            self.heard = Some(now);
        }
        let mut told: String = happened.iter().map(|(symbol, text)| self.line(now, *symbol, text, options)).collect();
        let news = changed && self.seen.is_some() && self.mode == Mode::Lines;
        if let Some(waiting) = self.waiting.as_ref().filter(|_| news) {
            let words = self.words(waiting);
            told += &self.line(now, Symbol::Note, &Line::from(words), options);
        }
        told
    }

    pub(super) fn wait(&mut self, now: Timestamp, waiting: Waiting, options: RenderOptions) -> String {
        let before = self.waiting.replace(waiting);
        let Some(waiting) = &self.waiting else { return String::new() };
        let other_stage =
            before.as_ref().is_none_or(|before| before.what != waiting.what || before.ends_at != waiting.ends_at);
        let changed = other_stage || before.is_some_and(|before| before.detail != waiting.detail);
        if !changed || self.mode != Mode::Lines {
            return String::new();
        }
        let mut words = self.words(waiting);
        if let (true, Some(end)) = (other_stage, self.end(waiting, now)) {
            words = format!("{words}, {end}");
        }
        self.line(now, Symbol::Note, &Line::from(words), options)
    }

    /// Time has passed. Gives a heartbeat when one is due.
    pub(super) fn tick(&mut self, now: Timestamp, options: RenderOptions) -> String {
        let due = self.mode == Mode::Lines && now.duration_since(self.told).as_secs() >= HEARTBEAT;
        let Some(waiting) = self.waiting.as_ref().filter(|_| due) else { return String::new() };
        let mut times = self.times(waiting, now);
        times[0].push_str(" so far");
        let still = format!("still {}; {}", self.words(waiting), times.join(", "));
        self.line(now, Symbol::Note, &Line::from(still), options)
    }

    pub(super) fn is_live(&self) -> bool {
        self.mode == Mode::Live && self.waiting.is_some()
    }

    /// The live line behind its sign, narrower than the window so that it never wraps, not even with the `^C` that a
    /// terminal echoes; `None` where nothing is awaited.
    pub(super) fn live(&self, now: Timestamp, options: RenderOptions) -> Option<String> {
        let waiting = self.waiting.as_ref()?;
        let mut words = self.words(waiting);
        let times = self.times(waiting, now);
        let whole = MARGIN + text::width(&words) + 3 + text::width(&times.join(", "));
        let room = options.columns?.saturating_sub(4).min(WIDEST.max(whole));
        // What does not fit is left out from the end; how long it has taken always stands.
        let fits = |words: &str, times: &str| MARGIN + text::width(words) + 3 + text::width(times) <= room;
        if let Some(detail) = self.detail(waiting).filter(|_| !fits(&words, &times[0])) {
            // What is seen says more than what it is part of.
            words = one_line(detail);
        }
        let shown = (1..=times.len()).rev().map(|count| times[..count].join(", ")).find(|times| fits(&words, times));
        let shown = shown.unwrap_or_else(|| times[0].clone());
        let space = room.saturating_sub(MARGIN + 3 + text::width(&shown));
        let words = text::cut(&words, space, Symbol::Ellipsis.glyph(options.unicode));
        let line = Line::new()
            .styled(Style::Dim, format!(" {}", time::time_of_day(now, &self.zone)))
            .text(format!("  {}   ", text::pad(&words, space)))
            .styled(Style::Dim, shown);
        // In a window narrower than the margin and the duration even that is cut, rather than wrapped.
        Some(text::cut(&line.render(options), room.saturating_sub(3), ""))
    }

    /// How long, how long without news, and until when it is waited for.
    fn times(&self, waiting: &Waiting, now: Timestamp) -> Vec<String> {
        let mut times = vec![time::elapsed(waiting.since, now)];
        if let Some(heard) = self.heard
            && now.duration_since(heard).as_secs() >= SILENCE
        {
            times.push(format!("no updates for {}", time::elapsed(heard, now)));
        }
        times.extend(self.end(waiting, now));
        times
    }

    fn end(&self, waiting: &Waiting, now: Timestamp) -> Option<String> {
        waiting.ends_at.map(|at| format!("waiting until {}", time::hour_and_minute(at, now, &self.zone)))
    }

    /// A line that stays. On a terminal long words go on below themselves.
    pub(super) fn line(&mut self, now: Timestamp, symbol: Symbol, words: &Line, options: RenderOptions) -> String {
        self.told = now;
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

    /// `rehearsing: MAS pod running`, on one line whatever the detail holds.
    fn words(&self, waiting: &Waiting) -> String {
        one_line(&match self.detail(waiting) {
            Some(detail) => format!("{}: {detail}", waiting.what),
            None => waiting.what.clone(),
        })
    }

    fn detail<'a>(&'a self, waiting: &'a Waiting) -> Option<&'a str> {
        waiting.detail.as_deref().or(self.seen.as_deref())
    }
}

fn one_line(words: &str) -> String {
    text::harmless(words).replace('\n', " ")
}
