use serde_json::json;

use super::*;
use crate::cluster::client::connect::Limits;
use crate::cluster::stub::{Seen, Step, Stub};

/// A server with these deployments and versions, with or without permission for other namespaces.
#[derive(Clone)]
struct World {
    there: &'static [(&'static str, &'static str)],
    versions: &'static [&'static str],
    everywhere: bool,
    markers: Option<&'static str>,
}

const BOTH: &[&str] = &["v1alpha2", "v1alpha1"];

impl World {
    fn of(there: &'static [(&'static str, &'static str)]) -> Self {
        Self { there, versions: BOTH, everywhere: true, markers: None }
    }

    fn answer(&self, seen: &Seen) -> Step {
        let path = seen.line.trim_start_matches("GET ").split('?').next().expect("path").to_owned();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let namespace = parts.iter().position(|part| *part == "namespaces").map(|at| parts[at + 1]);
        let forbidden =
            Step::json(403, &json!({"kind": "Status", "code": 403, "message": "User \"jane\" cannot list resource"}));
        if namespace.is_none() && !self.everywhere {
            return forbidden;
        }
        if path.ends_with("configmaps") {
            let items: Vec<Value> = self
                .markers
                .iter()
                .map(|place| json!({"metadata": {"name": "ess-markers", "namespace": place}, "data": {"MATRIX_STACK_MSC3861": "1"}}))
                .chain([json!({"metadata": {"name": "other-markers", "namespace": "a"}}), json!({"metadata": {"name": "kube-root-ca.crt", "namespace": "a"}, "data": {}})])
                .filter(|item| namespace.is_none_or(|namespace| item["metadata"]["namespace"] == namespace))
                .collect();
            return Step::json(200, &json!({"metadata": {}, "items": items}));
        }
        if !self.versions.contains(&parts[2]) {
            return Step::Answer(404, "404 page not found\n".to_owned());
        }
        let object = |(place, name): &(&str, &str)| json!({"kind": "ElementDeployment", "metadata": {"name": name, "namespace": place}});
        if let Some(name) = parts.last().filter(|_| parts.last() != Some(&"elementdeployments")) {
            return match self.there.iter().find(|(place, found)| Some(*place) == namespace && found == name) {
                Some(found) => Step::json(200, &object(found)),
                None => Step::json(
                    404,
                    &json!({"kind": "Status", "code": 404, "reason": "NotFound", "details": {"name": name}}),
                ),
            };
        }
        let items: Vec<Value> = self
            .there
            .iter()
            .filter(|(place, _)| namespace.is_none_or(|namespace| namespace == *place))
            .map(object)
            .collect();
        Step::json(200, &json!({"metadata": {}, "items": items}))
    }

    async fn choose(&self, name: Option<&str>, namespace_given: bool) -> (Choice, usize) {
        let world = self.clone();
        let stub = Stub::with_script(Box::new(move |_, seen| world.answer(seen))).await;
        let mut cluster = Cluster::to_stub(&stub.address, Limits::default()).await;
        if namespace_given {
            cluster = cluster.with_namespace_given();
        }
        (cluster.choose(name).await.expect("readable"), stub.count("GET"))
    }
}

