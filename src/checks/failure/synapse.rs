//! What `syn2mas` says about Synapse's configuration, and what Synapse itself refuses once MAS is on.
//!
//! Sources: the errors of MAS's `crates/syn2mas/src/synapse_reader/checks.rs`, and Synapse's `synapse/config/mas.py`.

use super::text::Message;
use super::{Course, Database, Rule, Told, Weight};

const ADDITIONAL: &str = "spec.components.synapse.config.additional";
const OIDC: &str = "spec.components.synapse.config.delegatedAuth.oidc";

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "guests-enabled",
        weight: Weight::Decisive,
        phrases: &["Guest support is enabled in the Synapse configuration"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Change,
                    "Synapse lets guests in (allow_guest_access: true), and MAS knows no guests.",
                    format!("Take it out of {ADDITIONAL}, or set it to false. Guests lose their access."),
                )
                .checked(),
            )
        },
    },
    Rule {
        code: "account-changes-enabled",
        weight: Weight::Decisive,
        phrases: &["`enable_3pid_changes` explicitly enabled"],
        tell: |_, _| {
            Some(Told::new(
                Course::Change,
                "Synapse lets users change their e-mail addresses (enable_3pid_changes: true); with MAS, MAS does that.",
                format!(
                    "Take enable_3pid_changes out of {ADDITIONAL}, or set it to false; where it is not there, set \
                     spec.components.synapse.config.delegatedAuth.userProfiles.allowEmailChange to false."
                ),
            ).checked())
        },
    },
    Rule {
        code: "login-via-existing-session",
        weight: Weight::Decisive,
        phrases: &["`login_via_existing_session.enabled` set to true"],
        tell: |_, _| {
            Some(Told::new(
                Course::Change,
                "Synapse lets a signed-in device sign in another one (login_via_existing_session, the older login by QR code).",
                format!("Take login_via_existing_session out of {ADDITIONAL}, or set its `enabled` to false."),
            ).checked())
        },
    },
    Rule {
        code: "password-scheme-missing",
        weight: Weight::Decisive,
        phrases: &["missing a password hashing scheme with version '1'"],
        tell: |_, _| {
            Some(scheme(
                "MAS's configuration has no password scheme 1, under which Synapse's passwords would be imported.",
            ))
        },
    },
    Rule {
        code: "password-scheme-not-bcrypt",
        weight: Weight::Decisive,
        phrases: &["Password scheme version '1' in the MAS config must use the Bcrypt algorithm"],
        tell: |_, _| {
            Some(scheme(
                "Password scheme 1 of MAS's configuration is not bcrypt, which Synapse's passwords are hashed with. MAS's \
                 tool asks for that even where nobody logs in with a password.",
            ))
        },
    },
    Rule {
        code: "password-pepper-differs",
        weight: Weight::Decisive,
        phrases: &["must have the same secret as the `pepper` value"],
        tell: |_, _| {
            Some(Told::new(
                Course::Change,
                "The pepper of Synapse's passwords (password_config.pepper) and the secret of MAS's password scheme 1 differ, \
                 so no password would be accepted. An empty pepper is another one than none at all.",
                format!(
                    "Look for `pepper` in {ADDITIONAL}: take it out where it is empty. Where it has a value, ask the vendor's \
                     support how it is to reach MAS."
                ),
            ).checked())
        },
    },
    Rule {
        code: "server-name-differs",
        weight: Weight::Decisive,
        phrases: &["wrong `matrix.homeserver` set"],
        tell: |_, _| {
            Some(Told::new(
                Course::Support,
                "MAS was configured for another server name than Synapse has.",
                format!(
                    "Look for server_name in {ADDITIONAL}: it must be what spec.global.config.domainName says. Otherwise ask \
                     the vendor's support."
                ),
            ).checked())
        },
    },
    Rule {
        code: "provider-missing-in-synapse",
        weight: Weight::Decisive,
        phrases: &["but the Synapse configuration does not contain this provider"],
        tell: |message, at| Some(missing_in_synapse(message, at)),
    },
    Rule {
        code: "mapping-of-earlier-mas",
        weight: Weight::Decisive,
        phrases: &["mapping entries from a previously-configured MAS instance"],
        tell: |message, at| {
            let count = message.back_to(at, "Synapse database has ").trim_end_matches(|c: char| !c.is_ascii_digit());
            let count: String = count.chars().take_while(char::is_ascii_digit).collect();
            let rows = if count.is_empty() { "rows".to_owned() } else { rows(&count) };
            Some(
                Told::new(
                    Course::Mend,
                    format!("Synapse's database holds {rows} that an earlier try with another MAS left behind (auth_provider 'oauth-delegated')."),
                    "Nothing needs them as long as Synapse does not delegate to a MAS now. After a backup, remove them:",
                )
                .sql(Database::Synapse, ["DELETE FROM user_external_ids WHERE auth_provider = 'oauth-delegated';".to_owned()])
                .checked(),
            )
        },
    },
    Rule {
        code: "provider-missing-in-mas",
        weight: Weight::Decisive,
        phrases: &["which must also be configured in the MAS configuration as an upstream provider"],
        tell: |message, at| {
            let provider = provider(message.back_to(at, "OAuth2 provider '"));
            Some(Told::new(
                Course::Support,
                format!("Accounts are linked to identity provider {provider} of Synapse, and MAS was not given that provider."),
                format!(
                    "The operator gives MAS the providers of {OIDC}. One that is set in {ADDITIONAL} instead does not reach \
                     MAS; move it there, with the same idpId. An idpId that is no ULID cannot reach it either: do not rename \
                     it, ask the vendor's support."
                ),
            ).checked())
        },
    },
];

