//! Which deployment is meant: the rules of "Choosing the deployment"; and names for completion.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use serde_json::Value;

use super::client::connect::Cluster;
use super::errors::{ClusterError, ErrorKind};
use super::list::Selection;
use super::read::with_kind;
use super::resource::{ApiVersion, Target, resource};

#[derive(Debug)]
pub enum Choice {
    One {
        /// Where it is, and the version it is served in.
        target: Target,
        object: Value,
        /// True when it was found outside of the namespace that was asked for by default; a person must be told which.
        found_elsewhere: bool,
    },
    /// More than one could be meant: namespace and name of each, sorted.
    Several(Vec<(String, String)>),
    None {
        namespace: String,
        name: Option<String>,
        elsewhere: Elsewhere,
    },
    /// The API is not there; this is ESS Pro or Community, told by the marker ConfigMap of its Helm chart.
    NotClassic {
        namespace: String,
        config_map: String,
    },
    /// The API is not there, and no sign of another edition was found (or none could be looked for).
    NoCrd,
}

#[derive(Debug)]
pub enum Elsewhere {
    /// `-n` was given, so only that namespace counts.
    NotLooked,
    Nothing,
    /// The default namespace holds others than the one named, so the search ended there: their names.
    OthersHere(Vec<String>),
    /// It was not possible, mostly for want of permission.
    NotPossible(ClusterError),
}

/// The key by which the chart `matrix-stack` (ESS Pro and Community) marks its migration to MAS.
const MARKER_KEY: &str = "MATRIX_STACK_MSC3861";

impl Cluster {
    /// Finds the deployment. One request where it is named, or alone in its namespace; one or two more otherwise.
    ///
    /// Errors are those of reading. A version that is not served is none.
    pub async fn choose(&self, name: Option<&str>) -> Result<Choice, ClusterError> {
        for version in ApiVersion::ALL {
            let chosen = match name {
                Some(name) => self.choose_named(version, name).await,
                None => self.choose_any(version).await,
            };
            match chosen {
                Err(error) if *error.kind() == ErrorKind::NoSuchApi => {}
                // Somebody with rights in one namespace only, whose context names another one or none.
                Err(error) if error.is_forbidden() && !self.namespace_given() => {
                    return Err(error.with_hint("If the deployment is in another namespace, name that one with -n."));
                }
                other => return other,
            }
        }
        Ok(self.other_edition().await)
    }

    async fn choose_named(&self, version: ApiVersion, name: &str) -> Result<Choice, ClusterError> {
        let namespace = self.namespace();
        if let Some(object) = self.find(&version.resource(), namespace, name).await? {
            return Ok(one(version, object, false));
        }
        let none = |elsewhere| Choice::None { namespace: namespace.to_owned(), name: Some(name.to_owned()), elsewhere };
        if self.namespace_given() {
            return Ok(none(Elsewhere::NotLooked));
        }
        let all = match self.names(version, None).await {
            Ok(all) => all,
            Err(error) => return Ok(none(Elsewhere::NotPossible(error))),
        };
        let here: Vec<String> =
            all.iter().filter(|(place, _)| place == namespace).map(|(_, name)| name.clone()).collect();
        if !here.is_empty() {
            return Ok(none(Elsewhere::OthersHere(here)));
        }
        let matching: Vec<(String, String)> = all.into_iter().filter(|(_, found)| found == name).collect();
        Ok(match matching.as_slice() {
            [] => none(Elsewhere::Nothing),
            [(place, name)] => one(version, self.get(&version.resource(), place.as_str(), name).await?, true),
            _ => Choice::Several(matching),
        })
    }

    async fn choose_any(&self, version: ApiVersion) -> Result<Choice, ClusterError> {
        let namespace = self.namespace();
        if let Some(choice) = self.among(version, Some(namespace)).await? {
            return Ok(choice);
        }
        let none = |elsewhere| Choice::None { namespace: namespace.to_owned(), name: None, elsewhere };
        if self.namespace_given() {
            return Ok(none(Elsewhere::NotLooked));
        }
        Ok(match self.among(version, None).await {
            Ok(choice) => choice.unwrap_or_else(|| none(Elsewhere::Nothing)),
            Err(error) => none(Elsewhere::NotPossible(error)),
        })
    }

