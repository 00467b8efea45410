//! Fields of `spec.components.synapse.config` that the operator may translate into a setting that Synapse or syn2mas
//! refuses. Only some of the fields' names are known, so they are read by what they are called in Synapse.

use serde_json::Value;

use super::super::finding::Finding;
use super::super::oidc::squashed;
use super::rendered::Seen;
use super::scan::Setting;
use super::words;

/// Parts that are looked at elsewhere, or hold free text.
const ELSEWHERE: [&str; 6] = ["additional", "workers", "externalappservices", "postgresql", "oidc", "ldap"];

/// A field by its names, squashed; what it becomes in Synapse; and what it means there. Its code is the setting's.
struct Field {
    names: &'static [&'static str],
    becomes: &'static str,
    setting: Setting,
    means: &'static str,
    remedy: &'static str,
}

const FIELDS: [Field; 8] = [
    Field {
        names: &["enableregistration"],
        becomes: "enable_registration",
        setting: Setting::Registration,
        means: "syn2mas warns about it, and a warning may be enough to fail the dry run; Synapse refuses to start with it once MAS is active",
        remedy: "The operator is expected to move registration to MAS. If the dry run complains about it, set it to false until the migration is done.",
    },
    Field {
        names: &["allowemailchange", "enable3pidchanges", "allow3pidchanges"],
        becomes: "enable_3pid_changes",
        setting: Setting::ThreepidChanges,
        means: "syn2mas refuses to migrate with it",
        remedy: "If the dry run complains about `enable_3pid_changes`, take the field out, so that it has its default, until the migration is done.",
    },
    Field {
        names: &["sessionlifetime", "refreshtokenlifetime", "nonrefreshableaccesstokenlifetime"],
        becomes: "the setting of that name",
        setting: Setting::Lifetime,
        means: "Synapse refuses to start with it once MAS is active, and the dry run does not notice",
        remedy: "Take it out before the dry run, or ask Element Support whether this release leaves it out with MAS.",
    },
    Field {
        names: &["allowguestaccess", "guestaccess", "allowguests", "enableguests", "enableguestaccess"],
        becomes: "allow_guest_access",
        setting: Setting::Guests,
        means: "syn2mas refuses to migrate while guests are let in",
        remedy: "Set it to false.",
    },
    Field {
        names: &["userconsent"],
        becomes: "user_consent",
        setting: Setting::Consent,
        means: "Synapse refuses to start with it once MAS is active, and the dry run does not notice",
        remedy: "Take it out before the dry run, or ask Element Support whether this release leaves it out with MAS.",
    },
    Field {
        names: &["enableregistrationcaptcha", "registrationcaptcha", "recaptcha", "captcha"],
        becomes: "enable_registration_captcha",
        setting: Setting::Captcha,
        means: "Synapse refuses to start with it once MAS is active, and the dry run does not notice",
        remedy: "Take it out before the dry run, or ask Element Support whether this release leaves it out with MAS.",
    },
    Field {
        names: &["loginviaexistingsession"],
        becomes: "login_via_existing_session",
        setting: Setting::ExistingSession,
        means: "syn2mas refuses to migrate with it",
        remedy: "Turn it off. MAS brings a QR code login of its own.",
    },
    Field {
        names: &["pepper", "passwordpepper", "peppersecretkey", "passwordpeppersecretkey"],
        becomes: "password_config.pepper",
        setting: Setting::Pepper,
        means: "MAS must be given the same pepper, otherwise syn2mas refuses",
        remedy: "Watch the dry run: it fails if the operator does not hand the pepper on. Ask Element Support then.",
    },
];

/// Looks through the typed fields. `seen` is what the operator made of them, where that could be read.
pub(super) fn check(config: &Value, seen: &Seen, findings: &mut Vec<Finding>) {
    walk(config, "spec.components.synapse.config", seen, findings, 0);
}

fn walk(value: &Value, path: &str, seen: &Seen, findings: &mut Vec<Finding>, depth: usize) {
    // The API server limits the depth of what it stores far above this.
    if depth > 8 {
        return;
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let plain = squashed(name);
        if ELSEWHERE.contains(&plain.as_str()) {
            continue;
        }
        let path = format!("{path}.{name}");
        match FIELDS.iter().find(|field| field.names.contains(&plain.as_str())) {
            Some(field) if is_on(value) => findings.extend(finding(field, &path, seen)),
            Some(_) => {}
            None => walk(value, &path, seen, findings, depth + 1),
        }
    }
}

fn is_on(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(fields) => {
            !fields.is_empty() && ["enabled", "enable"].iter().all(|key| fields.get(*key) != Some(&Value::Bool(false)))
        }
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}

/// What the operator is seen to make of it settles the matter; where that cannot be seen, it is said.
fn finding(field: &Field, path: &str, seen: &Seen) -> Option<Finding> {
    let becomes = field.becomes;
    let means = field.means;
    let message = match seen {
        Seen::Configuration(hits) => {
            let place = &hits.iter().find(|(setting, _)| *setting == field.setting)?.1;
            format!("the operator makes it `{becomes}` ({place}); {means}")
        }
        Seen::Nothing => format!("the operator may make it `{becomes}` of Synapse's; {means}"),
        Seen::Unreadable(why) => {
            format!("the operator may make it `{becomes}` of Synapse's, which could not be looked at ({why}); {means}")
        }
    };
    Some(Finding::warning(words::code(&field.setting).0, path, message).remedy(field.remedy))
}
