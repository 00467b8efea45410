//! Shows what the operator's workloads are doing while its verdict is awaited.
//!
//! A task of its own, which has the terminal's ear and nobody else's: the verdict is made without it, and when it may not
//! look, or cannot, there is merely less to see.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{SelectAll, unfold};
use k8s_openapi::api::{apps::v1::StatefulSet, batch::v1::Job, core::v1::Pod};
use kube::core::ApiResource;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::cluster::{Onlook, resource};
use crate::record::TimelineEntry;
use crate::session::Session;
use crate::terminal::progress::{Onlooker, Progress};
use crate::terminal::{Line, Symbol, Terminal};
use crate::workloads::{Happened, Kind, Observer};

/// News comes in bursts; when nothing comes for this long, one is over.
const BURST: Duration = Duration::from_millis(150);
/// A burst is looked at after this many, however long it goes on.
const MANY: usize = 500;

/// Looking on. Dropping it ends it.
pub struct Stages {
    task: Option<AbortHandle>,
    timeline: Arc<Mutex<Vec<TimelineEntry>>>,
}

impl Stages {
    /// Begins to look on, and to tell.
    pub fn watch(session: &Session, progress: &Progress) -> Self {
        let timeline = Arc::<Mutex<Vec<TimelineEntry>>>::default();
        let namespace = &session.target.namespace;
        let mut news = SelectAll::new();
        for kind in Kind::ALL {
            let collection = session.cluster.look_on(watched(kind), namespace);
            let items = unfold(collection, move |mut collection| async move {
                collection.next().await.map(|item| ((kind, item), collection))
            });
            news.push(items.boxed());
        }
        let teller = Teller {
            onlooker: progress.onlooker(),
            terminal: session.ui().terminal().clone(),
            namespace: namespace.clone(),
            timeline: Arc::clone(&timeline),
        };
        let observer = Observer::new(&session.target.name);
        let task = tokio::spawn(async move {
            look_on(news, observer, &teller).await;
        });
        Self { task: Some(task.abort_handle()), timeline }
    }

    /// Nothing is looked at: for whoever looks only once.
    pub fn none() -> Self {
        Self { task: None, timeline: Arc::default() }
    }

    /// Adds what was seen to what else happened, in order.
    pub fn tell(&self, timeline: &mut Vec<TimelineEntry>) {
        timeline.append(&mut self.timeline.lock().unwrap_or_else(PoisonError::into_inner));
        timeline.sort_by_key(|entry| entry.at);
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn watched(kind: Kind) -> ApiResource {
    match kind {
        Kind::StatefulSet => resource::<StatefulSet>(),
        Kind::Job => resource::<Job>(),
        Kind::Pod => resource::<Pod>(),
    }
}

type News = SelectAll<futures::stream::BoxStream<'static, (Kind, Onlook)>>;

async fn look_on(mut news: News, mut observer: Observer, teller: &Teller) {
    while let Some(first) = news.next().await {
        take(&mut observer, first);
        for _ in 1..MANY {
            match timeout(BURST, news.next()).await {
                Ok(Some(next)) => take(&mut observer, next),
                Ok(None) | Err(_) => break,
            }
        }
        let sight = observer.look();
        teller.tell(&sight.happened, sight.now);
    }
}

fn take(observer: &mut Observer, (kind, item): (Kind, Onlook)) {
    match item {
        Onlook::Seen(object) => observer.seen(kind, &object),
        Onlook::Gone(object) => observer.gone(kind, &object),
        Onlook::Doubt => observer.doubt(kind),
    }
}

struct Teller {
    onlooker: Onlooker,
    terminal: Terminal,
    namespace: String,
    timeline: Arc<Mutex<Vec<TimelineEntry>>>,
}

impl Teller {
    fn tell(&self, happened: &[Happened], now: Option<String>) {
        let words: Vec<(Symbol, String)> = happened.iter().map(|one| self.words(one)).collect();
        let at = self.terminal.now();
        let entries = words.iter().map(|(_, what)| TimelineEntry { at, what: what.clone() });
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
        let lines: Vec<(Symbol, Line)> = words.into_iter().map(|(symbol, words)| (symbol, words.into())).collect();
        self.onlooker.sees(&lines, now);
    }

    fn words(&self, happened: &Happened) -> (Symbol, String) {
        let symbol = if happened.is_trouble() { Symbol::Attention } else { Symbol::Done };
        let more = match happened {
            Happened::JobFailed { name } => {
                format!("; its log may say why: `kubectl logs job/{name} -n {}`", self.namespace)
            }
            _ => String::new(),
        };
        (symbol, format!("{happened}{more}"))
    }
}