fn place(choice: &Choice) -> String {
    match choice {
        Choice::One { target, found_elsewhere, object } => {
            assert_eq!(object["metadata"]["name"], *target.name);
            format!(
                "{}/{}/{}{}",
                target.api_version.as_str(),
                target.namespace,
                target.name,
                if *found_elsewhere { " elsewhere" } else { "" }
            )
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_named_deployment_is_one_request() {
    let (choice, requests) = World::of(&[("ess", "first"), ("ess", "second")]).choose(Some("first"), false).await;
    assert_eq!((place(&choice).as_str(), requests), ("v1alpha2/ess/first", 1));
}

#[tokio::test]
async fn the_only_one_in_the_namespace_is_one_request() {
    let (choice, requests) = World::of(&[("ess", "first"), ("other", "second")]).choose(None, false).await;
    assert_eq!((place(&choice).as_str(), requests), ("v1alpha2/ess/first", 1));
}

#[tokio::test]
async fn the_only_deployment_in_the_cluster_is_used_and_marked() {
    let world = World::of(&[("element-onprem", "first")]);
    for (name, most) in [(None, 2), (Some("first"), 3)] {
        let (choice, requests) = world.choose(name, false).await;
        assert_eq!((place(&choice).as_str(), requests), ("v1alpha2/element-onprem/first elsewhere", most));
    }
}

#[tokio::test]
async fn a_namespace_from_the_flag_is_the_only_one_searched() {
    for name in [None, Some("first")] {
        let (choice, requests) = World::of(&[("element-onprem", "first")]).choose(name, true).await;
        assert!(matches!(choice, Choice::None { elsewhere: Elsewhere::NotLooked, .. }), "{choice:?}");
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn several_deployments_are_listed_and_none_is_selected() {
    let here = World::of(&[("ess", "b"), ("ess", "a")]);
    let Choice::Several(names) = here.choose(None, false).await.0 else { panic!("several") };
    assert_eq!(names, [("ess".to_owned(), "a".to_owned()), ("ess".to_owned(), "b".to_owned())]);
    let elsewhere = World::of(&[("y", "same"), ("x", "same")]);
    for name in [None, Some("same")] {
        let Choice::Several(names) = elsewhere.choose(name, false).await.0 else { panic!("several") };
        assert_eq!(names, [("x".to_owned(), "same".to_owned()), ("y".to_owned(), "same".to_owned())]);
    }
}

#[tokio::test]
async fn other_namespaces_are_not_searched_if_the_namespace_has_deployments() {
    let (choice, _) = World::of(&[("ess", "first"), ("other", "typo")]).choose(Some("typo"), false).await;
    assert!(
        matches!(&choice, Choice::None { elsewhere: Elsewhere::OthersHere(others), .. } if others == &["first"]),
        "{choice:?}"
    );
}

#[tokio::test]
async fn a_missing_permission_for_other_namespaces_is_reported() {
    let world = World { everywhere: false, ..World::of(&[]) };
    for name in [None, Some("first")] {
        let (choice, _) = world.choose(name, false).await;
        assert!(
            matches!(&choice, Choice::None { elsewhere: Elsewhere::NotPossible(error), .. } if error.is_forbidden()),
            "{choice:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_permission_in_the_default_namespace_suggests_the_flag() {
    let refusal = json!({"kind": "Status", "code": 403, "message": "User \"jane\" cannot list resource"});
    let stub = Stub::with_steps(vec![Step::json(403, &refusal)]).await;
    let cluster = Cluster::to_stub(&stub.address, Limits::default()).await;
    let error = cluster.choose(None).await.expect_err("refused");
    assert!(error.hints()[0].ends_with("pass that namespace with -n."), "{:?}", error.hints());
    let error = cluster.with_namespace_given().choose(None).await.expect_err("refused");
    assert!(!error.hints()[0].contains("-n."), "{:?}", error.hints());
}

#[tokio::test]
async fn an_older_release_is_read_in_its_version() {
    let world = World { versions: &["v1alpha1"], ..World::of(&[("ess", "first")]) };
    for name in [None, Some("first")] {
        let (choice, requests) = world.choose(name, false).await;
        assert_eq!((place(&choice).as_str(), requests), ("v1alpha1/ess/first", 2));
    }
}

#[tokio::test]
async fn another_edition_is_known_by_its_marker() {
    let world = World { versions: &[], markers: Some("matrix"), ..World::of(&[]) };
    let (choice, _) = world.choose(None, false).await;
    assert!(
        matches!(&choice, Choice::NotClassic { namespace, config_map } if namespace == "matrix" && config_map == "ess-markers"),
        "{choice:?}"
    );
    // Forbidden or not found: the edition stays unknown.
    let (choice, _) = World { everywhere: false, ..world.clone() }.choose(None, false).await;
    assert!(matches!(choice, Choice::NoCrd), "{choice:?}");
    let (choice, _) = World { markers: None, ..world }.choose(None, false).await;
    assert!(matches!(choice, Choice::NoCrd), "{choice:?}");
}
