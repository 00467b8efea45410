//! The controller: the triggers of a reconcile, and what follows it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::queue::Queue;
use super::run::{End, run};
use super::{Key, Scope, Shared};
use crate::crds;

/// Watches and reconciles until it is aborted, together with all reconciles.
pub(super) async fn control(shared: Arc<Shared>) {
    let api: Api<DynamicObject> = match &shared.scope {
        Scope::All => Api::all_with(shared.client.clone(), &crds::resource()),
        Scope::Namespace(name) => Api::namespaced_with(shared.client.clone(), name, &crds::resource()),
    };
    let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
    let mut seen = Seen::default();
    let mut queue = Queue::default();
    let mut runs: JoinSet<(Key, End)> = JoinSet::new();
    let mut pauses: JoinSet<Key> = JoinSet::new();
    loop {
        while let Some(key) = queue.take() {
            let shared = Arc::clone(&shared);
            runs.spawn(async move {
                let end = run(&shared, &key).await;
                shared.end(&key);
                (key, end)
            });
        }
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object))) => {
                    if seen.wants_a_run(&object) {
                        let reaction = shared.behaviour().reaction;
                        if reaction.is_zero() {
                            queue.add(key(&object));
                        } else {
                            pause(&mut pauses, key(&object), reaction);
                        }
                    }
                }
                Some(Ok(watcher::Event::Delete(object))) => seen.forget(&object),
                Some(_) => {}
                None => return,
            },
            Some(Ok((key, end))) = runs.join_next() => {
                match end {
                    End::Done => queue.forget(&key),
                    End::Failed => {
                        let length = queue.back_off(&key);
                        pause(&mut pauses, key.clone(), length);
                    }
                    End::Again(length) => {
                        queue.forget(&key);
                        pause(&mut pauses, key.clone(), length);
                    }
                }
                queue.finish(&key);
            }
            Some(Ok(key)) = pauses.join_next() => queue.add(key),
        }
    }
}

fn pause(pauses: &mut JoinSet<Key>, key: Key, length: Duration) {
    pauses.spawn(async move {
        sleep(length).await;
        key
    });
}

fn key(object: &DynamicObject) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// The predicate: a new object, or one with another generation or other annotations. Writes to the status change neither.
#[derive(Default)]
struct Seen(HashMap<String, (Option<i64>, BTreeMap<String, String>)>);

impl Seen {
    fn wants_a_run(&mut self, object: &DynamicObject) -> bool {
        let state = (object.metadata.generation, object.annotations().clone());
        self.0.insert(object.uid().unwrap_or_default(), state.clone()) != Some(state)
    }

    fn forget(&mut self, object: &DynamicObject) {
        self.0.remove(&object.uid().unwrap_or_default());
    }
}
