//! What is to be said about a setting of Synapse, depending on where it stands.

use super::super::finding::{Finding, Severity, codes};
use super::scan::{Hit, Setting};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Free-form settings, which the operator hands on.
    FreeForm,
    /// What the operator has made of everything. It makes it anew when MAS is activated, and may leave things out then.
    Rendered,
}

/// Its code, and what it weighs in free-form settings.
pub(super) fn code(setting: &Setting) -> (&'static str, Severity) {
    use Severity::{Blocker, Unknown, Warning};
    match setting {
        Setting::PasswordLogin => (codes::SYNAPSE_PASSWORD_LOGIN, Blocker),
        Setting::Registration => (codes::SYNAPSE_REGISTRATION, Blocker),
        Setting::Captcha => (codes::SYNAPSE_CAPTCHA, Blocker),
        Setting::Consent => (codes::SYNAPSE_CONSENT, Blocker),
        Setting::ThreepidChanges => (codes::SYNAPSE_3PID_CHANGES, Blocker),
        Setting::ExistingSession => (codes::SYNAPSE_EXISTING_SESSION, Blocker),
        Setting::Lifetime => (codes::SYNAPSE_LIFETIME, Blocker),
        Setting::PasswordModule(_) => (codes::SYNAPSE_PASSWORD_MODULE, Blocker),
        Setting::UnknownModule(_) => (codes::SYNAPSE_PASSWORD_MODULE, Unknown),
        Setting::Oidc => (codes::SYNAPSE_OIDC, Blocker),
        Setting::Provider(loss) => (loss.code(), Warning),
        Setting::Saml => (codes::SAML, Blocker),
        Setting::Cas => (codes::CAS, Blocker),
        Setting::Jwt => (codes::JWT, Blocker),
        Setting::Delegates => (codes::SYNAPSE_DELEGATES, Blocker),
        Setting::OldDelegation => (codes::SYNAPSE_DELEGATES, Warning),
        Setting::Guests => (codes::SYNAPSE_GUESTS, Blocker),
        Setting::Pepper | Setting::EmptyPepper => (codes::PASSWORD_PEPPER, Warning),
        Setting::OnlyExternalPasswords => (codes::LDAP_ONLY, Warning),
        Setting::NotPostgres | Setting::DatabaseTwice => (codes::SYNAPSE_DATABASE, Blocker),
        Setting::DatabaseOtherKey => (codes::SYNAPSE_DATABASE, Warning),
        Setting::Duplicate(_) => (codes::SYNAPSE_DUPLICATE_KEY, Warning),
        Setting::Broken(_) | Setting::NoMapping => (codes::SYNAPSE_CONFIG_UNREADABLE, Blocker),
        Setting::TooMuch => (codes::SYNAPSE_CONFIG_UNREADABLE, Unknown),
    }
}

/// What is so, without a full stop.
fn message(setting: &Setting) -> String {
    let text = match setting {
        Setting::PasswordLogin
        | Setting::Registration
        | Setting::Captcha
        | Setting::Consent
        | Setting::Lifetime
        | Setting::Oidc => "Synapse refuses to start with it once MAS is active, and the dry run does not notice",
        Setting::ThreepidChanges | Setting::ExistingSession => {
            "syn2mas refuses to migrate with it, and Synapse refuses to start with it once MAS is active"
        }
        Setting::PasswordModule(name) => {
            return format!(
                "{name} checks passwords, and Synapse refuses to start with such a module once MAS is active; the dry \
                 run does not notice"
            );
        }
        Setting::UnknownModule(name) => {
            return format!(
                "whether {name} checks passwords is not known; with a module that does, Synapse refuses to start once \
                 MAS is active"
            );
        }
        Setting::Provider(loss) => return loss.words(),
        Setting::Saml => "people log in with SAML, which cannot be migrated",
        Setting::Cas => "people log in with CAS, which cannot be migrated",
        Setting::Jwt => "people log in with JSON Web Tokens, which cannot be migrated",
        Setting::Delegates => "this delegates logins to a MAS already, past the operator",
        Setting::OldDelegation => {
            "Synapse 1.157 and later refuse to start while this section is there, whatever is in it"
        }
        Setting::Guests => "syn2mas refuses to migrate while guests are let in; MAS has none",
        Setting::Pepper => "passwords are peppered: MAS must be given the same pepper, otherwise syn2mas refuses",
        Setting::EmptyPepper => "the pepper is empty; Synapse takes that for none, syn2mas does not, and refuses",
        Setting::OnlyExternalPasswords => {
            "only a password provider checks passwords; syn2mas warns about that, and a warning may be enough to fail the dry run"
        }
        Setting::NotPostgres => "syn2mas reads PostgreSQL only (driver psycopg2)",
        Setting::DatabaseTwice => "syn2mas refuses `dbname` and `database` beside each other",
        Setting::DatabaseOtherKey => {
            "the operator writes `database` from config.postgresql, and syn2mas refuses `dbname` beside it"
        }
        Setting::Duplicate(line) => return format!("it comes again in line {line}, and only the last one counts"),
        Setting::Broken(what) => return format!("it is not YAML that can be read: {what}"),
        Setting::NoMapping => "it is no mapping of settings, so nobody can read it",
        Setting::TooMuch => {
            "it is larger or deeper than is looked at here, or a value has a tag that is not known here, so what it holds is not known"
        }
    };
    text.to_owned()
}

