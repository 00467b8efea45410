use serde_json::json;

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::resource::resource;
use crate::cluster::stub::{Step, Stub};

const PLENTY: Duration = Duration::from_secs(20);

async fn survey(stub: &Stub, time: Duration) -> Survey {
    Survey::new(&Cluster::to_stub(&stub.address, Limits::default()).await, time)
}

fn pods() -> ApiResource {
    resource::<Pod>()
}

fn log() -> LogOf {
    LogOf { namespace: "ess".into(), pod: "mas-0".into(), container: "mas".into(), previous: false }
}

fn refused(code: u16, message: &str) -> Step {
    Step::json(code, &json!({"kind": "Status", "code": code, "message": message}))
}

#[tokio::test]
async fn a_list_is_read_page_by_page_up_to_its_limit() {
    let page = |number: usize, go_on: &str| {
        Step::json(200, &json!({"metadata": {"continue": go_on}, "items": [{"n": number}]}))
    };
    let stub = Stub::with_steps(vec![page(1, "t1"), page(2, "t2"), page(3, "")]).await;
    let survey = survey(&stub, PLENTY).await;
    let selection = Selection { labels: Some("a=b".into()), fields: None };
    let listed = survey.list(&pods(), Some("ess"), &selection, 2).await.unwrap();
    assert_eq!((listed.items.len(), listed.more), (2, true));
    let lines: Vec<String> = stub.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines[0], "GET /api/v1/namespaces/ess/pods?limit=2&labelSelector=a%3Db");
    assert!(lines[1].contains("continue=t1"), "{lines:?}");
}

#[tokio::test]
async fn the_kinds_of_a_group_are_enumerated_without_naming_any() {
    let stub = Stub::with_script(Box::new(|_, seen| {
        let verbs = json!(["get", "list"]);
        match seen.line.as_str() {
            "GET /apis/matrix.element.io" => Step::json(
                200,
                &json!({"versions": [{"version": "v1alpha2"}, {"version": "v1alpha1"}], "preferredVersion": {"version": "v1alpha2"}}),
            ),
            "GET /apis/matrix.element.io/v1alpha2" => Step::json(
                200,
                &json!({"resources": [
                    {"name": "synapses", "kind": "Synapse", "namespaced": true, "verbs": verbs},
                    {"name": "synapses/status", "kind": "Synapse", "namespaced": true, "verbs": ["get"]},
                    {"name": "classes", "kind": "Class", "namespaced": false, "verbs": verbs},
                ]}),
            ),
            "GET /apis/matrix.element.io/v1alpha1" => Step::json(
                200,
                &json!({"resources": [
                    {"name": "synapses", "kind": "Synapse", "namespaced": true, "verbs": verbs},
                    {"name": "elementwebs", "kind": "ElementWeb", "namespaced": true, "verbs": verbs},
                ]}),
            ),
            other => panic!("{other}"),
        }
    }))
    .await;
    let kinds = survey(&stub, PLENTY).await.kinds("matrix.element.io").await.unwrap();
    let expected = [
        foreign("matrix.element.io", "v1alpha2", "Synapse", "synapses"),
        foreign("matrix.element.io", "v1alpha1", "ElementWeb", "elementwebs"),
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_log_is_its_last_whole_lines() {
    let stub = Stub::with_steps(vec![Step::Answer(200, "one\ntwo\nthree\nfour\n".into())]).await;
    let survey = survey(&stub, PLENTY).await;
    let whole = survey.log(&log(), 100, 1000).await.unwrap();
    assert_eq!(whole, LogEnd { text: "one\ntwo\nthree\nfour\n".into(), cut: false });
    let end = survey.log(&log(), 100, 13).await.unwrap();
    assert_eq!(end, LogEnd { text: "three\nfour\n".into(), cut: true });
    assert!(survey.log(&log(), 4, 1000).await.unwrap().cut, "there may be more before as many lines as were asked for");
    let line = &stub.seen()[0].line;
    assert_eq!(line, "GET /api/v1/namespaces/ess/pods/mas-0/log?container=mas&limitBytes=2097152&tailLines=100");
}

/// `limitBytes` counts from the start: the server would omit the end of a log with long lines.
#[tokio::test]
async fn a_log_with_long_lines_is_requested_with_fewer_lines() {
    let stub = Stub::with_script(Box::new(|_, seen| {
        if seen.line.contains("tailLines=100") {
            Step::Answer(200, "x".repeat(2 << 20))
        } else {
            Step::Answer(200, "the very end\n".into())
        }
    }))
    .await;
    let end = survey(&stub, PLENTY).await.log(&log(), 100, 1000).await.unwrap();
    assert_eq!(end.text, "the very end\n");
    assert!(stub.seen()[1].line.ends_with("tailLines=12"), "{:?}", stub.seen());
}

#[tokio::test]
async fn an_unread_object_is_reported_with_the_reason() {
    let stub = Stub::with_steps(vec![
        refused(
            403,
            "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"ess\"",
        ),
        Step::Answer(404, "404 page not found\n".into()),
        refused(400, "container \"mas\" in pod \"mas-0\" is waiting to start: ContainerCreating"),
        refused(500, "dial tcp 10.0.0.1:10250: connect: connection refused"),
    ])
    .await;
    let survey = survey(&stub, PLENTY).await;
    let (kind, selection) = (pods(), Selection::default());
    let list = || survey.list(&kind, Some("ess"), &selection, 10);
    assert_eq!(list().await.unwrap_err().to_string(), "list pods in namespace ess: not allowed");
    assert_eq!(list().await.unwrap_err().why, Reason::NotThere);
    let unread = survey.log(&log(), 10, 10).await.unwrap_err();
    assert_eq!(
        unread.to_string(),
        "get pods/log of mas-0, container mas, in namespace ess: container \"mas\" in pod \"mas-0\" is waiting to start: ContainerCreating"
    );
    assert!(survey.log(&log(), 10, 10).await.unwrap_err().to_string().ends_with("connection refused"));
}

#[tokio::test]
async fn temporary_failures_are_retried() {
    let stub = Stub::with_steps(vec![Step::Cut, Step::Answer(200, "fine\n".into())]).await;
    assert_eq!(survey(&stub, PLENTY).await.log(&log(), 10, 10).await.unwrap().text, "fine\n");
    let stub = Stub::with_steps(vec![refused(503, "not now")]).await;
    assert_eq!(
        survey(&stub, PLENTY).await.log(&log(), 10, 10).await.unwrap_err().why,
        Reason::Failed("not now".into())
    );
    assert_eq!(stub.count("GET"), 4);
}

#[tokio::test]
async fn the_time_limit_is_never_exceeded() {
    let stub = Stub::with_steps(vec![Step::Silence(Duration::from_secs(30))]).await;
    let short = Duration::from_millis(300);
    let begun = Instant::now();
    let survey_now = survey(&stub, short).await;
    assert_eq!(survey_now.log(&log(), 10, 10).await.unwrap_err().why, Reason::NotReached);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(survey_now.log(&log(), 10, 10).await.unwrap_err().why, Reason::NotReached);
    assert_eq!(stub.count("GET"), 1, "nothing is asked when the time is over");
}
