//! Selects the ElementDeployment of a command, and lists names for completion.

use std::collections::BTreeSet;

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
        target: Target,
        object: Value,
        /// Whether it is outside the context's namespace; the caller reports the namespace.
        found_elsewhere: bool,
    },
    /// Several deployments match: namespace and name of each, sorted.
    Several(Vec<(String, String)>),
    None {
        name: Option<String>,
        elsewhere: Elsewhere,
    },
    /// The API is not served; the marker ConfigMap of the Helm chart shows that this is ESS Pro or Community.
    NotClassic {
        namespace: String,
        config_map: String,
    },
    /// The API is not served, and no marker of another edition was found or could be read.
    NoCrd,
}

#[derive(Debug)]
pub enum Elsewhere {
    /// Not searched, because `-n` selects the namespace.
    NotLooked,
    Nothing,
    /// Not searched, because the context's namespace has other deployments: their names.
    OthersHere(Vec<String>),
    /// The search failed, usually for lack of permissions.
    NotPossible(ClusterError),
}

/// The key with which the chart `matrix-stack` (ESS Pro and Community) marks its migration to MAS.
const MARKER_KEY: &str = "MATRIX_STACK_MSC3861";

impl Cluster {
    /// Finds the deployment. One request if `name` is given or the namespace has a single one; otherwise one or two more.
    ///
    /// A version that is not served is no error.
    pub async fn choose(&self, name: Option<&str>) -> Result<Choice, ClusterError> {
        for version in ApiVersion::ALL {
            match self.choose_served(version, name).await {
                Err(error) if *error.kind() == ErrorKind::NoSuchApi => {}
                // The user may have permissions in one namespace only, and a context with another one or none.
                Err(error) if error.is_forbidden() && !self.namespace_given => {
                    return Err(
                        error.with_hint("If the deployment is in another namespace, pass that namespace with -n.")
                    );
                }
                other => return other,
            }
        }
        Ok(self.other_edition().await)
    }

    async fn choose_served(&self, version: ApiVersion, name: Option<&str>) -> Result<Choice, ClusterError> {
        let namespace = &self.namespace;
        let here = match name {
            Some(name) => {
                let object = self.find(&version.resource(), Some(namespace), name).await?;
                object.map(|object| one(version, object, false))
            }
            None => self.among(version, Some(namespace)).await?,
        };
        if let Some(choice) = here {
            return Ok(choice);
        }
        let asked = name.map(str::to_owned);
        let none = |elsewhere| Choice::None { name: asked, elsewhere };
        if self.namespace_given {
            return Ok(none(Elsewhere::NotLooked));
        }
        let Some(name) = name else {
            return Ok(match self.among(version, None).await {
                Ok(choice) => choice.unwrap_or_else(|| none(Elsewhere::Nothing)),
                Err(error) => none(Elsewhere::NotPossible(error)),
            });
        };
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
            [(place, name)] => one(version, self.get(&version.resource(), Some(place), name).await?, true),
            _ => Choice::Several(matching),
        })
    }

    /// The deployments in a namespace, or in all; reads full objects only until there are two.
    async fn among(&self, version: ApiVersion, namespace: Option<&str>) -> Result<Option<Choice>, ClusterError> {
        let mut pages = self.list::<Value>(&version.resource(), namespace, Selection::default(), 2);
        let mut found = Vec::new();
        // A page may be empty and have a next one.
        while let Some(page) = pages.next().await? {
            found.extend(page.items);
            if found.len() > 1 {
                return self.names(version, namespace).await.map(|names| Some(Choice::Several(names)));
            }
        }
        Ok(found.pop().map(|object| one(version, object, namespace.is_none())))
    }

    /// Namespace and name of every deployment, sorted.
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

    /// The deployments' names in the namespace, or in all namespaces if it has none and is not from `-n`.
    pub async fn deployment_names(&self) -> Result<Vec<String>, ClusterError> {
        for version in ApiVersion::ALL {
            let mut found = match self.names(version, Some(&self.namespace)).await {
                Err(error) if *error.kind() == ErrorKind::NoSuchApi => continue,
                other => other?,
            };
            if found.is_empty() && !self.namespace_given {
                found = self.names(version, None).await?;
            }
            let names: BTreeSet<String> = found.into_iter().map(|(_, name)| name).collect();
            return Ok(names.into_iter().collect());
        }
        Ok(Vec::new())
    }

    /// Searches the marker of another edition in the namespace, then in all namespaces, if permitted.
    async fn other_edition(&self) -> Choice {
        let mut found = self.marker(Some(&self.namespace)).await;
        if found.is_none() && !self.namespace_given {
            found = self.marker(None).await;
        }
        found.map_or(Choice::NoCrd, |(namespace, config_map)| Choice::NotClassic { namespace, config_map })
    }

    async fn marker(&self, namespace: Option<&str>) -> Option<(String, String)> {
        let mut pages = self.list::<Value>(&resource::<ConfigMap>(), namespace, Selection::default(), 250);
        // Without permission the edition stays unknown.
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
