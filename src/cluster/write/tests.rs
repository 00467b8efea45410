use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::{Value, json};

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::resource::{ApiVersion, resource};
use crate::cluster::stub::{Seen, Step, Stub};

/// A server with one ElementDeployment: compare-and-set, a new version for each change.
struct World {
    on_its_way: Option<Seen>,
    object: Option<Value>,
    version: u32,
    stored: usize,
}

/// The fault of a write.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    None,
    /// No response; the write reaches the server together with the next one.
    Late,
    Status(u16),
    /// The write is stored, but the response has this status.
    StatusAfter(u16),
    CutBefore,
    CutAfter,
    HalfAfter,
    SilenceBefore,
    SilenceAfter,
}

impl World {
    fn with_object() -> Self {
        let object = json!({"apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment",
            "metadata": {"name": "first", "namespace": "ess", "uid": "a", "resourceVersion": "5"}, "spec": {"active": false}});
        Self { on_its_way: None, object: Some(object), version: 5, stored: 0 }
    }

    fn read(&self) -> Step {
        self.object.as_ref().map_or_else(|| Step::json(404, &status(404, "NotFound")), |object| Step::json(200, object))
    }

    /// Applies a write like the API server and returns its response.
    fn write(&mut self, seen: &Seen) -> (u16, Value) {
        let body: Value = serde_json::from_str(&seen.body).expect("json");
        match (&mut self.object, seen.line.split(' ').next()) {
            (Some(_), Some("POST")) => (409, status(409, "AlreadyExists")),
            (None, Some("POST")) => {
                self.version += 1;
                self.stored += 1;
                let mut object = body;
                object["metadata"]["resourceVersion"] = self.version.to_string().into();
                self.object = Some(object.clone());
                (201, object)
            }
            (None, _) => (404, status(404, "NotFound")),
            (Some(object), _) => {
                if body["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
                    return (409, status(409, "Conflict"));
                }
                self.version += 1;
                self.stored += 1;
                object["spec"] = body["spec"].clone();
                object["metadata"]["resourceVersion"] = self.version.to_string().into();
                (200, object.clone())
            }
        }
    }

    fn changed_by_somebody(&mut self) {
        self.version += 1;
        if let Some(object) = &mut self.object {
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
        }
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": "told by the stub", "details": {"name": "first", "kind": "x"}})
}

struct Run {
    outcome: WriteOutcome,
    stub: Stub,
    world: Arc<Mutex<World>>,
}

impl Run {
    fn stored(&self) -> usize {
        self.world.lock().expect("lock").stored
    }

    fn sent(&self) -> usize {
        self.stub.seen().iter().filter(|seen| !seen.line.starts_with("GET")).count()
    }
}

async fn run(world: World, write: &Write, faults: &[Fault], blind: bool, somebody: bool) -> Run {
    let world = Arc::new(Mutex::new(world));
    let inside = Arc::clone(&world);
    let faults = faults.to_vec();
    let mut writes = 0;
    let stub = Stub::with_script(Box::new(move |_, seen| {
        let mut world = inside.lock().expect("lock");
        if seen.line.starts_with("GET") {
            return if blind { Step::Cut } else { world.read() };
        }
        let fault = faults.get(writes).copied().unwrap_or(Fault::None);
        writes += 1;
        if let Some(late) = world.on_its_way.take() {
            world.write(&late);
        }
        if fault == Fault::Late {
            world.on_its_way = Some(seen.clone());
        }
        let forwarded = matches!(
            fault,
            Fault::None | Fault::StatusAfter(_) | Fault::CutAfter | Fault::HalfAfter | Fault::SilenceAfter
        );
        let answer = forwarded.then(|| world.write(seen));
        if somebody {
            world.changed_by_somebody();
        }
        match (fault, answer) {
            (Fault::None, Some((code, body))) => Step::json(code, &body),
            (Fault::HalfAfter, Some((_, body))) => Step::Half(body.to_string()[..20].to_owned()),
            (Fault::Status(code) | Fault::StatusAfter(code), _) => Step::json(code, &status(code, "X")),
            (Fault::SilenceBefore | Fault::SilenceAfter, _) => Step::Silence(Duration::from_mins(1)),
            _ => Step::Cut,
        }
    }))
    .await;
    let limits = Limits { write_answer: Some(Duration::from_millis(300)), ..Limits::default() };
    let cluster = Cluster::to_stub(&stub.address, limits).await;
    let patience = RetryPolicy {
        pause: Duration::from_millis(5),
        read_back: [Duration::from_millis(5); 4],
        unreachable: Duration::from_millis(300),
    };
    let outcome = cluster.write_with(write, |object| object["spec"]["active"] == true, patience).await;
    Run { outcome, stub, world }
}

fn patch() -> Write {
    let target = Target { api_version: ApiVersion::V1Alpha2, namespace: "ess".to_owned(), name: "first".to_owned() };
    Write::patch_deployment(&target, json!({"metadata": {"resourceVersion": "5"}, "spec": {"active": true}}))
}

#[tokio::test]
async fn a_write_is_one_request_with_version_field_manager_and_strict_validation() {
    let run = run(World::with_object(), &patch(), &[], false, false).await;
    let WriteOutcome::Applied(written) = &run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!(written.object["metadata"]["resourceVersion"], "6");
    assert!(!written.read_back);
    let seen = run.stub.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen[0].line,
        "PATCH /apis/matrix.element.io/v1alpha2/namespaces/ess/elementdeployments/first?fieldManager=kubectl-ess-mas&fieldValidation=Strict"
    );
    assert!(seen[0].headers.to_lowercase().contains("content-type: application/merge-patch+json"));
    let agent = concat!("user-agent: kubectl-ess-mas/", env!("CARGO_PKG_VERSION"), " (");
    assert!(seen[0].headers.to_lowercase().contains(agent), "{}", seen[0].headers);
    assert_eq!(
        serde_json::from_str::<Value>(&seen[0].body).expect("json"),
        json!({"metadata": {"resourceVersion": "5"}, "spec": {"active": true}})
    );
}

