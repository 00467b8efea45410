//! Asking beforehand what is allowed, where finding out by trying would come too late.

use serde_json::json;

use super::{
    connect::Cluster,
    errors::{ClusterError, ErrorKind},
    read::object,
    resource::{Action, Resource, Target},
    transport::Outgoing,
};

impl Cluster {
    /// Fails as a watch of this deployment would for want of the right to it. One request, a `SelfSubjectAccessReview`,
    /// which RBAC's default roles allow everyone.
    ///
    /// A server that does not answer the question is taken to allow it: the answer only serves to fail early.
    pub async fn may_follow(&self, target: &Target) -> Result<(), ClusterError> {
        let resource = target.api_version.resource();
        let review = Resource::SELF_SUBJECT_ACCESS_REVIEW;
        let body = json!({
            "apiVersion": review.api_version(), "kind": review.kind,
            "spec": {"resourceAttributes": {
                "verb": "watch", "group": resource.group, "version": resource.version, "resource": resource.plural,
                "namespace": target.namespace, "name": target.name,
            }},
        });
        let question = Outgoing {
            method: http::Method::POST,
            address: review.path(None, None),
            accept: "application/json",
            content_type: Some("application/json"),
            body: body.to_string().into_bytes(),
            action: Action::new("create", review, None, None),
        };
        // A review stores nothing, so it is repeated like a read.
        let Ok((_, answer)) = self.ask_for(&question, object).await else { return Ok(()) };
        if answer["status"]["allowed"] != json!(false) {
            return Ok(());
        }
        let watch = Action::new("watch", resource, Some(&target.namespace), Some(&target.name));
        let outgoing = Outgoing::get(resource.path(Some(&target.namespace), None), watch);
        let refused = ErrorKind::Forbidden { user: None, by_rules: true, message: String::new() };
        Err(self.error(ClusterError::new(refused), &outgoing))
    }
}
