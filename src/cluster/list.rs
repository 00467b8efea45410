//! Reads lists page by page.

use std::marker::PhantomData;

use kube::core::{ApiResource, ObjectList};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::connect::Cluster;
use super::client::transport::{Outgoing, Reply};
use super::errors::{ClusterError, ErrorKind};
use super::resource::{Action, address, query};

/// A label selector and a field selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `owner=helm,status=deployed`
    pub labels: Option<String>,
    /// `metadata.name=first-element`
    pub fields: Option<String>,
}

impl Selection {
    pub(super) fn query(&self, limit: u32, token: Option<&str>) -> String {
        let limit = limit.to_string();
        let mut pairs = vec![("limit", limit.as_str())];
        pairs.extend(self.labels.as_deref().map(|labels| ("labelSelector", labels)));
        pairs.extend(self.fields.as_deref().map(|fields| ("fieldSelector", fields)));
        pairs.extend(token.map(|token| ("continue", token)));
        query(&pairs)
    }
}

/// An object without `metadata.managedFields` and kubectl's last-applied annotation, which are more than half of a deployment.
/// For showing many objects; a write needs the whole object.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Value")]
pub struct Trimmed(pub Value);

impl From<Value> for Trimmed {
    fn from(mut object: Value) -> Self {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            }
        }
        Self(object)
    }
}

/// The pages of a list.
pub struct Pages<T> {
    cluster: Cluster,
    /// The request without its query.
    outgoing: Outgoing,
    selection: Selection,
    limit: u32,
    /// The continue token; `None` for the first page.
    token: Option<String>,
    pub(super) ended: bool,
    items: PhantomData<fn() -> T>,
}

impl Cluster {
    /// A list that [`Pages::next`] reads. `T` may be a partial view, which saves memory. `namespace: None` means all
    /// namespaces; `limit` is the page size.
    pub fn list<T: Clone + DeserializeOwned>(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        selection: Selection,
        limit: u32,
    ) -> Pages<T> {
        let action = Action::new("list", resource, namespace, None);
        let outgoing = Outgoing::get(address(resource, namespace, None), action);
        Pages { cluster: self.clone(), outgoing, selection, limit, token: None, ended: false, items: PhantomData }
    }
}

impl<T: Clone + DeserializeOwned> Pages<T> {
    /// Requests metadata only (`PartialObjectMetadata`).
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        self.outgoing.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        self
    }

    /// The next page, or `None` after the last one. One request.
    ///
    /// If the list's snapshot has expired, continues with the current state: objects that changed in between may then be newer
    /// than the rest, and no object that existed all the time is missing.
    pub async fn next(&mut self) -> Result<Option<ObjectList<T>>, ClusterError> {
        if self.ended {
            return Ok(None);
        }
        let read = |answer: &Reply| serde_json::from_slice::<ObjectList<T>>(&answer.body);
        let list = loop {
            let mut outgoing = self.outgoing.clone();
            outgoing.address += &self.selection.query(self.limit, self.token.as_deref());
            match self.cluster.ask_for(&outgoing, read).await {
                Err(error) => match error.kind() {
                    ErrorKind::Gone(Some(fresh)) if self.token.as_ref().is_some_and(|token| token != fresh) => {
                        self.token = Some(fresh.clone());
                    }
                    _ => return Err(error),
                },
                Ok(list) => break list,
            }
        };
        self.token = list.metadata.continue_.clone().filter(|token| !token.is_empty());
        self.ended = self.token.is_none();
        Ok(Some(list))
    }

    /// All objects at once, where there are few.
    pub async fn all(mut self) -> Result<Vec<T>, ClusterError> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page.items);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_but_the_bulk_is_there() {
        const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
        let rest = json!({"kind": "x", "metadata": {"name": "a", "annotations": {"b": "c"}, "labels": null},
            "spec": {"metadata": {"managedFields": [1], "annotations": {LAST_APPLIED: "stays"}}}, "status": [1, "x", null]});
        let mut whole = rest.clone();
        whole["metadata"]["managedFields"] = json!([{"manager": "helm", "fieldsV1": {"f:spec": {}}}]);
        whole["metadata"]["annotations"][LAST_APPLIED] = json!("{}");
        let Trimmed(read) = serde_json::from_str(&whole.to_string()).expect("read");
        assert_eq!(read, rest);
        let Trimmed(odd) = serde_json::from_str(r#"{"metadata": null}"#).expect("read");
        assert_eq!(odd, json!({"metadata": null}));
    }
}
