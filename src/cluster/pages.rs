//! Lists, page by page.

use std::marker::PhantomData;

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    connect::Cluster,
    errors::{ClusterError, ErrorKind},
    read::Selection,
    resource::{Action, Resource, query},
    transport::Outgoing,
};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects of this page, in the server's order (by namespace and name).
    pub items: Vec<T>,
    /// How many more the server says there are; unknown with selectors.
    pub remaining: Option<u64>,
    /// The collection's version: a watch from here misses nothing that came after this list.
    pub resource_version: String,
}

/// A list being read. Ask with [`Pages::next`] until it gives `None`.
#[derive(Debug)]
pub struct Pages<T> {
    cluster: Cluster,
    resource: Resource,
    namespace: Option<String>,
    selection: Selection,
    limit: u32,
    accept: &'static str,
    next: Next,
    items: PhantomData<fn() -> T>,
}

#[derive(Debug)]
enum Next {
    First,
    Continue(String),
    Done,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct List<T> {
    metadata: ListMetadata,
    // `items: null` is what Go writes for an empty list of some kinds.
    items: Option<Vec<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(rename = "continue", default)]
    go_on: String,
    remaining_item_count: Option<u64>,
}

impl<T: DeserializeOwned> Pages<T> {
    pub(super) fn new(
        cluster: Cluster,
        resource: Resource,
        namespace: Option<String>,
        selection: Selection,
        limit: u32,
    ) -> Self {
        Self {
            cluster,
            resource,
            namespace,
            selection,
            limit,
            accept: "application/json",
            next: Next::First,
            items: PhantomData,
        }
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
    pub async fn next(&mut self) -> Result<Option<Page<T>>, ClusterError> {
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
        self.next = if list.metadata.go_on.is_empty() { Next::Done } else { Next::Continue(list.metadata.go_on) };
        Ok(Some(Page {
            items: list.items.unwrap_or_default(),
            remaining: list.metadata.remaining_item_count,
            resource_version: list.metadata.resource_version,
        }))
    }

    /// All objects at once, where there are few.
    pub async fn all(mut self) -> Result<Vec<T>, ClusterError> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page.items);
        }
        Ok(all)
    }

    async fn page(&self, token: Option<&str>) -> Result<List<T>, ClusterError> {
        let limit = self.limit.to_string();
        let mut pairs = vec![("limit", limit.as_str())];
        pairs.extend(self.selection.labels.as_deref().map(|labels| ("labelSelector", labels)));
        pairs.extend(self.selection.fields.as_deref().map(|fields| ("fieldSelector", fields)));
        pairs.extend(token.map(|token| ("continue", token)));
        let namespace = self.namespace.as_deref();
        let mut outgoing = Outgoing::get(
            self.resource.path(namespace, None) + &query(&pairs),
            Action::new("list", self.resource, namespace, None),
        );
        outgoing.accept = self.accept;
        self.cluster.ask_for(&outgoing, |body| serde_json::from_slice(body)).await.map(|(_, list)| list)
    }
}
