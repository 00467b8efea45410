//! How people log in today, and whether that can be migrated.

use super::super::finding::{
    Severity::{Blocker, Ok, Unknown, Warning},
    codes,
};
use super::Explanation;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::SAML,
        about: "whether people log in with SAML",
        severities: &[Blocker],
        meaning: "components.synapse.config.delegatedAuth.saml is set.",
        why: "MAS has no SAML, and the migration tool knows OIDC providers only: accounts that are linked to SAML would have no way to log in.",
        mend: "Reach out to Element Support, as the guide asks.",
        source: "the migration guide; the source of syn2mas",
    },
    Explanation {
        code: codes::GROUP_SYNC,
        about: "whether GroupSync is configured",
        severities: &[Blocker],
        meaning: "The deployment has a component GroupSync.",
        why: "It needs legacy authentication; it does not work with MAS.",
        mend: "Take GroupSync out first, or stay with legacy authentication.",
        source: "the vendor's documentation of authentication (LTS 24.10 and 25.04)",
    },
    Explanation {
        code: codes::LDAP,
        about: "whether people log in with LDAP, and the release can migrate that",
        severities: &[Ok, Unknown, Blocker],
        meaning: "components.synapse.config.delegatedAuth.ldap is set, and the installed release is older than 25.10.1 (chart 2.29.0). As unknown: which release is installed could not be found out.",
        why: "LDAP accounts have neither a password nor a link in Synapse's database. An older release would migrate them without a way to log in.",
        mend: "Upgrade to 25.10.1 (chart 2.29.0) or later. If you know that it is, accept the finding.",
        source: "the migration guide: \"LDAP migration support was added in 25.10.1 (Helm version 2.29.0)\"",
    },
    Explanation {
        code: codes::IDP_ID_MISSING,
        about: "whether every OIDC provider has an idpId",
        severities: &[Blocker],
        meaning: "An entry of components.synapse.config.delegatedAuth.oidc has no idpId.",
        why: "The idpId is the last part of the redirect URI at MAS, and what people's links to the provider are stored under.",
        mend: "Ask Element Support how the provider is to be named. Do not invent an id: people's links hang on the one that Synapse uses now.",
        source: "the migration guide (redirect URIs); the source of syn2mas",
    },
    Explanation {
        code: codes::IDP_ID_DUPLICATE,
        about: "whether two OIDC providers share an idpId",
        severities: &[Blocker],
        meaning: "Two entries have the same id, if upper and lower case are not told apart.",
        why: "MAS reads ids without regard to case, so the two would be one provider, with one redirect URI.",
        mend: "Find out which of them is in use. Renaming one orphans the links of its users; ask Element Support.",
        source: "MAS's source (ULIDs as provider ids)",
    },
    Explanation {
        code: codes::IDP_ID_NOT_ULID,
        about: "whether every idpId is a ULID in its canonical form",
        severities: &[Warning],
        meaning: "MAS takes ULIDs as provider ids: 26 characters of 0-9 and A-Z without I, L, O and U. This id is none, or is written in another way.",
        why: "Whether the operator derives an id from it or fails is not known. The redirect URI that MAS uses may differ from the one shown here, and logins would end in an error at the identity provider.",
        mend: "Ask Element Support before you go on. Do not rename it: people's links to the provider hang on this id.",
        source: "MAS's source and its configuration schema; the migration guide (redirect URIs)",
    },
];