/// What keeps Synapse from starting with MAS on. By then the accounts may have been copied, so nothing is said about it.
pub(super) const STARTING: &[Rule] = &[
    Rule {
        code: "synapse-refuses-setting",
        weight: Weight::Decisive,
        phrases: &[
            "cannot be enabled when OAuth delegation is enabled",
            "cannot be set when OAuth delegation is enabled",
        ],
        tell: |message, at| {
            let setting = SETTINGS.iter().find(|(says, _)| message.is_preceded(at, "cannot be", says));
            Some(refused(setting.map_or("a setting that MAS takes over", |(_, what)| what)))
        },
    },
    Rule {
        code: "synapse-refuses-module",
        weight: Weight::Decisive,
        phrases: &["Cannot use password auth provider callbacks when OAuth delegation is enabled"],
        tell: |_, _| Some(refused("a module that checks passwords (modules: in Synapse's configuration)")),
    },
    Rule {
        code: "synapse-refuses-msc3861",
        weight: Weight::Decisive,
        phrases: &["Experimental MSC3861 was replaced by Matrix Authentication Service"],
        tell: |_, _| Some(refused("experimental_features.msc3861, an earlier way to use MAS")),
    },
];

/// How Synapse's sentence begins, and the setting.
const SETTINGS: [(&str, &str); 11] = [
    ("Password auth providers", "a password provider (password_providers)"),
    ("Password auth", "password_config.enabled"),
    ("Registration", "enable_registration"),
    ("User consent", "user_consent"),
    ("SSO", "an identity provider of its own (OIDC, SAML, CAS or JWT)"),
    ("CAPTCHA", "enable_registration_captcha"),
    ("Login via existing session", "login_via_existing_session"),
    ("nonrefreshable_access_token_lifetime", "nonrefreshable_access_token_lifetime"),
    ("refresh_token_lifetime", "refresh_token_lifetime"),
    ("session_lifetime", "session_lifetime"),
    ("enable_3pid_changes", "enable_3pid_changes"),
];

fn refused(what: &str) -> Told {
    Told::new(
        Course::Change,
        format!("Synapse does not start with MAS on, because its configuration has {what}."),
        format!(
            "Take it out of {ADDITIONAL} or of the field that sets it. No dry run shows this, since Synapse itself refuses \
             it, and only with MAS on; `check` looks for others of that kind."
        ),
    )
}

fn scheme(meaning: &str) -> Told {
    Told::new(
        Course::Support,
        meaning,
        "The operator writes that part of MAS's configuration. Look for a password scheme in what was added to MAS's \
         configuration by hand; otherwise ask the vendor's support.",
    )
    .checked()
}

fn missing_in_synapse(message: &Message, at: usize) -> Told {
    let name = message.back_to(at, "OAuth2 provider '");
    let name = name.split('\'').next().unwrap_or_default();
    let told = match name {
        "saml" => Told::new(
            Course::Support,
            "Accounts are linked to a login by SAML, which MAS does not know.",
            "Ask Element Support before you go on: these people could not log in after the migration.",
        ),
        "cas" => Told::new(
            Course::Support,
            "Accounts are linked to a login by CAS, which MAS does not know.",
            "Ask Element Support before you go on: these people could not log in after the migration.",
        ),
        _ => {
            let id = name.strip_prefix("oidc-").unwrap_or(name);
            Told::new(
                Course::Change,
                format!(
                    "Accounts are linked to identity provider {}, which Synapse's configuration does not have: it was taken \
                     out, or its idpId was changed.",
                    provider(name)
                ),
                format!(
                    "Put it back into {OIDC}{}, at least until the migration is done. If nobody needs these links any \
                     more, ask the vendor's support how to remove them.",
                    if id == "oidc" || id.is_empty() { String::new() } else { format!(" with idpId {id}") }
                ),
            )
        }
    };
    let counting = "SELECT auth_provider, count(*) FROM user_external_ids GROUP BY auth_provider;".to_owned();
    told.sql(Database::Synapse, [counting]).checked()
}

/// A provider as Synapse's database calls it, up to the closing quotation mark.
fn provider(text: &str) -> &str {
    match text.split('\'').next() {
        Some(name) if !name.is_empty() => name,
        _ => "(see the message)",
    }
}

fn rows(count: &str) -> String {
    if count == "1" { "1 row".to_owned() } else { format!("{count} rows") }
}
