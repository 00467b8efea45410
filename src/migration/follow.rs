//! Follows the operator: feeds the watch to the tracker, and prints progress until there is a verdict.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::step::Step;
use crate::cluster::WatchItem;
use crate::deployment::Deployment;
use crate::record::TimelineEntry;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::interrupt::InterruptState;
use crate::session::workloads::WorkloadWatch;
use crate::terminal::progress::{Progress, Waiting};
use crate::terminal::time::hour_and_minute;
use crate::verdict::{Awaiting, Baseline, Continuity, Event, Observation, Tracker, Verdict};

#[derive(Debug)]
pub enum FollowEnd {
    Verdict(Verdict),
    TimedOut(Awaiting),
    Interrupted,
    /// The change existed and its goal is reached, with the text for display; the reconcile was not observed.
    Reached(&'static str),
    /// The reconcile that was running during the write has ended, and the operator is idle.
    AtRest,
}

#[derive(Debug)]
pub struct Followed {
    pub end: FollowEnd,
    pub timeline: Vec<TimelineEntry>,
    pub took: Duration,
    /// What the cluster continues to do, as the end of a sentence.
    pub goes_on: String,
}

pub struct Start {
    pub baseline: Baseline,
    pub seen: Deployment,
    /// Whether events between the write and `seen` may be missing.
    pub continuity: Continuity,
    pub changed: Timestamp,
    /// Whether the change existed before this call, so that an unobserved reconcile may have reached its goal.
    pub existing: bool,
}

/// How long the operator must be idle after an earlier reconcile before another one is requested. A queued reconcile starts
/// within moments; an extra one does no harm.
const REST: Duration = Duration::from_secs(5);

const STARTED: &str = "operator started reconciling";

/// Follows until a verdict, the time-out or an interrupt, and updates `session.deployment`. `reached` returns why there is
/// nothing left to do.
pub async fn follow(
    session: &mut Session,
    start: Start,
    deadline: Deadline,
    step: Step,
    reached: &dyn Fn(&Deployment) -> Option<&'static str>,
    progress: &Progress,
) -> Followed {
    let begun = Instant::now();
    let mut end = deadline;
    let mut resting_since = None;
    let mut log = Log {
        progress,
        step,
        timeline: Vec::new(),
        since: session.now(),
        deadline,
        last: None,
        explained: false,
        missed: false,
        changed: hour_and_minute(start.changed, session.now(), session.ui().terminal.zone()),
        silent: false,
        running: if start.continuity == Continuity::Gap { "operator is reconciling" } else { STARTED },
    };
    // For display only.
    let stages = if deadline.once { WorkloadWatch::default() } else { WorkloadWatch::watch(session, progress) };
    let mut tracker = Tracker::new(start.baseline);
    let mut watch = session.cluster.follow(&session.target, start.seen.object());
    // The result of the write is an event too: it may already show a reconcile.
    session.deployment = start.seen;
    let first = Event::Seen(Box::new(Observation::of(&session.deployment)), start.continuity);
    // Reports an interrupt that came during the write.
    session.interrupt().set(log.interrupted(tracker.observe(&first), session));
    let stopped = loop {
        let verdict = tracker.verdict().clone();
        log.show(&verdict, session);
        if verdict.is_final() {
            break FollowEnd::Verdict(verdict);
        }
        if let Some(words) = reached(&session.deployment) {
            break FollowEnd::Reached(words);
        }
        if let (Verdict::Pending(awaiting), true) = (&verdict, deadline.once) {
            break FollowEnd::TimedOut(awaiting.clone());
        }
        // Another reconcile is never requested for an activation.
        let unseen = step != Step::Activate && tracker.baseline.at_write.running;
        let resting = unseen && verdict == Verdict::Pending(Awaiting::Start) && session.deployment.conditions().at_rest();
        resting_since = resting.then(|| resting_since.unwrap_or_else(Instant::now));
        tokio::select! {
            // An available verdict takes precedence over the time-out and a signal.
            biased;
            item = watch.next() => match item {
                Some(item) => if let Some(event) = log.take(item, session) {
                    tracker.observe(&event);
                },
                None => watch = session.follow_anew().await,
            },
            () = session.interrupt().wait() => break FollowEnd::Interrupted,
            () = sleep_until(resting_since.unwrap_or(begun) + REST), if resting_since.is_some() => break FollowEnd::AtRest,
            () = end.over() => {
                if end.catch_up() {
                    watch = session.cluster.follow(&session.target, session.deployment.object());
                    continue;
                }
                let Verdict::Pending(awaiting) = tracker.verdict().clone() else { continue };
                break FollowEnd::TimedOut(awaiting);
            }
        }
    };
    stages.append_to(&mut log.timeline);
    let goes_on = log.goes_on(tracker.verdict());
    Followed { end: stopped, timeline: log.timeline, took: begun.elapsed(), goes_on }
}

struct Log<'a> {
    progress: &'a Progress,
    step: Step,
    timeline: Vec<TimelineEntry>,
    since: Timestamp,
    deadline: Deadline,
    last: Option<Verdict>,
    /// Whether [`Awaiting::Untold`] was explained; it recurs with every retry.
    explained: bool,
    /// Whether an event could not be parsed.
    missed: bool,
    /// When the change was written, for display.
    changed: String,
    /// Whether the API server doesn't respond.
    silent: bool,
    /// The text for a reconcile that is already running; a resumed command didn't see it start.
    running: &'static str,
}

