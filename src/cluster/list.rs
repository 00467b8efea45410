//! Lists, page by page.

use std::marker::PhantomData;

use kube::core::{ApiResource, ObjectList};
use serde::de::DeserializeOwned;

use crate::cluster::client::connect::Cluster;
use crate::cluster::client::transport::Outgoing;
use crate::cluster::errors::{ClusterError, ErrorKind};
use crate::cluster::resource::{Action, address, query};

/// Which objects a list is about; both in Kubernetes' selector syntax.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `owner=helm,status=deployed`
    pub labels: Option<String>,
    /// `metadata.name=first-element`
    pub fields: Option<String>,
}

/// A list being read. Ask with [`Pages::next`] until it gives `None`.
pub struct Pages<T> {
    cluster: Cluster,
    resource: ApiResource,
    namespace: Option<String>,
    selection: Selection,
    limit: u32,
    accept: &'static str,
    next: Next,
    items: PhantomData<fn() -> T>,
}

enum Next {
    First,
    Continue(String),
    Done,
}

impl<T: Clone + DeserializeOwned> Pages<T> {
    pub(super) fn new(
        cluster: Cluster,
        resource: ApiResource,
        namespace: Option<String>,
        selection: Selection,
        limit: u32,
    ) -> Self {
        let accept = "application/json";
        Self { cluster, resource, namespace, selection, limit, accept, next: Next::First, items: PhantomData }
    }

    /// Asks for metadata alone (`PartialObjectMetadata`): the server then sends neither spec nor status.
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        self.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        self
    }

    /// The next page, or `None` after the last one. One request.
    ///
    /// When the server has forgotten the list's snapshot on the way, the list goes on with what is there now: objects
    /// that changed in between may then be newer than the rest, none is left out that existed all the time.
    pub async fn next(&mut self) -> Result<Option<ObjectList<T>>, ClusterError> {
        let list = loop {
            let token = match &self.next {
                Next::Done => return Ok(None),
                Next::First => None,
                Next::Continue(token) => Some(token.clone()),
            };
            match self.page(token.as_deref()).await {
                Ok(list) => break list,
                Err(error) => match (error.kind(), token) {
                    (ErrorKind::Gone { go_on: Some(fresh) }, Some(token)) if *fresh != token => {
                        self.next = Next::Continue(fresh.clone());
                    }
                    _ => return Err(error),
                },
            }
        };
        let token = list.metadata.continue_.clone().filter(|token| !token.is_empty());
        self.next = token.map_or(Next::Done, Next::Continue);
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

    async fn page(&self, token: Option<&str>) -> Result<ObjectList<T>, ClusterError> {
        let namespace = self.namespace.as_deref();
        let query = self.selection.query(self.limit, token);
        let mut outgoing = Outgoing::get(
            address(&self.resource, namespace, None) + &query,
            Action::new("list", &self.resource, namespace, None),
        );
        outgoing.accept = self.accept;
        self.cluster.ask_for(&outgoing, |body| serde_json::from_slice(body)).await.map(|(_, list)| list)
    }
}

impl Selection {
    /// The query of one page of a list.
    pub(super) fn query(&self, limit: u32, token: Option<&str>) -> String {
        let limit = limit.to_string();
        let mut pairs = vec![("limit", limit.as_str())];
        pairs.extend(self.labels.as_deref().map(|labels| ("labelSelector", labels)));
        pairs.extend(self.fields.as_deref().map(|fields| ("fieldSelector", fields)));
        pairs.extend(token.map(|token| ("continue", token)));
        query(&pairs)
    }
}
