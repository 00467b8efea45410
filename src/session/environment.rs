//! Reads the environment of a deployment: the caller's permissions, the operator's Deployment, the Helm release, and the
//! settings of a GitOps tool. Whatever can't be read is unknown; nothing here is an error.

use serde_json::Value;

use super::connect::Session;
use super::reading::{operator, release};
use crate::checks::access::{Access, Permission, Rules};
use crate::checks::{Environment, SelfHealing, Snapshot, permissions};
use crate::cluster::{Selection, foreign};
use crate::deployment::{ChartRelease, Owner};

pub async fn read(session: &Session) -> (Environment, Option<ChartRelease>) {
    let owner = session.deployment.owner();
    let release_name = session.deployment.helm_release().map(|release| release.name);
    let (access, operator, chart, healing) = tokio::join!(
        permissions(session),
        operator(&session.cluster, &session.target.namespace, release_name.as_deref()),
        chart(session),
        healing(session, &owner)
    );
    let release = release(chart, operator.as_ref());
    let now = Some(session.now());
    (Environment { now, access: Some(access), operator, self_healing: healing }, release)
}

/// The rules that apply to the caller, read once per session.
async fn permissions(session: &Session) -> Access {
    let rules = session.rules.get_or_init(|| async {
        let status = session.cluster.rules(&session.target.namespace).await.map_err(|error| error.to_string());
        status.and_then(|all| Rules::read(&all).ok_or_else(|| "the API server lists no rules".to_owned())).into()
    });
    Access { rules: rules.await.clone(), ..Access::unknown("") }
}

/// Reviews one by one the permissions that the list of rules leaves open; none if the list is complete.
pub async fn ask_for_the_rest(session: &Session, snapshot: &Snapshot) -> Vec<(Permission, Option<bool>)> {
    let Some(access) = &snapshot.environment.access else { return Vec::new() };
    let open = permissions::of_the_whole_way(snapshot).into_iter().filter(|one| access.settled_by_rules(one).is_none());
    let namespace = &session.target.namespace;
    let reviews = open.map(|permission| async move {
        let answer = session.cluster.may(permission.question(namespace)).await;
        (permission, answer.unwrap_or_default())
    });
    futures::future::join_all(reviews).await
}

/// The installed chart, if Helm rendered the deployment and its release can be read.
async fn chart(session: &Session) -> Option<ChartRelease> {
    let release = session.deployment.helm_release()?;
    let namespace = release.namespace.as_deref().unwrap_or(&session.target.namespace);
    let secrets = session.cluster.helm_releases(namespace, Some(&release.name)).await.ok()?;
    secrets.iter().find_map(ChartRelease::of_helm_secret)
}

/// The settings of the GitOps tool that owns the manifest, if they can be read.
async fn healing(session: &Session, owner: &Owner) -> Option<SelfHealing> {
    let deployment = &session.deployment;
    match owner {
        Owner::ArgoCd(Some(app)) => {
            // An Application outside Argo CD's own namespace is called NAMESPACE_NAME.
            let name = app.rsplit_once('_').map_or(app.as_str(), |(_, name)| name);
            let selection = Selection { labels: None, fields: Some(format!("metadata.name={name}")) };
            let applications = foreign("argoproj.io", "v1alpha1", "Application", "applications");
            let found = session.cluster.list::<Value>(&applications, None, selection, 2).all().await.ok()?;
            let [application] = found.as_slice() else { return None };
            Some(SelfHealing::of_argo_application(application))
        }
        Owner::Flux(_) => {
            if let Some(healing) = SelfHealing::of_flux_annotations(deployment) {
                return Some(healing);
            }
            let (group, version, kind, plural) = match deployment.label("helm.toolkit.fluxcd.io/name") {
                Some(_) => ("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"),
                None => ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations"),
            };
            let label = |key: &str| deployment.label(&format!("{group}/{key}"));
            let (name, namespace) = (label("name")?, label("namespace")?);
            let resource = foreign(group, version, kind, plural);
            let object = session.cluster.find(&resource, Some(namespace), name).await.ok()??;
            Some(SelfHealing::of_flux(&object))
        }
        _ => None,
    }
}
