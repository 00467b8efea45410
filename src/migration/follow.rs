//! Follows the operator: feeds the watch to the tracker, and prints progress until there is a verdict.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::resume::Start;
use super::step::{Request, Step, migrated};
use crate::checks::Snapshot;
use crate::cluster::WatchItem;
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::record::TimelineEntry;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::interrupt::InterruptState;
use crate::session::workloads::WorkloadWatch;
use crate::terminal::Ui;
use crate::terminal::progress::{Progress, Waiting};
use crate::terminal::time::{ago, hour_and_minute};
use crate::verdict::{Awaiting, Continuity, Event, Observation, Tracker, Verdict};

/// How a step ended.
#[derive(Debug)]
pub enum End {
    /// There is nothing left to do, with the text for display: the goal was reached before this call or unobserved.
    Reached(&'static str),
    Preview,
    NotWaited,
    Interrupted,
    TimedOut(Awaiting),
    /// The manifest owner's change did not arrive in time.
    OwnerTimedOut,
    /// The manifest owner made another change than the one that was shown.
    OwnerDiffers(Failure),
    /// The operator is idle, and its reconcile of the manifest owner's change was not observed.
    OwnersUnobserved,
    Verdict(Verdict),
}

/// What was observed until the end.
pub struct Followed {
    /// The state before the write, or in which the change was found.
    pub seen: Snapshot,
    pub timeline: Vec<TimelineEntry>,
    pub took: Duration,
    /// What the cluster continues to do, as the end of a sentence.
    pub goes_on: String,
    pub progress: Progress,
}

/// How long the operator must be idle after an earlier reconcile before another one is requested. A queued reconcile starts
/// within moments; an extra one does no harm.
const REST: Duration = Duration::from_secs(5);

const STARTED: &str = "operator started reconciling";

/// Follows until a verdict, the time-out or an interrupt, and updates `session.deployment`. `None` if the reconcile that was
/// running during the write has ended, the operator is idle, and another reconcile can be requested.
pub async fn follow(
    session: &mut Session,
    request: &Request,
    seen: Snapshot,
    start: Start,
    deadline: Deadline,
) -> (Option<End>, Followed) {
    let (step, begun) = (request.step, Instant::now());
    let progress = session.ui().progress();
    if start.existing {
        let by = start.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        let at = start.changed.map_or_else(String::new, |at| format!(", {}", ago(at, session.now())));
        session.ui().status(format!("The change was already made{by}{at}; following the operator."));
    } else if !request.via_owner {
        progress.done(format!("written (resourceVersion {})", start.seen.resource_version()));
    }
    if request.preview || !request.wait {
        let end = if request.preview { End::Preview } else { End::NotWaited };
        let (timeline, goes_on) = (Vec::new(), step.goes_on().to_owned());
        return (Some(end), Followed { seen, timeline, took: Duration::ZERO, goes_on, progress });
    }
    let mut time_out = deadline;
    let mut resting_since = None;
    let mut log = Log {
        ui: session.ui().clone(),
        progress: &progress,
        step,
        come_back: session.command(step.command()),
        timeline: Vec::new(),
        since: session.now(),
        deadline,
        last: None,
        explained: false,
        missed: false,
        changed: hour_and_minute(start.changed.unwrap_or(session.now()), session.now(), session.ui().terminal.zone()),
        silent: false,
        running: if start.continuity == Continuity::Gap { "operator is reconciling" } else { STARTED },
    };
    // For display only.
    let stages = if deadline.once { WorkloadWatch::default() } else { WorkloadWatch::watch(session, &progress) };
    // Another reconcile is never requested for an activation.
    let unseen = step != Step::Activate && start.baseline.at_write.running;
    let mut tracker = Tracker::new(start.baseline);
    let mut watch = session.cluster.follow(&session.target, start.seen.object());
    // The result of the write is an event too: it may already show a reconcile.
    session.deployment = start.seen;
    let first = Event::Seen(Box::new(Observation::of(&session.deployment)), start.continuity);
    tracker.observe(&first);
    let end = loop {
        let verdict = tracker.verdict().clone();
        session.interrupt().set(log.interrupted(&verdict));
        log.show(&verdict);
        if verdict.is_final() {
            break Some(End::Verdict(verdict));
        }
        if start.existing
            && step == Step::Activate
            && let Some(words) = migrated(&session.deployment)
        {
            break Some(End::Reached(words));
        }
        if let (Verdict::Pending(awaiting), true) = (&verdict, deadline.once) {
            break Some(End::TimedOut(awaiting.clone()));
        }
        let resting =
            unseen && verdict == Verdict::Pending(Awaiting::Start) && session.deployment.conditions().at_rest();
        resting_since = resting.then(|| resting_since.unwrap_or_else(Instant::now));
        tokio::select! {
            // An available verdict takes precedence over the time-out and a signal.
            biased;
            item = watch.next() => match item {
                Some(item) => if let Some(event) = log.take(item, &mut session.deployment) {
                    tracker.observe(&event);
                },
                None => watch = session.follow_anew().await,
            },
            () = session.interrupt().wait() => break Some(End::Interrupted),
            // Without a rest the time is not used.
            () = sleep_until(resting_since.unwrap_or(begun) + REST), if resting_since.is_some() => {
                break request.via_owner.then_some(End::OwnersUnobserved);
            }
            () = time_out.over() => {
                if time_out.catch_up() {
                    watch = session.cluster.follow(&session.target, session.deployment.object());
                    continue;
                }
                let Verdict::Pending(awaiting) = tracker.verdict().clone() else { continue };
                break Some(End::TimedOut(awaiting));
            }
        }
    };
    stages.append_to(&mut log.timeline);
    let goes_on = log.goes_on(tracker.verdict());
    let timeline = log.timeline;
    (end, Followed { seen, timeline, took: begun.elapsed(), goes_on, progress })
}

struct Log<'a> {
    ui: Ui,
    progress: &'a Progress,
    step: Step,
    /// The command that follows again.
    come_back: String,
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
    fn take(&mut self, item: WatchItem, last: &mut Deployment) -> Option<Event> {
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
                if seen.mas_active == Some(true) && last.mas_active() != Some(true) {
                    self.note("mas_active is true".to_owned());
                }
                *last = deployment;
                Some(Event::Seen(Box::new(seen), continuity))
            }
            WatchItem::Deleted(object) => {
                let uid = object.and_then(|object| object["metadata"]["uid"].as_str().map(str::to_owned));
                Some(Event::Deleted(uid))
            }
            WatchItem::Trouble(error) => {
                self.silent = true;
                self.note(format!("can't watch the ElementDeployment; retrying: {error}"));
                None
            }
            WatchItem::Recovered => {
                self.silent = false;
                self.note("watching the ElementDeployment again".to_owned());
                None
            }
        }
    }

    fn note(&mut self, what: String) {
        self.timeline.push(TimelineEntry { at: self.ui.terminal.now(), what: what.clone() });
        self.progress.note(what);
    }

    fn goes_on(&self, verdict: &Verdict) -> String {
        let Verdict::Pending(awaiting) = verdict else { return self.step.goes_on().to_owned() };
        self.step.goes_on_as_seen(awaiting, &self.changed, self.silent)
    }

    fn interrupted(&self, verdict: &Verdict) -> InterruptState {
        InterruptState::Following { doing: self.goes_on(verdict), come_back: self.come_back.clone() }
    }

    /// Prints what is awaited, if it has changed.
    fn show(&mut self, verdict: &Verdict) {
        if self.last.as_ref() == Some(verdict) {
            return;
        }
        if let Verdict::Pending(awaiting) = verdict {
            if *awaiting == Awaiting::End && self.last != Some(Verdict::Pending(Awaiting::End)) {
                let what = if self.last.is_none() { self.running } else { STARTED };
                self.since = self.ui.terminal.now();
                self.timeline.push(TimelineEntry { at: self.since, what: what.to_owned() });
                self.progress.done(what);
            }
            if let Awaiting::NextRun(report) = awaiting {
                self.note(format!(
                    "the operator reported an internal error ({}); its next reconcile counts",
                    report.message
                ));
            }
            if let (Awaiting::Untold(report), false) = (awaiting, self.explained) {
                self.explained = true;
                let text = format!(
                    "a reconcile ended without success. Its cause is unknown, because the operator still reports an earlier \
                     failure: {}",
                    report.message
                );
                self.note(text);
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
