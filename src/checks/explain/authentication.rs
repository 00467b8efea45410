//! How people log in.

use super::Explanation;
use crate::checks::finding::Severity::{Blocker, Ok, Unknown, Warning};
use crate::checks::finding::codes;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::SAML,
        about: "SAML logins",
        severities: &[Blocker],
        meaning: "People log in with SAML: in delegatedAuth, in Synapse's free-form settings, or in what the operator rendered. \
                  A section `saml2_config` counts as on without `enabled`, as Synapse has it.",
        why: "MAS cannot speak SAML. syn2mas stops as soon as one account is linked to a SAML identity, and Synapse does not \
              start with SAML once MAS is active.",
        mend: "Reach out to Element Support before you go on; the guide says so. Many identity providers that speak SAML \
               speak OpenID Connect as well.",
        source: "The guide; syn2mas's checks; Synapse 1.163 refuses such a configuration with MAS on (tried).",
    },
    Explanation {
        code: codes::CAS,
        about: "CAS logins",
        severities: &[Blocker],
        meaning: "People log in with CAS.",
        why: "MAS cannot speak CAS. syn2mas warns, and Synapse does not start with it once MAS is active.",
        mend: "Reach out to Element Support before you go on.",
        source: "syn2mas's checks; Synapse 1.163 refuses such a configuration with MAS on (tried).",
    },
    Explanation {
        code: codes::JWT,
        about: "logins with JSON Web Tokens",
        severities: &[Blocker],
        meaning: "Another system logs people in by signing tokens (`jwt_config`).",
        why: "MAS has nothing like it. syn2mas warns, and Synapse does not start with it once MAS is active.",
        mend: "Let that system log people in through an identity provider instead; ask Element Support about the ways.",
        source: "syn2mas's checks; Synapse 1.163 refuses such a configuration with MAS on (tried).",
    },
    Explanation {
        code: codes::GROUP_SYNC,
        about: "GroupSync",
        severities: &[Blocker],
        meaning: "GroupSync is configured, as a component or as a section of Synapse's settings.",
        why: "The vendor's documentation says that MAS supports neither SAML nor GroupSync: with either, legacy \
              authentication is needed.",
        mend: "Take GroupSync out, or stay with legacy authentication.",
        source: "The vendor's documentation, section Authentication.",
    },
    Explanation {
        code: codes::LDAP,
        about: "LDAP needs ESS Classic 25.10.1",
        severities: &[Blocker, Unknown, Ok],
        meaning: "People log in with LDAP. Releases before 25.10.1 (chart 2.29.0) cannot migrate it. `unknown` means that the \
                  installed release could not be found out.",
        why: "On an older release people who log in with LDAP could not log in any more: they have neither a password nor a \
              link to an identity provider that could be copied.",
        mend: "Upgrade first, and let it reconcile.",
        source: "The guide.",
    },
    Explanation {
        code: codes::LDAP_ONLY,
        about: "only LDAP, or another password provider, checks passwords",
        severities: &[Warning],
        meaning: "There are no local accounts: delegatedAuth has LDAP but no localPasswordDatabase, or Synapse's own \
                  `password_config.localdb_enabled` is off.",
        why: "syn2mas warns about a `non-standard password provider plugin` then. Where the operator takes a warning for a \
              failure, as the chart of ESS Community does, the dry run fails over it.",
        mend: "With LDAP and ESS Classic 25.10.1 or later go on, and look at the dry run's outcome. If it fails over this, \
               ask Element Support.",
        source: "syn2mas's checks; element-hq/ess-helm issue 1417.",
    },
    Explanation {
        code: codes::IDP_ID_MISSING,
        about: "an identity provider without idpId",
        severities: &[Blocker],
        meaning: "An entry of delegatedAuth.oidc has no idpId.",
        why: "The idpId is the last part of the redirect URI at MAS, and people's links to the provider are kept under it.",
        mend: "Ask Element Support how the provider is to be named. Do not invent an id: the links of the accounts hang on it.",
        source: "The guide; MAS's documentation on upstream providers.",
    },
    Explanation {
        code: codes::IDP_ID_DUPLICATE,
        about: "two identity providers with one idpId",
        severities: &[Blocker],
        meaning: "Two entries of delegatedAuth.oidc have the same idpId, or ids that differ only in upper and lower case.",
        why: "MAS reads the ids without regard to case, so the two are one provider for it.",
        mend: "Ask Element Support which of the two is in use. Do not rename that one.",
        source: "MAS's parser for these ids (ulid), tried.",
    },
    Explanation {
        code: codes::IDP_ID_NOT_ULID,
        about: "an idpId that MAS does not keep as it is",
        severities: &[Warning],
        meaning: "MAS takes ULIDs as ids of providers: 26 characters of 0-9 and A-Z without I, L, O and U, the first one at most \
                  7. Lower case is turned into upper case, also in the redirect URI; a larger first character silently \
                  becomes another id; anything else cannot be an id at MAS.",
        why: "The redirect URI that you register at the identity provider may not be the one that MAS uses, and then nobody \
              can log in through it. How the operator deals with such ids is not known.",
        mend: "Ask Element Support. Never rename the id: in Synapse's database people's links are kept as `oidc-<idpId>`, and a \
               renamed provider loses all of them. After the dry run compare the redirect URI that MAS really uses.",
        source: "MAS's parser for these ids (ulid), tried; syn2mas's checks.",
    },
    Explanation {
        code: codes::PROVIDER_RESTRICTION,
        about: "a rule about who may log in vanishes",
        severities: &[Warning],
        meaning: "An identity provider's entry limits who may log in: `attribute_requirements`, `enable_registration: false`, or \
                  a mapping provider of your own.",
        why: "MAS's conversion of Synapse's providers leaves these out. After the migration everybody with an account at the \
              identity provider may get in, also those who are kept out today. No step fails over it.",
        mend: "Have the identity provider refuse them: let only the group that is meant use this client.",
        source: "MAS's conversion (`mas-cli config generate`), which logs what it ignores.",
    },
    Explanation {
        code: codes::PROVIDER_SETTING,
        about: "a provider's setting that does not come along",
        severities: &[Warning],
        meaning: "An identity provider's entry has a setting that MAS's conversion leaves out: `client_secret_path`, \
                  `client_secret_jwt_key`, `id_token_signing_alg_values_supported` or `backchannel_logout_enabled`.",
        why: "Without its key MAS cannot prove to the provider who it is; ID tokens that are not signed with RS256 are \
              refused; logging out at the provider no longer logs people out here.",
        mend: "Ask Element Support whether this release hands the setting on.",
        source: "MAS's conversion (`mas-cli config generate`), which logs what it ignores.",
    },
    Explanation {
        code: codes::PASSWORD_PEPPER,
        about: "peppered passwords",
        severities: &[Warning],
        meaning: "Synapse's `password_config.pepper` is set. The empty text counts: Synapse takes it for none, syn2mas for a \
                  pepper.",
        why: "MAS checks the old password hashes only with the same pepper. syn2mas compares the two and refuses if they \
              differ.",
        mend: "An empty pepper: take it out. Otherwise look at the dry run, which fails if the operator does not hand the \
               pepper on, and ask Element Support then. Do not take a real pepper out: every password would be wrong.",
        source: "syn2mas's checks (recorded), and its reader's types.",
    },
    Explanation {
        code: codes::MAS_EMAIL,
        about: "mails that MAS has to send",
        severities: &[Warning],
        meaning: "People register here, or reset forgotten passwords by e-mail, and nothing in MAS's component looks like a mail \
                  server's settings.",
        why: "With MAS it is MAS that sends these mails. Without a mail server nobody can confirm an address or get a new \
              password.",
        mend: "Configure e-mail delivery for MAS, in the manifest or in the installer. Its fields are not documented; the \
               finding names the one that this release's schema has, if it has one.",
        source: "The guide, step 1 of the wizard.",
    },
];
