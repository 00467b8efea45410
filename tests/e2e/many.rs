//! `status -A` with very many deployments: pages, and what becomes of a list that cannot be read to its end.

use std::sync::atomic::{AtomicUsize, Ordering};

use ess_mas_sandbox::many::{MadeUp, Refusal, name};
use serde_json::{Value, json};

use crate::plugin::{Done, Shell};

async fn all(server: &MadeUp, flags: &str) -> Done {
    let shell = Shell::with_kubeconfig("/nowhere/at/all".as_ref());
    shell.run(&format!("status -A {flags} --server {}", server.address)).await
}

fn refused() -> Refusal {
    let status = json!({"kind": "Status", "code": 403, "reason": "Forbidden", "status": "Failure",
        "message": "elementdeployments.matrix.element.io is forbidden: the night has come"});
    (403, status)
}

#[tokio::test]
async fn many_deployments_come_in_pages_and_each_once() {
    let server = MadeUp::start(450, |_| None).unwrap();
    let list = all(&server, "-o json").await.expect(0).json();
    let names: Vec<&str> = list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, (0..450).map(name).collect::<Vec<_>>());
    assert_eq!(server.asked().len(), 4, "three pages, and the records once: {:?}", server.asked());
    assert_eq!(all(&server, "-o yaml").await.expect(0).yaml(), list);
    let table = all(&server, "").await.expect(0);
    assert_eq!(table.stdout.lines().count(), 451);
}

#[tokio::test]
async fn none_at_all_is_a_list_without_items() {
    let server = MadeUp::start(0, |_| None).unwrap();
    let list = all(&server, "-o json").await.expect(0);
    assert_eq!(list.json(), json!({"apiVersion": "ess-mas/v1", "kind": "StatusList", "items": []}));
    assert_eq!(all(&server, "-o yaml").await.expect(0).yaml(), list.json());
    all(&server, "").await.expect(0).says("There is no ElementDeployment");
}

#[tokio::test]
async fn a_list_that_breaks_off_is_no_document_and_says_so() {
    let server = MadeUp::start(450, |from| (from > 0).then(refused)).unwrap();
    let broken = all(&server, "-o json").await.expect(1);
    assert!(broken.stdout.contains(&name(0)) && serde_json::from_str::<Value>(&broken.stdout).is_err(), "{broken}");
    broken.says("the list above is not complete").says("the night has come");
    // Half of a YAML document could be taken for one, half of a table for the whole.
    for flags in ["-o yaml", ""] {
        let broken = all(&server, flags).await.expect(1);
        assert_eq!(broken.stdout, "", "{broken}");
        broken.says("the night has come");
    }
    let server = MadeUp::start(450, |_| Some(refused())).unwrap();
    let nothing = all(&server, "-o json").await.expect(1);
    assert!(nothing.stdout.is_empty() && !nothing.stderr.contains("above"), "{nothing}");
}

#[tokio::test]
async fn a_list_whose_snapshot_is_forgotten_on_the_way_goes_on() {
    let forgotten = AtomicUsize::new(0);
    let server = MadeUp::start(450, move |from| {
        (from == 200 && forgotten.fetch_add(1, Ordering::Relaxed) == 0).then(|| {
            let status = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old",
                "metadata": {"continue": "afresh-200"}});
            (410, status)
        })
    })
    .unwrap();
    let list = all(&server, "-o json").await.expect(0).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 450);
}
