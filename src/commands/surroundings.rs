//! Reads what lies around the deployment, within a number of requests: the other components' Secrets, what the operator made
//! of Synapse's settings; and asks DNS.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::gather::unreadable;
use super::session::Session;
use crate::checks::surroundings::{ComponentSecret, Resolution, Surroundings};
use crate::checks::synapse::RenderedConfig;
use crate::checks::{Known, secrets_to_look_at};
use crate::cluster::{Resource, Selection};
use crate::deployment::{Owner, TlsMode};
use crate::pki::wipe;
use crate::plan::MasSettings;
use crate::probe::dns;

/// No `check` makes more requests than this.
const MOST_REQUESTS: usize = 12;
/// What others read for every step: the record, the schema, MAS's Secret, and two reviews of permissions.
const OF_OTHERS: usize = 5;
/// The global Secret and Synapse's.
const FIRST: usize = 2;
/// More ConfigMaps than this are not looked through.
const PAGE: u32 = 200;

/// What was read of a component's Secrets and configuration so far.
pub struct Early {
    secrets: Vec<ComponentSecret>,
    /// Secrets that wait for their turn.
    waiting: Vec<String>,
    /// Synapse's configuration in the Secret that is known to hold it; `None` where there is no such Secret.
    rendered: Known<Option<Vec<RenderedConfig>>>,
}

/// A ConfigMap, as much of it as is looked at.
#[derive(Deserialize)]
struct ConfigMap {
    metadata: Named,
    #[serde(default)]
    data: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Session {
    /// The first part: what can be asked for without knowing anything but the object.
    pub async fn surroundings_early(&self) -> Early {
        let mut names = secrets_to_look_at(&self.deployment);
        let waiting = names.split_off(names.len().min(FIRST));
        let (secrets, rendered) = tokio::join!(self.component_secrets(names), self.rendered_secret());
        Early { secrets, waiting, rendered }
    }

    /// The second part, with what is left of the requests.
    pub async fn surroundings(&self, early: Early, settings: Option<&MasSettings>) -> Surroundings {
        let Early { secrets, waiting: mut now, rendered } = early;
        let search = !matches!(rendered, Known::Known(Some(_)));
        let room = MOST_REQUESTS.saturating_sub(self.spent(settings) + secrets.len() + 1 + usize::from(search));
        let left_out = now.split_off(now.len().min(room));
        let (more, rendered, resolution) =
            tokio::join!(self.component_secrets(now), self.rendered(rendered), self.resolution(settings));
        Surroundings { secrets: secrets.into_iter().chain(more).collect(), left_out, rendered, resolution }
    }

    /// Requests that are made whatever is looked at here: for choosing the deployment, by others, and for the certificate.
    fn spent(&self, settings: Option<&MasSettings>) -> usize {
        let chart = usize::from(matches!(self.deployment.owner(), Owner::Helm(_)));
        let mode = settings.and_then(|settings| settings.tls_mode(&self.deployment));
        let certificate = usize::from(matches!(mode, Some(mode) if mode != TlsMode::External));
        usize::from(self.requests) + OF_OTHERS + chart + certificate
    }

    async fn component_secrets(&self, names: Vec<String>) -> Vec<ComponentSecret> {
        join_all(names.into_iter().map(async |name| {
            let keys = match self.cluster.find_secret(&self.target.namespace, &name).await {
                Ok(found) => Known::Known(found.map(key_names)),
                Err(error) => unreadable(&error),
            };
            ComponentSecret { name, keys }
        }))
        .await
    }

    /// The Secret that the operator's public releases render Synapse's main configuration into.
    async fn rendered_secret(&self) -> Known<Option<Vec<RenderedConfig>>> {
        let name = format!("{}-synapse-main", self.target.name);
        match self.cluster.find_secret(&self.target.namespace, &name).await {
            Ok(found) => Known::Known(found.map(|secret| configs_in_secret(&self.target.name, secret))),
            Err(error) => unreadable(&error),
        }
    }

    /// Where the Secret gave nothing, the ConfigMaps that are named after Synapse are looked through.
    async fn rendered(&self, secret: Known<Option<Vec<RenderedConfig>>>) -> Known<Vec<RenderedConfig>> {
        let before = match secret {
            Known::Known(Some(found)) => return Known::Known(found),
            Known::Known(None) => None,
            Known::Unreadable(why) => Some(why),
        };
        let namespace = Some(self.target.namespace.as_str());
        let page =
            self.cluster.list::<ConfigMap>(Resource::CONFIG_MAP, namespace, Selection::default(), PAGE).next().await;
        let found: Vec<RenderedConfig> = match page {
            Ok(page) => {
                let maps = page.into_iter().flat_map(|page| page.items);
                maps.flat_map(|map| configs_in_map(&self.target.name, &map)).collect()
            }
            Err(error) => return Known::Unreadable(before.unwrap_or_else(|| error.to_string())),
        };
        match before {
            Some(why) if found.is_empty() => Known::Unreadable(why),
            _ => Known::Known(found),
        }
    }

    /// Asks DNS for MAS's host and Synapse's, once in a session.
    async fn resolution(&self, settings: Option<&MasSettings>) -> Option<Resolution> {
        let host = settings?.host.clone();
        let asked = self.resolution.get_or_init(|| async {
            let of_synapse = async {
                match self.deployment.ingress_host("synapse") {
                    Some(host) => Some(dns::knows(host).await),
                    None => None,
                }
            };
            let (mas, synapse) = tokio::join!(dns::knows(&host), of_synapse);
            Resolution { host: host.clone(), mas, synapse }
        });
        Some(asked.await.clone())
    }
}

/// The names of a Secret's keys; everything else of it is overwritten at once.
fn key_names(mut secret: Value) -> BTreeSet<String> {
    let names = secret["data"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    wipe(&mut secret);
    names
}

fn configs_in_secret(deployment: &str, mut secret: Value) -> Vec<RenderedConfig> {
    let name = secret["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let data = secret["data"].as_object().into_iter().flatten();
    let found = data
        .filter(|(key, _)| RenderedConfig::may_be(deployment, &name, key))
        .filter_map(|(key, value)| {
            let bytes = Zeroizing::new(STANDARD.decode(value.as_str()?).ok()?);
            RenderedConfig::read(format!("Secret {name}, key {key}"), std::str::from_utf8(&bytes).ok()?)
        })
        .collect();
    wipe(&mut secret);
    found
}

fn configs_in_map(deployment: &str, map: &ConfigMap) -> Vec<RenderedConfig> {
    let name = &map.metadata.name;
    let data = map.data.iter().flatten();
    let of_synapse = data.filter(|(key, _)| RenderedConfig::may_be(deployment, name, key));
    of_synapse.filter_map(|(key, text)| RenderedConfig::read(format!("ConfigMap {name}, key {key}"), text)).collect()
}

#[cfg(test)]
mod tests;
