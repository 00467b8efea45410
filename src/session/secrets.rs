//! Secrets that several checks need; each is read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::reading::Refusal;
use super::reading::unreadable;
use crate::checks::Known;
use crate::checks::access::Right;
use crate::checks::tls::TypedSecret;
use crate::cluster::{Cluster, Target};
use crate::plan::SecretContents;

#[derive(Default)]
pub struct SecretReads(Mutex<HashMap<String, Cell>>);

type Cell = Arc<OnceCell<(TypedSecret, Refusal)>>;

impl SecretReads {
    /// Drops all Secrets, so that each is read again.
    pub fn forget(&self) {
        self.cells().clear();
    }

    /// The Secret of that name in the deployment's namespace, read now or by an earlier call.
    pub async fn get(&self, cluster: &Cluster, target: &Target, name: &str) -> (TypedSecret, Refusal) {
        let cell = Arc::clone(self.cells().entry(name.to_owned()).or_default());
        cell.get_or_init(|| read(cluster, &target.namespace, name)).await.clone()
    }

    /// Keeps a Secret that was read just now.
    pub fn put(&self, name: String, read: (TypedSecret, Refusal)) {
        self.cells().insert(name, Arc::new(OnceCell::new_with(Some(read))));
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, HashMap<String, Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn read(cluster: &Cluster, namespace: &str, name: &str) -> (TypedSecret, Refusal) {
    match cluster.find_secret(namespace, name).await {
        Ok(found) => {
            let look = found.map(|object| {
                let kind = object["type"].as_str().unwrap_or("Opaque").to_owned();
                (SecretContents::read(object), kind)
            });
            (Known::Known(look), Refusal::No)
        }
        Err(error) => (unreadable(&error), Refusal::of(&error, || Right::secret("get", name))),
    }
}