fn remedy(setting: &Setting) -> &'static str {
    match setting {
        Setting::PasswordLogin => {
            "Take it out: it is on without it as well today. Whether there are local accounts is set in \
             delegatedAuth.localPasswordDatabase."
        }
        Setting::Registration => {
            "Take it out. If people shall go on registering themselves, set \
             delegatedAuth.localPasswordDatabase.enableRegistration instead."
        }
        Setting::Captcha => {
            "Take it out. If people register themselves, ask Element Support how MAS is given a CAPTCHA."
        }
        Setting::Consent => "Take the section out. MAS can point to terms of service instead; ask Element Support how.",
        Setting::ThreepidChanges => "Take it out: it is on without it as well today.",
        Setting::ExistingSession => "Take it out, or set it to false. MAS brings a QR code login of its own.",
        Setting::Lifetime => "Take it out before the dry run. With MAS it is MAS that ends logins.",
        Setting::PasswordModule(_) => {
            "Move LDAP to delegatedAuth.ldap. Any other module has no counterpart in MAS; ask Element Support about those \
             who log in through it."
        }
        Setting::UnknownModule(_) => {
            "Look for `password auth provider` in the module's documentation. If it is one, it has no counterpart in MAS; \
             ask Element Support about those who log in through it."
        }
        Setting::Oidc => {
            "Move the providers to delegatedAuth.oidc, each with exactly the id that it has here. Do not just take them \
             out: syn2mas needs them to find out which account at the provider belongs to whom."
        }
        Setting::Provider(loss) => loss.remedy(),
        Setting::Saml => "Reach out to Element Support about SAML before you go on.",
        Setting::Cas => "Reach out to Element Support about CAS before you go on.",
        Setting::Jwt => {
            "Let what logs in this way log in otherwise, and take it out. Ask Element Support about the ways."
        }
        Setting::Delegates => {
            "Find out whether this deployment is on MAS already. If it is, it cannot be migrated this way; ask Element \
             Support."
        }
        Setting::OldDelegation => "Take the section out.",
        Setting::Guests => "Take it out, or set it to false.",
        Setting::Pepper => {
            "Watch the dry run: it fails if the operator does not hand the pepper on. Ask Element Support then; without \
             its pepper no password is right any more."
        }
        Setting::EmptyPepper => "Take the empty pepper out; Synapse checks passwords as before.",
        Setting::OnlyExternalPasswords => {
            "With LDAP in delegatedAuth.ldap and ESS Classic 25.10.1 or later this is expected. Watch the dry run."
        }
        Setting::NotPostgres => "Move Synapse to PostgreSQL first.",
        Setting::DatabaseTwice | Setting::DatabaseOtherKey => {
            "Take the database's settings out; the operator writes them from config.postgresql."
        }
        Setting::Duplicate(_) => "Take out the one that is not meant.",
        Setting::Broken(_) | Setting::NoMapping => "Mend it; neither the operator nor syn2mas can read it.",
        Setting::TooMuch => {
            "Look yourself for the settings that `kubectl ess-mas check --explain synapse-settings` lists."
        }
    }
}

/// The finding, unless there is nothing to say about it there.
pub(super) fn finding(hit: &Hit, place: &str, origin: Origin) -> Option<Finding> {
    let (code, weight) = code(&hit.setting);
    let (message, remedy) = (message(&hit.setting), remedy(&hit.setting));
    Some(match origin {
        Origin::FreeForm => Finding::new(code, weight, subject(hit, place), message).remedy(remedy),
        Origin::Rendered => {
            let severity = rendered(&hit.setting, weight)?;
            let message = match severity {
                Severity::Blocker => message,
                _ => format!("{message}; the operator rendered it, and may leave it out with MAS"),
            };
            Finding::new(code, severity, subject(hit, place), message)
                .remedy(format!("Find out where it comes from; it is not in the free-form settings. {remedy}"))
        }
    })
}

/// `PLACE: KEY, line N`.
pub(super) fn subject(hit: &Hit, place: &str) -> String {
    let path = if hit.path.is_empty() { String::new() } else { format!(": {}", hit.path) };
    let line = hit.line.map_or_else(String::new, |line| format!(", line {line}"));
    format!("{place}{path}{line}")
}

/// How much it weighs in what the operator rendered for legacy authentication.
fn rendered(setting: &Setting, severity: Severity) -> Option<Severity> {
    match setting {
        // That is legacy authentication itself; to render it otherwise with MAS is what the operator is for.
        Setting::PasswordLogin
        | Setting::Oidc
        | Setting::PasswordModule(_)
        | Setting::UnknownModule(_)
        | Setting::OnlyExternalPasswords
        | Setting::Provider(_)
        | Setting::Duplicate(_)
        | Setting::DatabaseOtherKey
        | Setting::NoMapping
        | Setting::Broken(_)
        | Setting::TooMuch => None,
        Setting::Saml | Setting::Cas | Setting::Jwt | Setting::NotPostgres => Some(severity),
        _ => Some(severity.max(Severity::Warning)),
    }
}
