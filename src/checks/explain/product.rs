//! Is this ESS Classic, and new enough?

use super::super::finding::{
    Severity::{Blocker, Ok, Unknown, Warning},
    codes,
};
use super::Explanation;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::API_VERSION,
        about: "the version in which the API server serves ElementDeployments",
        severities: &[Ok],
        meaning: "ElementDeployments are served as v1alpha2 (which is also how they are stored), as v1alpha1, or both. v1alpha2 is used where it is served.",
        why: "v1alpha1 goes through the operator's conversion webhook; while that is down, nothing can be read or written in it.",
        mend: "Nothing has to be mended. A release that serves v1alpha1 only is too old for the migration anyway.",
        source: "the custom resource definition of the open part of ESS Classic (starter edition 2.21.1)",
    },
    Explanation {
        code: codes::MAS_SUPPORTED,
        about: "whether the ElementDeployment of this release has the switch `config.active`",
        severities: &[Ok, Unknown, Blocker],
        meaning: "The published schema of the ElementDeployment has no component matrixAuthenticationService, or the component has no config.active. As unknown: the schema could not be read.",
        why: "The API server drops fields that the schema does not know and says nothing; a migration that was written would simply not be there. All writes of this program are validated strictly, so they would be refused instead.",
        mend: "Upgrade ESS Classic to 25.09.01 (chart 2.28.1) or later, with LDAP to 25.10.1 (chart 2.29.0), and let it reconcile. If the schema cannot be read: it is published at /openapi/v3, which Kubernetes allows everyone who is logged in.",
        source: "the migration guide (versions); Kubernetes' documentation of pruning and field validation",
    },
    Explanation {
        code: codes::RELEASE_TOO_OLD,
        about: "whether the installed release can migrate",
        severities: &[Ok, Warning, Blocker],
        meaning: "Helm's record of the release, or the tag of the operator's image, names a release before 25.09.01 (chart 2.28.1). Of two that differ, the older one is judged. An image's tag only warns, because whoever keeps copies of images may tag them as they like.",
        why: "The schema may know the switch while the operator or the chart that is installed does not act on it yet.",
        mend: "Upgrade all of ESS Classic's charts to the same release, and let the deployment reconcile.",
        source: "the migration guide: \"Requires ESS Classic 25.09.01 (Helm version 2.28.1) or later\"",
    },
];