    /// What there is to choose from in a namespace, or anywhere; two objects are enough to know that there are several.
    async fn among(&self, version: ApiVersion, namespace: Option<&str>) -> Result<Option<Choice>, ClusterError> {
        let mut pages = self.list::<Value>(&version.resource(), namespace, Selection::default(), 2);
        let mut found = Vec::new();
        // A page may be empty although another one follows.
        while let Some(page) = pages.next().await? {
            found.extend(page.items);
            if found.len() > 1 {
                return self.names(version, namespace).await.map(|names| Some(Choice::Several(names)));
            }
        }
        Ok(found.pop().map(|object| one(version, object, namespace.is_none())))
    }

    /// Namespace and name of every deployment, sorted. Metadata only.
    async fn names(&self, version: ApiVersion, namespace: Option<&str>) -> Result<Vec<(String, String)>, ClusterError> {
        let all = self.list::<Value>(&version.resource(), namespace, Selection::default(), 500).metadata_only();
        let mut names: Vec<(String, String)> =
            all.all().await?.iter().map(|object| (metadata(object, "namespace"), metadata(object, "name"))).collect();
        names.sort();
        Ok(names)
    }

    pub async fn namespace_names(&self) -> Result<Vec<String>, ClusterError> {
        let all = self.list::<Value>(&resource::<Namespace>(), None, Selection::default(), 500).metadata_only();
        Ok(all.all().await?.iter().map(|namespace| metadata(namespace, "name")).collect())
    }

    /// The deployments that a command could mean: those of the namespace, or of all of them where that one has none and was
    /// not asked for.
    pub async fn deployment_names(&self) -> Result<Vec<String>, ClusterError> {
        for version in ApiVersion::ALL {
            let mut found = match self.names(version, Some(self.namespace())).await {
                Err(error) if *error.kind() == ErrorKind::NoSuchApi => continue,
                other => other?,
            };
            if found.is_empty() && !self.namespace_given() {
                found = self.names(version, None).await?;
            }
            let mut names: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
            names.sort();
            names.dedup();
            return Ok(names);
        }
        Ok(Vec::new())
    }

    /// Looks for the mark of another edition: in the namespace at hand, then everywhere, as far as that is allowed.
    async fn other_edition(&self) -> Choice {
        let here = self.marker(Some(self.namespace())).await;
        let found = match here {
            None if !self.namespace_given() => self.marker(None).await,
            found => found,
        };
        found.map_or(Choice::NoCrd, |(namespace, config_map)| Choice::NotClassic { namespace, config_map })
    }

    async fn marker(&self, namespace: Option<&str>) -> Option<(String, String)> {
        let mut pages = self.list::<Value>(&resource::<ConfigMap>(), namespace, Selection::default(), 250);
        // Not being allowed to look only means that nothing more can be said.
        while let Some(page) = pages.next().await.ok()? {
            let marks =
                |map: &&Value| metadata(map, "name").ends_with("-markers") && map["data"][MARKER_KEY].is_string();
            if let Some(map) = page.items.iter().find(marks) {
                return Some((metadata(map, "namespace"), metadata(map, "name")));
            }
        }
        None
    }
}

fn metadata(object: &Value, key: &str) -> String {
    object["metadata"][key].as_str().unwrap_or_default().to_owned()
}

fn one(api_version: ApiVersion, object: Value, found_elsewhere: bool) -> Choice {
    let object = with_kind(object, &api_version.resource());
    let target = Target { api_version, namespace: metadata(&object, "namespace"), name: metadata(&object, "name") };
    Choice::One { target, object, found_elsewhere }
}

#[cfg(test)]
mod tests;
