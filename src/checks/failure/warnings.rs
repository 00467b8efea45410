//! `syn2mas check`'s warnings. The migration itself goes on in spite of them, but `check` ends with exit code 11 for them
//! alone, and who runs it first may take that for a failure.

use super::{Course, Database, Rule, Sql, Told, Weight};

const ADDITIONAL: &str = "spec.components.synapse.config.additional";

macro_rules! warning {
    ($code:literal, $phrase:literal, $meaning:expr, $remedy:expr) => {
        Rule {
            code: $code,
            weight: Weight::Warning,
            phrases: &[$phrase],
            tell: |_, _| Some(Told::new(Course::Change, $meaning, $remedy)),
        }
    };
}

pub(super) const RULES: &[Rule] = &[
    warning!(
        "registration-enabled",
        "Synapse config has registration enabled",
        "Synapse lets people register by themselves; with MAS on, Synapse would not start like that.",
        format!(
            "Set delegatedAuth.localPasswordDatabase.enableRegistration to false, or take enable_registration out of {ADDITIONAL}."
        )
    ),
    warning!(
        "user-consent-enabled",
        "Synapse config has `user_consent` enabled. This should be disabled",
        "Synapse asks users for their consent (user_consent); with MAS on, Synapse would not start like that.",
        format!("Take user_consent out of {ADDITIONAL} before the activation.")
    ),
    warning!(
        "terms-not-ported",
        "MAS has not been configured with terms of service",
        "The terms that Synapse shows today (user_consent) are not set for MAS.",
        "If people have to agree to terms, have tos_uri set in MAS's branding."
    ),
    warning!(
        "captcha-not-ported",
        "registration CAPTCHA enabled, but no CAPTCHA has been configured in MAS",
        "Synapse asks for a captcha at registration; MAS will not, and with MAS on Synapse would not start like that.",
        format!("Take enable_registration_captcha out of {ADDITIONAL}.")
    ),
    warning!(
        "cas-configured",
        "contains CAS auth configuration",
        "People log in with CAS, which MAS does not know.",
        "They need another way to log in; ask the vendor's support before you go on."
    ),
    warning!(
        "saml-configured",
        "contains SAML2 auth configuration",
        "People log in with SAML, which MAS does not know.",
        "Reach out to Element Support about SAML before you go on."
    ),
    warning!(
        "jwt-configured",
        "contains JWT auth configuration",
        "Somebody logs in with JSON web tokens, which MAS does not take.",
        "Whatever uses it needs another way to log in; take jwt_config out before the activation."
    ),
    warning!(
        "password-provider-configured",
        "contains non-standard password provider plugin auth configuration",
        "Passwords are checked by a plugin (typically LDAP), not by Synapse.",
        "With LDAP, ESS 25.10.1 (chart 2.29.0) or later is needed. Ask the vendor's support about any other plugin."
    ),
    warning!(
        "oidc-mapped-by-hand",
        "will need to be manually mapped to an upstream OpenID Connect Provider",
        "MAS's tool asks to see that each OpenID Connect provider is set up in MAS as well.",
        "The operator does that from delegatedAuth.oidc; compare the redirect URIs that `status` shows."
    ),
    Rule {
        code: "guests-in-database",
        weight: Weight::Warning,
        phrases: &["guests which will be migrated"],
        tell: |_, _| {
            Some(looked_at(
                Told::new(
                    Course::Mend,
                    "There are guest accounts in Synapse's database. They are kept, but their logins end.",
                    "Nothing has to be done, unless the operator takes the warning for a failure.",
                ),
                "SELECT name FROM users WHERE is_guest <> 0;",
            ))
        },
    },
    Rule {
        code: "phone-numbers-in-database",
        weight: Weight::Warning,
        phrases: &["non-email 3PIDs (probably phone numbers)"],
        tell: |_, _| {
            Some(looked_at(
                Told::new(
                    Course::Mend,
                    "Accounts have phone numbers, which MAS keeps but does not use.",
                    "Nothing has to be done, unless the operator takes the warning for a failure.",
                ),
                "SELECT user_id, medium FROM user_threepids WHERE medium <> 'email';",
            ))
        },
    },
];

fn looked_at(mut told: Told, statement: &str) -> Told {
    told.sql = Some(Sql { database: Database::Synapse, statements: vec![statement.to_owned()] });
    told
}
