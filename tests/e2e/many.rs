//! `status -A` with many deployments: pages, and what becomes of a list that cannot be read to its end. On a server of its own,
//! where nobody else's deployments are.

use ess_mas_sandbox::many;
use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::plugin::{Done, Shell};

const COUNT: usize = 450;

/// A page that is not the first.
fn is_later(request: &Request) -> bool {
    request.address.contains("/elementdeployments") && request.address.contains("continue=")
}

/// One server, one test after the other: making so many takes a while.
#[tokio::test]
async fn many_deployments_come_in_pages_and_a_list_that_breaks_off_is_no_document() {
    let server = Sandbox::start(Release::Current).unwrap();
    let namespace = server.namespace().await.unwrap();
    let proxy = Proxy::start(&namespace).await.unwrap();
    let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    let all = async |flags: &str| shell.run(&format!("status -A {flags}")).await;
    none_at_all_is_a_list_without_items(&all("-o json").await, &all("-o yaml").await, &all("").await);

    many::create(&namespace, 0..COUNT).await.unwrap();
    proxy.pass();
    let list = all("-o json").await.expect(0).json();
    let names: Vec<&str> = list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, (0..COUNT).map(many::name).collect::<Vec<_>>());
    let asked: Vec<String> = proxy.log().iter().map(Request::name).collect();
    assert_eq!(asked.len(), 4, "three pages, and the records once: {asked:?}");
    assert_eq!(all("-o yaml").await.expect(0).yaml(), list);
    assert_eq!(all("").await.expect(0).stdout.lines().count(), COUNT + 1);

    // The server refuses to go on, or has forgotten the list and knows no way to go on with it.
    for code in [403, 410] {
        proxy.plan(move |request| if is_later(request) { Fault::answer(code) } else { Fault::None });
        let broken = all("-o json").await.expect(1);
        assert!(broken.stdout.contains(&many::name(0)), "{broken}");
        assert!(serde_json::from_str::<Value>(&broken.stdout).is_err(), "{broken}");
        broken.says("the list above is not complete");
        // Half of a YAML document could be taken for one, half of a table for the whole.
        for flags in ["-o yaml", ""] {
            assert_eq!(all(flags).await.expect(1).stdout, "");
        }
    }
    proxy.plan(
        |request| {
            if request.address.contains("/elementdeployments") { Fault::answer(403) } else { Fault::None }
        },
    );
    let nothing = all("-o json").await.expect(1);
    assert!(nothing.stdout.is_empty() && !nothing.stderr.contains("above"), "{nothing}");

    // Without the records no rehearsal is known; that none has passed was said in silence.
    proxy.plan(|request| if request.address.contains("/configmaps") { Fault::answer(403) } else { Fault::None });
    let unread = all("-o json").await.expect(0);
    assert_eq!(unread.json(), list);
    unread.says("no rehearsal is shown, because the records could not be read");
}

fn none_at_all_is_a_list_without_items(in_json: &Done, in_yaml: &Done, in_words: &Done) {
    let empty = json!({"apiVersion": "ess-mas/v1", "kind": "StatusList", "items": []});
    assert_eq!((in_json.json(), in_yaml.yaml()), (empty.clone(), empty));
    in_words.says("There is no ElementDeployment");
}
