use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn labelled(name: &str, rest: Value) -> Value {
    let mut object = json!({"metadata": {"name": name, "labels": {"k8s.element.io/owner-name": "chat"}}});
    for (key, value) in rest.as_object().into_iter().flatten() {
        if key == "metadata" {
            object["metadata"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        } else {
            object[key] = value.clone();
        }
    }
    object
}

fn set(process: &str, wanted: u32, there: u32, ready: u32) -> Value {
    // Kubernetes leaves zeros out of a status.
    let number = |count: u32| if count == 0 { Value::Null } else { json!(count) };
    let status = json!({"replicas": there, "readyReplicas": number(ready)});
    labelled(&format!("chat-synapse-{process}"), json!({"spec": {"replicas": wanted}, "status": status}))
}

fn job(name: &str, status: Value) -> Value {
    labelled(name, json!({"status": status}))
}

fn running() -> Value {
    json!({"active": 1, "startTime": "2026-11-23T02:00:00Z"})
}

fn ended(kind: &str) -> Value {
    json!({"conditions": [{"type": kind, "status": "True"}]})
}

fn pod(name: &str, ready: bool) -> Value {
    let ready = if ready { "True" } else { "False" };
    labelled(name, json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}}))
}

fn synapse_pod(number: u32, ready: bool) -> Value {
    let mut pod = pod(&format!("chat-synapse-main-{number}"), ready);
    pod["metadata"]["ownerReferences"] =
        json!([{"kind": "StatefulSet", "name": "chat-synapse-main", "controller": true}]);
    pod
}

fn waiting(name: &str, reason: &str) -> Value {
    let state = json!({"waiting": {"reason": reason, "message": "Back-off pulling\nimage \"mas:9\""}});
    labelled(name, json!({"status": {"phase": "Pending", "containerStatuses": [{"state": state}]}}))
}

/// An observer, and its output after each burst of events.
struct Watched(Observer);

impl Watched {
    fn new() -> Self {
        Self(Observer::new("chat", "ns"))
    }

    fn see(&mut self, kind: WorkloadKind, objects: impl IntoIterator<Item = Value>) -> String {
        objects.into_iter().for_each(|object| self.0.seen(kind, &object));
        self.say()
    }

    fn lose(&mut self, kind: WorkloadKind, objects: impl IntoIterator<Item = Value>) -> String {
        objects.into_iter().for_each(|object| self.0.gone(kind, &object));
        self.say()
    }

    /// The finished stages in order, then the current progress.
    fn say(&mut self) -> String {
        let sight = self.0.update();
        let now = sight.now.map_or_else(|| "-".to_owned(), |now| format!("[{now}]"));
        sight.happened.iter().map(|one| format!("{}; ", one.text)).chain([now]).collect()
    }
}

#[test]
fn activation_is_shown_from_stop_to_start() {
    let mut it = Watched::new();
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 1), set("worker", 3, 3, 3)]), "-");
    assert_eq!(it.see(WorkloadKind::Pod, [pod("chat-web-x", true), synapse_pod(0, true)]), "-");
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 0, 1, 1)]), "[Synapse stopping, 4 of 4 pods left]");
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 0, 0, 0)]), "[Synapse stopping, 3 of 4 pods left]");
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("worker", 0, 1, 0)]), "[Synapse stopping, 1 of 4 pods left]");
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("worker", 0, 0, 0)]), "Synapse is stopped; [Synapse stopped]");
    assert_eq!(it.see(WorkloadKind::Job, [job("chat-syn2mas", json!({}))]), "[Synapse stopped]");
    let runs = "[Synapse stopped, migration job running (chat-syn2mas)]";
    assert_eq!(it.see(WorkloadKind::Job, [job("chat-syn2mas", running())]), runs);
    let done = it.see(WorkloadKind::Job, [job("chat-syn2mas", ended("Complete"))]);
    assert_eq!(done, "job chat-syn2mas is complete; [Synapse stopped]");
    // The main process first, and all others after it.
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 0)]), "[Synapse starting, 0 of 4 pods ready]");
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 1)]), "[Synapse starting, 1 of 4 pods ready]");
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("worker", 3, 3, 2)]), "[Synapse starting, 3 of 4 pods ready]");
    assert_eq!(
        it.see(WorkloadKind::StatefulSet, [set("worker", 3, 3, 3)]),
        "Synapse is back: 4 of 4 pods ready; [Synapse is back]"
    );
    assert_eq!(it.see(WorkloadKind::Pod, [pod("chat-web-x", false)]), "[1 of 2 pods ready]");
}

#[test]
fn a_dry_run_shows_mas_and_the_job() {
    let mut it = Watched::new();
    it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 1)]);
    assert_eq!(it.see(WorkloadKind::Pod, [pod("chat-matrix-authentication-service-6f-x", false)]), "[MAS starting]");
    it.see(WorkloadKind::Job, [job("chat-syn2mas", running())]);
    let started = it.see(WorkloadKind::Pod, [pod("chat-matrix-authentication-service-6f-x", true)]);
    assert_eq!(started, "[migration job running (chat-syn2mas)]");
    let failed = it.see(WorkloadKind::Job, [job("chat-syn2mas", ended("Failed"))]);
    assert_eq!(failed, "job chat-syn2mas has failed; for the cause, run `kubectl logs job/chat-syn2mas -n ns`; -");
    assert_eq!(it.say(), "-", "nothing is told twice");
}

