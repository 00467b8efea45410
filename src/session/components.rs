//! Reads the Secrets of the other components and Synapse's rendered configuration, within a limit of requests, and resolves
//! the hosts in DNS.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::{OptionFuture, join_all};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::Value;
use zeroize::Zeroizing;

use super::connect::Session;
use super::reading::Extent;
use crate::checks::synapse::SynapseConfig;
use crate::checks::{ComponentSecret, Components, Known, OtherHost, Resolution, Snapshot, secrets_to_look_at};
use crate::cluster::{Selection, resource};
use crate::deployment::{Owner, TlsMode};
use crate::net::dial::knows;
use crate::plan::MasSettings;
use crate::secrets::wipe;

const MOST_REQUESTS: usize = 12;
/// The Secrets read in the first round: the global one and Synapse's. The others share the requests that are left.
const FIRST: usize = 2;
/// With 3 KB each, a page is 3 MB.
const INGRESSES: u32 = 1000;

/// Nothing of this matters after the migration.
fn wanted(session: &Session, extent: Extent) -> bool {
    matches!(extent, Extent::Check | Extent::Step) && session.deployment.mas_active() != Some(true)
}

/// The first round: requests that depend only on the deployment.
pub async fn begin(session: &Session, extent: Extent) -> Components {
    if !wanted(session, extent) {
        return Components::default();
    }
    let mut names = secrets_to_look_at(&session.deployment);
    let left_out = names.split_off(names.len().min(FIRST));
    let (secrets, rendered) = tokio::join!(session.component_secrets(names), session.rendered_secret());
    Components { secrets, left_out, rendered, ..Components::default() }
}

/// The second round, with the requests that are left.
pub async fn finish(session: &Session, extent: Extent, snapshot: &Snapshot) -> Components {
    let Components { mut secrets, left_out: mut now, rendered, .. } = snapshot.components.clone();
    if !wanted(session, extent) {
        return snapshot.components.clone();
    }
    let room = if extent == Extent::Check { room(session, snapshot) } else { usize::MAX };
    let left_out = now.split_off(now.len().min(room));
    let left = room - now.len();
    let (more, resolution, other_hosts) = tokio::join!(
        session.component_secrets(now),
        session.resolution(snapshot.settings.as_ref()),
        // A step is not stopped by what `check` and `prepare` have told.
        session.other_hosts(extent == Extent::Check && left > 0)
    );
    secrets.extend(more);
    Components { secrets, left_out, rendered, resolution, other_hosts }
}

/// The number of requests left. Computed rather than counted: a retried request must not leave a Secret unread.
fn room(session: &Session, snapshot: &Snapshot) -> usize {
    let (deployment, settings) = (&session.deployment, snapshot.settings.as_ref());
    // The record, the schema, the caller's permissions, the operator's Deployment, and Synapse's rendered configuration.
    let always = 5;
    let chart = usize::from(deployment.helm_release().is_some());
    let healing = usize::from(matches!(deployment.owner(), Owner::ArgoCd(Some(_)) | Owner::Flux(_)));
    let certificate = settings.and_then(|settings| settings.tls_mode(deployment));
    let certificate = usize::from(certificate.is_some_and(|mode| mode != TlsMode::External));
    let mas_secret = usize::from(settings.is_some() || deployment.mas_secret_name().is_some());
    let made = usize::from(session.requests) + always + snapshot.components.secrets.len();
    MOST_REQUESTS.saturating_sub(made + chart + healing + certificate + mas_secret)
}

impl Session {
    async fn component_secrets(&self, names: Vec<String>) -> Vec<ComponentSecret> {
        join_all(names.into_iter().map(async |name| {
            // Shared with the check of the certificate, which may need the same Secret.
            let secret = self.secrets.get(&self.cluster, &self.target, &name).await.0;
            let keys = secret.map(|found| found.map(|(contents, _)| contents.data.into_keys().collect()));
            ComponentSecret { name, keys }
        }))
        .await
    }

    /// Synapse's main configuration in the Secret that the operator's public releases render.
    async fn rendered_secret(&self) -> Known<Vec<SynapseConfig>> {
        let name = format!("{}-synapse-main", self.target.name);
        let found = self.cluster.find_secret(&self.target.namespace, &name).await;
        found.map(|found| found.map_or_else(Vec::new, |secret| configs_in_secret(&self.target.name, secret))).into()
    }

    async fn other_hosts(&self, wanted: bool) -> Vec<OtherHost> {
        if !wanted {
            return self.other_hosts.get().cloned().unwrap_or_default();
        }
        let asked = self.other_hosts.get_or_init(|| async {
            let mut pages = self.cluster.list::<Value>(&resource::<Ingress>(), None, Selection::default(), INGRESSES);
            let page = pages.next().await.ok().flatten();
            let all = page.into_iter().flat_map(|page| page.items);
            all.flat_map(|ingress| OtherHost::of_ingress(&ingress, &self.deployment)).collect()
        });
        asked.await.clone()
    }

    async fn resolution(&self, settings: Option<&MasSettings>) -> Option<Resolution> {
        let host = settings?.host.clone();
        let asked = self.resolution.get_or_init(|| async {
            let of_synapse = OptionFuture::from(self.deployment.ingress_host("synapse").map(knows));
            let (mas, synapse) = tokio::join!(knows(&host), of_synapse);
            Resolution { host: host.clone(), mas, synapse }
        });
        Some(asked.await.clone())
    }
}

fn configs_in_secret(deployment: &str, mut secret: Value) -> Vec<SynapseConfig> {
    let name = secret["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let data = secret["data"].as_object().into_iter().flatten();
    let found = data
        .filter(|(key, _)| SynapseConfig::may_be(deployment, &name, key))
        .filter_map(|(key, value)| {
            let bytes = Zeroizing::new(STANDARD.decode(value.as_str()?).ok()?);
            SynapseConfig::read(format!("Secret {name}, key {key}"), std::str::from_utf8(&bytes).ok()?)
        })
        .collect();
    wipe(&mut secret);
    found
}

#[cfg(test)]
mod tests;
