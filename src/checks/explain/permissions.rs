//! The caller's rights.

use super::super::finding::{
    Severity::{Blocker, Ok, Unknown, Warning},
    codes,
};
use super::Explanation;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::PERMISSIONS,
        about: "whether you may do all that the steps need",
        severities: &[Ok, Warning, Unknown, Blocker],
        meaning: "The API server was asked what you may do in the deployment's namespace (SelfSubjectRulesReview; where its list is not complete, SelfSubjectAccessReview for each right), and rights are missing. `check` only warns: who looks may not be the one who takes the steps. As unknown: it does not say; a step then goes on, and the server's own dry run tells before anything is written.",
        why: "A right that is missing half-way would leave things half-done: a Secret without its record, or a write that nobody can follow.",
        mend: "Have an administrator apply what `kubectl ess-mas check --rbac` prints, and bind it to you. `kubectl auth can-i` tells when it is there.",
        source: "Kubernetes' documentation of authorization; tests that take away each right in turn",
    },
    Explanation {
        code: codes::PERMISSION_TO_FOLLOW,
        about: "whether you may watch the ElementDeployment",
        severities: &[Warning, Blocker],
        meaning: "The right to watch the deployment is missing.",
        why: "Whoever may write but not watch would be left without a verdict.",
        mend: "Get the right (`kubectl ess-mas check --rbac`), or pass --wait=false and follow the status in another way.",
        source: "a test that takes the right away",
    },
];