#[test]
fn reconcile_that_ended_before_the_first_read_is_no_verdict() {
    let mut it = Watched::new();
    assert_eq!(
        it.see(WorkloadKind::Job, [job("chat-old", ended("Complete")), job("chat-older", ended("Failed"))]),
        "-"
    );
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 0, 0, 0)]), "[Synapse stopped]");
    assert_eq!(
        it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 1)]),
        "Synapse is back: 1 of 1 pods ready; [Synapse is back]"
    );
}

#[test]
fn a_pod_that_cannot_start_is_shown_with_its_reason() {
    let mut it = Watched::new();
    let mas = "chat-matrix-authentication-service-0";
    let stuck = it.see(WorkloadKind::Pod, [waiting(mas, "ImagePullBackOff")]);
    assert_eq!(stuck, format!("[MAS starting, pod {mas}: ImagePullBackOff]"));
    assert_eq!(it.see(WorkloadKind::Pod, [waiting(mas, "ContainerCreating")]), "[MAS starting]");
    assert_eq!(it.see(WorkloadKind::Pod, [pod(mas, true)]), "-");
}

#[test]
fn what_belongs_to_others_is_not_seen() {
    let mut it = Watched::new();
    let plain = |name: &str, labels: Value| json!({"metadata": {"name": name, "labels": labels}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    let theirs = [
        plain("chatter-web", Value::Null),
        plain("postgres-0", Value::Null),
        plain("chat-two-web", json!({"k8s.element.io/owner-name": "chat-two"})),
        plain("chat-postgres-0", json!({"app.kubernetes.io/instance": "pg"})),
    ];
    assert_eq!(it.see(WorkloadKind::Pod, theirs), "-");
    let ours = [plain("chat-web", Value::Null), plain("x", json!({"app.kubernetes.io/instance": "chat-web"}))];
    assert_eq!(it.see(WorkloadKind::Pod, ours), "[0 of 2 pods ready]");
    // Jobs of a CronJob are not part of the migration, and neither are other components' workloads.
    let by_clock = json!({"metadata": {"ownerReferences": [{"kind": "CronJob", "name": "c", "controller": true}]}});
    let mut backup = job("chat-backup-1", running());
    backup["metadata"]["ownerReferences"] = by_clock["metadata"]["ownerReferences"].clone();
    assert_eq!(it.see(WorkloadKind::Job, [backup]), "[0 of 2 pods ready]");
    assert_eq!(
        it.see(WorkloadKind::StatefulSet, [set("redis", 0, 0, 0), set("haproxy", 0, 1, 1)]),
        "[0 of 2 pods ready]"
    );
}

#[test]
fn after_a_gap_objects_that_are_not_listed_are_deleted() {
    let mut it = Watched::new();
    it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 1), set("worker", 2, 2, 2)]);
    it.see(WorkloadKind::Job, [job("chat-syn2mas", running())]);
    it.0.doubt(WorkloadKind::StatefulSet);
    it.0.doubt(WorkloadKind::Job);
    assert_eq!(it.see(WorkloadKind::StatefulSet, [set("main", 1, 1, 1), set("worker", 2, 2, 2)]), "-");
    it.0.doubt(WorkloadKind::StatefulSet);
    assert_eq!(it.say(), "-", "that nothing can be seen does not mean that Synapse is stopped");
}

#[test]
fn a_deployment_without_workloads_has_nothing_to_show() {
    assert_eq!(Watched::new().say(), "-");
}

fn anything() -> impl Strategy<Value = (WorkloadKind, Value, bool)> {
    let kind = prop::sample::select(vec![WorkloadKind::StatefulSet, WorkloadKind::Job, WorkloadKind::Pod]);
    let number = prop::option::of(0_u64..4);
    (kind, 0_usize..3, number.clone(), number.clone(), number, any::<bool>(), any::<bool>()).prop_map(
        |(kind, name, wanted, there, ready, done, gone)| {
            let name = ["chat-synapse-main", "chat-synapse-worker", "chat-syn2mas"][name];
            let status = json!({"replicas": there, "readyReplicas": ready, "active": wanted, "phase": "Running",
                "conditions": [{"type": "Complete", "status": if done { "True" } else { "False" }}]});
            (kind, labelled(name, json!({"spec": {"replicas": wanted}, "status": status})), gone)
        },
    )
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_order_the_numbers_are_possible(news in prop::collection::vec(anything(), 0..40)) {
        let mut it = Watched::new();
        for (kind, object, gone) in news {
            let said = if gone { it.lose(kind, [object]) } else { it.see(kind, [object]) };
            let words: Vec<&str> = said.split(' ').collect();
            for place in 0..words.len().saturating_sub(2) {
                let number = |word: &str| word.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().ok();
                if words[place + 1] == "of"
                    && let (Some(part), Some(whole)) = (number(words[place]), number(words[place + 2]))
                {
                    prop_assert!(part <= whole, "{said}");
                }
            }
        }
    }
}
