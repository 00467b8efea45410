//! Asking beforehand what is allowed, where finding out by trying would come too late.

use serde_json::{Value, json};

use super::{
    connect::Cluster,
    errors::ClusterError,
    read::object,
    resource::{Action, Resource},
    transport::Outgoing,
};

impl Cluster {
    /// What the caller may do in a namespace, as far as the API server can list it: the `status` of a
    /// `SelfSubjectRulesReview`. One request, which RBAC's default roles allow everyone.
    pub async fn rules(&self, namespace: &str) -> Result<Value, ClusterError> {
        self.review(Resource::SELF_SUBJECT_RULES_REVIEW, &json!({"namespace": namespace})).await
    }

    /// Whether the caller may do one thing, given as the `resourceAttributes` or `nonResourceAttributes` of a
    /// `SelfSubjectAccessReview`'s spec. One request. `None` where the answer is neither yes nor no.
    pub async fn may(&self, attributes: &Value) -> Result<Option<bool>, ClusterError> {
        let status = self.review(Resource::SELF_SUBJECT_ACCESS_REVIEW, attributes).await?;
        Ok(status["allowed"].as_bool())
    }

    async fn review(&self, review: Resource, spec: &Value) -> Result<Value, ClusterError> {
        let body = json!({"apiVersion": review.api_version(), "kind": review.kind, "spec": spec});
        let question = Outgoing {
            method: http::Method::POST,
            address: review.path(None, None),
            accept: "application/json",
            content_type: Some("application/json"),
            body: body.to_string().into_bytes(),
            action: Action::new("create", review, None, None),
        };
        // A review stores nothing, so it is repeated like a read.
        let (_, mut answer) = self.ask_for(&question, object).await?;
        Ok(answer["status"].take())
    }
}