/// With every fault at every attempt, the outcome is true, and nothing is stored twice.
#[tokio::test]
async fn no_fault_leads_to_a_false_outcome_or_a_second_change() {
    let faults = [
        Fault::None,
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(504),
        Fault::StatusAfter(500),
        Fault::StatusAfter(504),
        Fault::CutBefore,
        Fault::Late,
        Fault::CutAfter,
        Fault::HalfAfter,
        Fault::SilenceBefore,
        Fault::SilenceAfter,
    ];
    let mut tasks = Vec::new();
    for first in faults {
        for second in faults {
            for (blind, somebody) in [(false, false), (true, false), (false, true)] {
                // Reading back takes seconds to fail, so once per fault is enough.
                if blind && second != Fault::None {
                    continue;
                }
                tasks.push(async move {
                    let run = run(World::with_object(), &patch(), &[first, second, second], blind, somebody).await;
                    let told = format!("{first:?} {second:?} blind {blind} somebody {somebody}: {:?}", run.outcome);
                    let stored = run.stored();
                    assert!(stored <= 1, "{told}");
                    match &run.outcome {
                        WriteOutcome::Applied(_) => assert_eq!(stored, 1, "{told}"),
                        WriteOutcome::Conflict { .. } | WriteOutcome::NotApplied(_) => assert_eq!(stored, 0, "{told}"),
                        // On a busy machine a response may time out; "unknown" is then correct.
                        WriteOutcome::Unknown(error) => {
                            assert!(blind || matches!(error.kind(), ErrorKind::Timeout { .. }), "{told}");
                        }
                    }
                });
            }
        }
    }
    // In groups: all at once would time out.
    futures::stream::iter(tasks).buffer_unordered(24).collect::<()>().await;
}