impl Log<'_> {
    /// Converts a watch item into an event, and prints connection problems.
    fn take(&mut self, item: WatchItem, session: &mut Session) -> Option<Event> {
        match item {
            WatchItem::Seen { object, continuity } => {
                let Ok(deployment) = Deployment::from_value(object) else {
                    self.missed = true;
                    return None;
                };
                // An event that could not be parsed is a gap.
                let continuity = if std::mem::take(&mut self.missed) { Continuity::Gap } else { continuity };
                let seen = Observation::of(&deployment);
                self.silent = false;
                self.progress.updated();
                if seen.mas_active == Some(true) && session.deployment.mas_active() != Some(true) {
                    self.note(session, "mas_active is true".to_owned());
                }
                session.deployment = deployment;
                Some(Event::Seen(Box::new(seen), continuity))
            }
            WatchItem::Deleted(object) => {
                let uid = object.and_then(|object| object["metadata"]["uid"].as_str().map(str::to_owned));
                Some(Event::Deleted(uid))
            }
            WatchItem::Trouble(error) => {
                self.silent = true;
                self.note(session, format!("can't watch the ElementDeployment; retrying: {error}"));
                None
            }
            WatchItem::Recovered => {
                self.silent = false;
                self.note(session, "watching the ElementDeployment again".to_owned());
                None
            }
        }
    }

    fn note(&mut self, session: &Session, what: String) {
        self.timeline.push(TimelineEntry { at: session.now(), what: what.clone() });
        self.progress.note(what);
    }

    fn goes_on(&self, verdict: &Verdict) -> String {
        let Verdict::Pending(awaiting) = verdict else { return self.step.goes_on().to_owned() };
        self.step.goes_on_as_seen(awaiting, &self.changed, self.silent)
    }

    fn interrupted(&self, verdict: &Verdict, session: &Session) -> InterruptState {
        InterruptState::Following { doing: self.goes_on(verdict), come_back: session.command(self.step.command()) }
    }

    /// Prints what is awaited, if it has changed.
    fn show(&mut self, verdict: &Verdict, session: &Session) {
        // An interrupt is reported once.
        if !session.interrupt().raised() {
            session.interrupt().set(self.interrupted(verdict, session));
        }
        if self.last.as_ref() == Some(verdict) {
            return;
        }
        if let Verdict::Pending(awaiting) = verdict {
            if *awaiting == Awaiting::End && self.last != Some(Verdict::Pending(Awaiting::End)) {
                let what = if self.last.is_none() { self.running } else { STARTED };
                self.since = session.now();
                self.timeline.push(TimelineEntry { at: self.since, what: what.to_owned() });
                self.progress.done(what);
            }
            if let Awaiting::NextRun(report) = awaiting {
                self.note(
                    session,
                    format!("the operator reported an internal error ({}); its next reconcile counts", report.message),
                );
            }
            if let (Awaiting::Untold(report), false) = (awaiting, self.explained) {
                self.explained = true;
                let text = format!(
                    "a reconcile ended without success. Its cause is unknown, because the operator still reports an earlier \
                     failure: {}",
                    report.message
                );
                self.note(session, text);
            }
            let what = match awaiting {
                Awaiting::End => self.step.doing().to_owned(),
                other => format!("waiting for {}", missing(other)),
            };
            let mut waiting = Waiting::new(what, self.since);
            if !self.deadline.once {
                waiting = waiting.ends_at(self.deadline.ends_at);
            }
            self.progress.waiting(waiting);
        }
        self.last = Some(verdict.clone());
    }
}

/// The awaited event, to complete "waiting for …".
pub fn missing(awaiting: &Awaiting) -> &'static str {
    match awaiting {
        Awaiting::Start => "the operator to start reconciling",
        Awaiting::EarlierRun => "the current reconcile to finish; the verdict comes from the next one",
        Awaiting::End => "the operator to finish reconciling",
        Awaiting::NextRun(_) => "the operator's next reconcile, after an internal error",
        Awaiting::Untold(_) => "the operator's next reconcile, after one without success",
        Awaiting::Available => "condition Available to become True; the reconcile ended without errors",
        Awaiting::MasActive => "mas_active to become true; the reconcile ended without errors",
        Awaiting::Successful => "condition Successful to become True; the reconcile ended",
    }
}
