//! Shows the progress of workloads while a command waits for the verdict, and estimates how long Synapse takes to restart.
//!
//! The watch is a task of its own that only prints. The verdict doesn't depend on it; without permission there is only less
//! to show.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{BoxStream, SelectAll, select_all, unfold};
use jiff::SignedDuration;
use k8s_openapi::api::{apps::v1::StatefulSet, batch::v1::Job, core::v1::Pod};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connect::Session;
use crate::checks::Snapshot;
use crate::cluster::{CollectionEvent, Following, Selection, resource};
use crate::record::TimelineEntry;
use crate::terminal::progress::{Progress, ProgressDetails};
use crate::terminal::time::duration;
use crate::terminal::{Symbol, Terminal};
use crate::workloads::{Observer, Times, WorkloadKind};

/// Events come in bursts; a burst ends when no event comes for this long.
const BURST: Duration = Duration::from_millis(150);
/// The most events of a burst to collect before an update.
const MANY: usize = 500;

type Events = SelectAll<BoxStream<'static, (WorkloadKind, CollectionEvent)>>;
type Timeline = Arc<Mutex<Vec<TimelineEntry>>>;

/// A watch on workloads, or none by default. Dropping it ends it.
#[derive(Default)]
pub struct WorkloadWatch {
    _task: JoinSet<()>,
    timeline: Timeline,
}

impl WorkloadWatch {
    pub fn watch(session: &Session, progress: &Progress) -> Self {
        let kinds = [
            (WorkloadKind::StatefulSet, resource::<StatefulSet>()),
            (WorkloadKind::Job, resource::<Job>()),
            (WorkloadKind::Pod, resource::<Pod>()),
        ];
        let events = kinds.map(|(kind, resource)| {
            let collection = session.cluster.watch_all(&resource, &session.target.namespace);
            let next = move |mut collection: Following<CollectionEvent>| async move {
                collection.next().await.map(|item| ((kind, item), collection))
            };
            unfold(collection, next).boxed()
        });
        let observer = Observer::new(&session.target.name, &session.target.namespace);
        let (terminal, timeline) = (session.ui().terminal.clone(), Timeline::default());
        let task = report(select_all(events), observer, progress.details(), terminal, Arc::clone(&timeline));
        Self { _task: JoinSet::from_iter([task]), timeline }
    }

    pub fn append_to(&self, timeline: &mut Vec<TimelineEntry>) {
        timeline.append(&mut self.timeline.lock().unwrap_or_else(PoisonError::into_inner));
        timeline.sort_by_key(|entry| entry.at);
    }
}

async fn report(
    mut events: Events,
    mut observer: Observer,
    details: ProgressDetails,
    terminal: Terminal,
    timeline: Timeline,
) {
    while let Some(first) = events.next().await {
        let mut burst = vec![first];
        while burst.len() < MANY
            && let Ok(Some(next)) = timeout(BURST, events.next()).await
        {
            burst.push(next);
        }
        for (kind, item) in burst {
            match item {
                CollectionEvent::Seen(object) => observer.seen(kind, &object),
                CollectionEvent::Deleted(object) => observer.gone(kind, &object),
                CollectionEvent::Reset => observer.doubt(kind),
            }
        }
        let update = observer.update();
        let symbol = |failed| if failed { Symbol::Attention } else { Symbol::Done };
        let lines: Vec<_> = update.happened.iter().map(|one| (symbol(one.failed), one.text.clone().into())).collect();
        let at = terminal.now();
        let entries = update.happened.into_iter().map(|one| TimelineEntry { at, what: one.text });
        timeline.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
        details.update(&lines, update.now);
    }
}

/// How long Synapse's pods take to stop and start; `None` if they can't be listed.
pub async fn synapse_times(session: &Session) -> Option<Times> {
    let namespace = Some(session.target.namespace.as_str());
    let pods = session.cluster.list(&resource::<Pod>(), namespace, Selection::default(), 500).all().await;
    Times::of(&pods.ok()?, session.deployment.name())
}

pub fn downtime(snapshot: &Snapshot, times: Option<Times>) -> Vec<String> {
    let dry_run = snapshot.recorded().and_then(|record| record.dry_run.as_ref());
    estimate(dry_run.and_then(|dry_run| i64::try_from(dry_run.seconds).ok()), times)
}

fn estimate(dry_run: Option<i64>, times: Option<Times>) -> Vec<String> {
    let span = |seconds: i64| duration(SignedDuration::from_secs(seconds));
    let mut lines = vec![
        "Synapse and other components stop, and users are locked out for 5 to 30 minutes (the vendor's estimate)."
            .to_owned(),
    ];
    if let Some(seconds) = dry_run {
        lines.push(format!("For comparison, the dry run took {}, without stopping anything.", span(seconds)));
    }
    let Some(Times { pods, stop, start }) = times else { return lines };
    let pods = if pods == 1 { "Synapse's pod".to_owned() } else { format!("the slowest of Synapse's {pods} pods") };
    let started = start.map_or_else(String::new, |start| format!(", and took {} to become ready", span(start)));
    lines.push(format!("In this cluster, {pods} may take up to {} to stop{started}.", span(stop)));
    if let (Some(dry_run), Some(start)) = (dry_run, start) {
        // The dry run copies the same data; half as much again for a busier moment.
        let minutes = ((stop + dry_run + dry_run / 2 + start + 59) / 60).max(1);
        lines.push(format!(
            "Estimate for Synapse: about {minutes} minute{} (stop, 1.5 times the dry run, start). Other components add to it.",
            if minutes == 1 { "" } else { "s" }
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_uses_only_observed_values() {
        assert_eq!(estimate(None, None).len(), 1);
        assert_eq!(estimate(Some(131), None)[1], "For comparison, the dry run took 2m 11s, without stopping anything.");
        let unseen = estimate(Some(131), Some(Times { pods: 1, stop: 30, start: None }));
        assert_eq!(unseen.len(), 3);
        assert_eq!(unseen[2], "In this cluster, Synapse's pod may take up to 30s to stop.");
    }

    #[test]
    fn observed_times_are_added_up_as_an_estimate() {
        let all = estimate(Some(131), Some(Times { pods: 3, stop: 30, start: Some(48) }));
        assert_eq!(
            all[2],
            "In this cluster, the slowest of Synapse's 3 pods may take up to 30s to stop, and took 48s to become ready."
        );
        // 30 + 131 + 65 + 48 = 274 seconds.
        assert!(all[3].starts_with("Estimate for Synapse: about 5 minutes "), "{all:?}");
    }
}
