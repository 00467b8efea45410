//! The selection of the deployment, on a server without other tests.

use std::time::Duration;

use ess_mas_sandbox::crds;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::common::command::{Done, Shell};
use crate::common::shape::{assert_shape, status_list};

/// One server, used by one test after another; each starts from the state that the previous one left.
#[tokio::test]
async fn the_deployment_is_chosen_as_specified() {
    let server = Sandbox::start(Release::Current).unwrap();
    let (a, b, c) =
        (server.namespace().await.unwrap(), server.namespace().await.unwrap(), server.namespace().await.unwrap());
    let in_a = Shell::new(&a);
    none_at_all(&in_a, a.name()).await;

    let first = Deployment::new("first", b.name());
    b.create(&first).await.unwrap();
    the_only_one_elsewhere(&in_a, a.name(), b.name()).await;

    let second = Deployment::new("second", a.name());
    a.create(&second).await.unwrap();
    several(&in_a, &Shell::new(&c), a.name(), b.name()).await;
    without_permission_for_other_namespaces(&c).await;

    let operator = Operator::start(a.client().unwrap(), a.scope(), Behaviour::default());
    few_requests(&server, &in_a, &operator, &second).await;
    drop(operator);

    only_the_older_version(&server, &in_a).await;
    older_releases(&server, &Shell::new(&b), &first).await;
    no_api_at_all(&server, &in_a, &c).await;
}

async fn none_at_all(shell: &Shell, namespace: &str) {
    shell.run("status").await.expect(1).says("no ElementDeployment").says(namespace).says("any other");
    shell.run("status -n nowhere").await.expect(1).says("in namespace nowhere");
    let all = shell.run("status -A").await.expect(0);
    all.says("no ElementDeployment in any namespace");
    assert_eq!(all.stdout, "");
    assert_eq!(shell.run("status -A -o json").await.expect(0).json()["items"], json!([]));
    shell.run("activate --confirm x --backup y-shelf").await.expect(1).says("no ElementDeployment");
}

async fn the_only_one_elsewhere(shell: &Shell, here: &str, there: &str) {
    let done = shell.run("status").await.expect(0);
    done.shows("first in ").says(&format!("using first in {there}")).says(here);
    let json = shell.run("status -o json").await.expect(0);
    assert_eq!(json.json()["items"][0]["namespace"], there);
    json.says("using first in");
    shell.run("status first").await.expect(0).says("using first in");
    shell.run(&format!("status -n {here}")).await.expect(1).says(&format!("in namespace {here}"));
    let there = shell.run(&format!("status -n {there}")).await.expect(0);
    assert_eq!(there.stderr, "");
    shell.run("status other").await.expect(1).says("no ElementDeployment other");
}

async fn several(in_a: &Shell, in_c: &Shell, a: &str, b: &str) {
    // The namespace of the context has priority, and its only deployment is used.
    let done = in_a.run("status").await.expect(0);
    done.shows("second in ");
    assert_eq!(done.stderr, "");
    in_a.run("status first").await.expect(1).says("no ElementDeployment first").says("second");
    in_a.run(&format!("status first -n {b}")).await.expect(0).shows("first in ");
    for line in ["status", "status -o json", "check", "prepare --yes", "dry-run --yes", "activate", "abort --yes"] {
        let done = in_c.run(line).await.expect(2);
        assert_eq!(done.stdout, "", "{done}");
        done.says(&format!("{a}/second")).says(&format!("{b}/first"));
    }
    in_c.run("status second").await.expect(0).says("using second in");
    let all = in_c.run("status -A").await.expect(0);
    all.shows("first").shows("second").shows(a).shows(b);
    let json = in_c.run("status -A -o json").await.expect(0).json();
    assert_shape(&json, &status_list());
    assert_eq!(json["items"].as_array().map(Vec::len), Some(2));
    in_c.run("status first -A").await.expect(2).says("--all-namespaces");
}

async fn without_permission_for_other_namespaces(c: &Namespace<'_>) {
    let rules: Vec<PolicyRule> = serde_json::from_value(json!([
        {"apiGroups": ["matrix.element.io"], "resources": ["elementdeployments"], "verbs": ["get", "list"]},
    ]))
    .unwrap();
    let user = c.user("narrow", rules).await.unwrap();
    let shell = Shell::with_kubeconfig(&user.kubeconfig);
    let done = shell.run("status").await.expect(1);
    done.says("can't be listed").says("not allowed").says("-n");
}