#[tokio::test]
async fn a_stored_write_with_a_lost_response_is_applied_without_a_retry() {
    for fault in [Fault::CutAfter, Fault::HalfAfter, Fault::StatusAfter(504), Fault::SilenceAfter] {
        let run = run(World::with_object(), &patch(), &[fault], false, false).await;
        assert!(
            matches!(&run.outcome, WriteOutcome::Applied(written) if written.read_back),
            "{fault:?}: {:?}",
            run.outcome
        );
        assert_eq!(run.sent(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_write_is_retried() {
    for fault in [Fault::CutBefore, Fault::Status(503), Fault::Status(429), Fault::Status(500)] {
        let run = run(World::with_object(), &patch(), &[fault], false, false).await;
        assert!(matches!(&run.outcome, WriteOutcome::Applied(_)), "{fault:?}: {:?}", run.outcome);
        assert_eq!((run.sent(), run.stored()), (2, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn conflict_caused_by_an_earlier_attempt_is_applied() {
    let run = run(World::with_object(), &patch(), &[Fault::Late], false, false).await;
    assert!(matches!(&run.outcome, WriteOutcome::Applied(written) if written.read_back), "{:?}", run.outcome);
    assert_eq!((run.sent(), run.stored()), (2, 1));
}

#[tokio::test]
async fn a_conflict_is_not_applied_and_returns_the_current_object() {
    let mut world = World::with_object();
    world.changed_by_somebody();
    let run = run(world, &patch(), &[], false, false).await;
    let WriteOutcome::Conflict { now, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!(now.as_ref().expect("read")["metadata"]["resourceVersion"], "6");
    assert_eq!(run.sent(), 1, "never again with another version");
}

#[tokio::test]
async fn an_identical_change_of_another_client_is_not_ours() {
    let mut world = World::with_object();
    world.changed_by_somebody();
    world.object.as_mut().expect("there")["spec"]["active"] = true.into();
    let run = run(world, &patch(), &[], false, false).await;
    assert!(matches!(run.outcome, WriteOutcome::Conflict { .. }), "{:?}", run.outcome);
}

#[tokio::test]
async fn a_refusal_is_final() {
    for code in [400, 401, 403, 404, 422] {
        let run = run(World::with_object(), &patch(), &[Fault::Status(code)], false, false).await;
        assert!(matches!(run.outcome, WriteOutcome::NotApplied(_)), "{code}: {:?}", run.outcome);
        assert_eq!(run.stub.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_read_back_is_unknown() {
    let run = run(World::with_object(), &patch(), &[Fault::CutAfter], true, false).await;
    assert!(matches!(run.outcome, WriteOutcome::Unknown(_)), "{:?}", run.outcome);
}

#[tokio::test]
async fn a_write_that_timed_out_is_unknown() {
    let run = run(World::with_object(), &patch(), &[Fault::SilenceBefore], false, false).await;
    let WriteOutcome::Unknown(error) = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }));
    assert_eq!(run.sent(), 1);
}

#[tokio::test]
async fn a_dead_server_means_not_applied() {
    // Bound without listening: refuses connections, and no other process gets the port.
    let port = tokio::net::TcpSocket::new_v4().expect("a socket");
    port.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = port.local_addr().expect("address");
    let cluster = Cluster::to_stub(&format!("http://{address}"), Limits::default()).await;
    let outcome = cluster.write(&patch(), |_| true).await;
    assert!(
        matches!(outcome, WriteOutcome::NotApplied(error) if matches!(error.kind(), ErrorKind::Unreachable { .. }))
    );
}

fn creation() -> Write {
    Write::patch(resource::<Secret>(), "ess", "ess-mas", json!({"spec": {"active": true}}))
}

#[tokio::test]
async fn creating_twice_is_impossible() {
    let empty = || World { on_its_way: None, object: None, version: 5, stored: 0 };
    let lost = run(empty(), &creation(), &[Fault::CutAfter], false, false).await;
    assert!(matches!(&lost.outcome, WriteOutcome::Applied(written) if written.read_back), "{:?}", lost.outcome);
    assert_eq!((lost.sent(), lost.stored()), (1, 1));
    let again = run(empty(), &creation(), &[Fault::CutBefore], false, false).await;
    assert!(matches!(again.outcome, WriteOutcome::Applied(_)), "{:?}", again.outcome);
    assert_eq!((again.sent(), again.stored()), (2, 1));
    let there = run(World::with_object(), &creation(), &[], false, false).await;
    let WriteOutcome::Conflict { error, now: Some(_) } = &there.outcome else { panic!("{:?}", there.outcome) };
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn a_dry_run_sets_the_parameter_and_returns_warnings() {
    let object = World::with_object().object.expect("there").to_string();
    let stub = Stub::with_steps(vec![
        Step::Answer(503, String::new()),
        Step::AnswerWith(200, "Warning: 299 - \"careful\"", object),
    ])
    .await;
    let cluster = Cluster::to_stub(&stub.address, Limits::default()).await;
    let written = cluster.dry_run(&patch()).await.expect("answered");
    assert_eq!(written.warnings, ["careful"]);
    assert!(stub.seen().iter().all(|seen| seen.line.ends_with("fieldValidation=Strict&dryRun=All")));
    assert_eq!(stub.seen().len(), 2, "a dry run is repeated like a read");
}

#[test]
fn bodies_contain_their_resource_version() {
    let object = json!({"metadata": {"resourceVersion": "9"}, "data": {"a": "b"}});
    let replaced = Write::replace(resource::<ConfigMap>(), "ess", "record", object);
    assert_eq!(
        replaced.body,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "ess", "name": "record", "resourceVersion": "9"}, "data": {"a": "b"}})
    );
    assert_eq!(
        creation().body,
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "ess", "name": "ess-mas"}, "spec": {"active": true}})
    );
}