/// The number of requests by the API server's metrics, without its internal requests and those for the metrics.
async fn requests(server: &Sandbox) -> u64 {
    let request = http::Request::get("/metrics").body(Vec::new()).unwrap();
    let text = server.client().unwrap().request_text(request).await.unwrap();
    let ours =
        ["elementdeployments", "secrets", "configmaps", "selfsubjectreviews", "selfsubjectaccessreviews", "namespaces"];
    let counts = text.lines().filter(|line| line.starts_with("apiserver_request_total{")).filter(|line| {
        let resource = line.split("resource=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        // Discovery and published schemas have no resource.
        ours.contains(&resource) || line.contains("subresource=\"/openapi") || line.contains("subresource=\"/api")
    });
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

async fn few_requests(server: &Sandbox, shell: &Shell, operator: &Operator, deployment: &Deployment) {
    let api = deployment.api(&server.client().unwrap());
    reconciled(&api, deployment.name()).await;
    let host = deployment.mas_host();
    let words = [
        "prepare",
        "--host",
        &host,
        "--database-host",
        "pg",
        "--database-name",
        "mas",
        "--database-user",
        "mas",
        "--database-password-file",
        "-",
        "--yes",
    ];
    let _ = shell.run_words(&words, Some("pw")).await.expect(0);
    let _ = shell.run("dry-run --yes").await.expect(0);
    operator.wait_for_end().await;
    for line in ["status second", "status", "status -o json"] {
        // The server occasionally sends requests to itself, so the minimum of a few counts is used.
        let mut counts = Vec::new();
        for _ in 0..3 {
            let before = requests(server).await;
            let done = shell.run(line).await.expect(0);
            assert!(done.stdout.contains("second") && !done.stdout.contains("not compared"), "{done}");
            counts.push(requests(server).await - before);
        }
        let count = counts.iter().min().copied().unwrap();
        // One round trip: the deployment, the record, the MAS Secret, the Helm releases and the operator's Deployment.
        assert!((1..=5).contains(&count), "`{line}` makes {counts:?} requests");
    }
}

async fn only_the_older_version(server: &Sandbox, shell: &Shell) {
    let definitions = Api::<CustomResourceDefinition>::all(server.client().unwrap());
    let now = definitions.get(crds::NAME).await.unwrap();
    let index = now.spec.versions.iter().position(|version| version.name == "v1alpha2").unwrap();
    let serve = async |served: bool| {
        let patch = json!([{"op": "replace", "path": format!("/spec/versions/{index}/served"), "value": served}]);
        let patch: Patch<()> = Patch::Json(serde_json::from_value(patch).unwrap());
        definitions.patch(crds::NAME, &PatchParams::default(), &patch).await.unwrap();
        let address = "/apis/matrix.element.io/v1alpha2/elementdeployments";
        for _ in 0..400 {
            let request = http::Request::get(address).body(Vec::new()).unwrap();
            if server.client().unwrap().request::<Value>(request).await.is_ok() == served {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("v1alpha2 served: {served} did not come about");
    };
    serve(false).await;
    shell.run("status").await.expect(0).shows("ready to migrate");
    shell.run("status -A").await.expect(0).shows("first");
    let done = shell.run("activate --preview").await.expect(0);
    done.says("active").says("nothing was written");
    serve(true).await;
}

/// Retries, because the server ends its watches when a version is added or removed.
async fn reconciled(api: &Api<DynamicObject>, name: &str) {
    for _ in 0..400 {
        let object = serde_json::to_value(api.get(name).await.unwrap()).unwrap();
        if crate::common::scene::condition(&object, "Successful") == "True" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{name} was not reconciled in 10 s");
}

/// A release whose CRD lacks `active` would drop the field silently.
async fn older_releases(server: &Sandbox, shell: &Shell, deployment: &Deployment) {
    let client = server.client().unwrap();
    let operator =
        Operator::start(client.clone(), Scope::Namespace(deployment.namespace().to_owned()), Behaviour::default());
    let api = deployment.api(&client);
    reconciled(&api, deployment.name()).await;
    drop(operator);
    for (release, missing) in [
        (Release::WithoutMigration, "no field config.active"),
        (Release::WithoutMas, "no component matrixAuthenticationService"),
    ] {
        crds::install(&client, release).await.unwrap();
        let before = api.get(deployment.name()).await.unwrap();
        let refused = |done: Done| {
            let done = done.expect(10);
            done.says(missing).says("25.09.01").says("nothing was changed");
        };
        let words = [
            "prepare",
            "--host",
            "auth.example.com",
            "--database-host",
            "pg",
            "--database-name",
            "mas",
            "--database-user",
            "mas",
            "--database-password-file",
            "-",
            "--yes",
        ];
        refused(shell.run_words(&words, Some("pw")).await);
        refused(shell.run("dry-run --yes").await);
        refused(shell.run_words(&["activate", "--confirm", "first", "--backup", "shelf"], None).await);
        shell.run("check").await.expect(10).shows("mas-supported");
        let _ = shell.run("status").await.expect(0);
        assert_eq!(api.get(deployment.name()).await.unwrap(), before);
    }
}

async fn no_api_at_all(server: &Sandbox, shell: &Shell, elsewhere: &Namespace<'_>) {
    let client = server.client().unwrap();
    crds::remove(&client).await.unwrap();
    for line in ["status", "status first", "status -A", "dry-run --yes"] {
        shell.run(line).await.expect(1).says("ESS Classic is not installed there");
    }
    let user = elsewhere.user("blind", Vec::new()).await.unwrap();
    let blind = Shell::with_kubeconfig(&user.kubeconfig);
    let marker: ConfigMap = serde_json::from_value(json!({
        "metadata": {"name": "ess-markers", "namespace": elsewhere.name()}, "data": {"MATRIX_STACK_MSC3861": "syn2mas_migrated"},
    }))
    .unwrap();
    let maps = Api::<ConfigMap>::namespaced(client, elsewhere.name());
    maps.create(&PostParams::default(), &marker).await.unwrap();
    for line in ["status", "status first", "status -A", "dry-run --yes"] {
        let done = shell.run(line).await.expect(1);
        done.says("ESS Pro").says("matrix-stack").says("differently").says("ess-markers");
    }
    // Without the permission to list, the output does not claim that nothing exists.
    let done = blind.run("status").await.expect(1);
    assert!(!done.stderr.contains("ESS Pro"), "{done}");
}
